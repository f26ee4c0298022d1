"""What a file tells of itself: camera and date, and never where, who or with what; nor does its preview."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from models.vision.contract import PictureFacts
from models.vision.decoding.contract import Decoded
from models.vision.decoding.decoder import Decoder
from models.vision.decoding.exif import camera, taken

_MAKER, _MODEL, _SOFTWARE, _ARTIST, _CHANGED = 0x010F, 0x0110, 0x0131, 0x013B, 0x0132
_EXIF, _GPS, _TAKEN, _COMMENT, _OWNER, _SERIAL = 0x8769, 0x8825, 0x9003, 0x9286, 0xA430, 0xA431
_PRIVATE = ("Ursula", "SN-4711", "PhotoFixer", "at home", "52.0", "2020:01:01")


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


def _exif(maker: str = "Canon", model: str = "Canon EOS R5", when: str = "2024:05:03 14:07:33") -> Image.Exif:
    """Make EXIF with all that a camera and a phone write."""
    exif = Image.Exif()
    exif[_MAKER], exif[_MODEL], exif[_SOFTWARE] = maker, model, "PhotoFixer 3"
    exif[_ARTIST], exif[_CHANGED] = "Ursula Example", "2020:01:01 10:00:00"
    exif[_EXIF] = {_TAKEN: when, _COMMENT: b"ASCII\0\0\0at home", _OWNER: "Ursula", _SERIAL: "SN-4711"}
    exif[_GPS] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    return exif


def _saved(format_: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(out, format_, **options)
    return out.getvalue()


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_camera_and_date_are_told_and_nothing_else(decoder: Decoder, format_: str) -> None:
    content = _saved(format_, exif=_exif().tobytes())
    decoded = decoder.decode(content, preview=200)
    assert (decoded.facts.camera, decoded.facts.taken) == ("Canon EOS R5", "2024-05-03 14:07")
    assert b"Ursula" in content
    assert b"SN-4711" in content
    told = repr(decoded.facts)
    for word in _PRIVATE:
        assert word not in told
        assert word.encode() not in decoded.preview


def test_a_preview_has_the_picture_and_no_word_beside_it(decoder: Decoder) -> None:
    exif = _exif()
    exif[0x0112] = 6
    content = _saved("JPEG", exif=exif, comment=b"Ursula was here", icc_profile=b"a profile", dpi=(72, 72))
    preview = Image.open(io.BytesIO(decoder.decode(content, preview=100).preview))
    assert (preview.format, preview.size) == ("JPEG", (100, 100))
    assert set(preview.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not preview.getexif()


def test_texts_of_a_png_are_in_no_preview(decoder: Decoder) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a prompt of Ursula's")
    decoded = decoder.decode(_saved("PNG", pnginfo=texts), preview=64)
    assert b"Ursula" not in decoded.preview
    assert "Ursula" not in repr(decoded.facts)


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [((256, 256), 64, (64, 64)), ((300, 100), 150, (150, 50)), ((30, 10), 640, (30, 10)), ((1_000, 1), 100, (100, 1))],
)
def test_a_preview_keeps_its_proportions_and_is_never_enlarged(
    decoder: Decoder, size: tuple[int, int], longest: int, expected: tuple[int, int]
) -> None:
    out = io.BytesIO()
    Image.new("RGB", size, "green").save(out, "PNG")
    preview = decoder.decode(out.getvalue(), preview=longest).preview
    assert Image.open(io.BytesIO(preview)).size == expected


def test_no_preview_is_made_unless_it_is_asked_for(decoder: Decoder) -> None:
    assert decoder.decode(_saved("PNG")) == Decoded(decoder.decode(_saved("PNG")).facts)


@pytest.mark.parametrize(
    ("maker", "model", "name"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("", "Pixel 8", "Pixel 8"),
        ("Sony", "", "Sony"),
        ("", "", ""),
        ("Evil\x00Corp", "\x1b[2JBox\n\n@everyone <!channel> **bold** `x`", "Evil 2JBox everyone channel bold x"),
        ("M" * 500, "N" * 500, "M" * 60),
    ],
)
def test_a_camera_is_named_plainly(maker: str, model: str, name: str) -> None:
    assert camera(_exif(maker, model)) == name


@pytest.mark.parametrize(
    "when",
    ["0000:00:00 00:00:00", "2024:13:01 10:00:00", "2024:02:30 10:00:00", "yesterday", "", "    :  :     :  :  "],
)
def test_a_date_that_is_none_is_not_told(when: str) -> None:
    exif = Image.Exif()
    exif.load(_exif(when=when).tobytes())
    assert taken(exif) == ""


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_a_camera_calls_itself_fits_a_line(maker: str, model: str) -> None:
    exif = Image.Exif()
    exif[_MAKER], exif[_MODEL] = maker, model
    name = camera(exif)
    assert len(name) <= 60
    assert name.isprintable()
    assert not set(name) & set("<>@*`[]_~|\\#:")


@given(st.binary(max_size=300))
def test_broken_exif_does_not_cost_the_picture(decoder: Decoder, rubbish: bytes) -> None:
    content = _saved("JPEG")
    segment = b"Exif\0\0" + rubbish
    with_exif = content[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + content[2:]
    assert decoder.decode(with_exif).facts.format == "JPEG"


def test_a_picture_without_exif_tells_no_camera(decoder: Decoder) -> None:
    facts = decoder.decode(_saved("PNG")).facts
    assert facts == PictureFacts("PNG", 256, 256, colours=facts.colours)
