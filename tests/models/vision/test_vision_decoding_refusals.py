"""What cannot be looked at is refused with a sentence: other files, bombs, damage; nothing of it does harm."""

import io
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import png_by_hand
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from models.errors import PictureError
from models.vision.decoding.contract import Decoded, DecodingLimits, View
from models.vision.decoding.decoder import Decoder
from models.vision.decoding.formats import MEDIA_TYPES, format_of, kind_of, media_type
from models.vision.decoding.refusals import damaged, incomplete

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
_LIMITS = DecodingLimits(megabytes=1, megapixels=4, frames=10)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(_LIMITS) as decoder:
        yield decoder


def _picture(format_: str, size: tuple[int, int] = (24, 16), **options: Any) -> bytes:
    out = io.BytesIO()
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    image.save(out, format_, **options)
    return out.getvalue()


def _refusal(decoder: Decoder, content: bytes) -> PictureError:
    with pytest.raises(PictureError) as refusal:
        decoder.decode(content, (View(8, 8),), preview=32)
    return refusal.value


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript file"),
        (b"\xc5\xd0\xd3\xc6\x1e\x00\x00\x00", "a PostScript file"),
        (b"8BPS\x00\x01" + bytes(20), "a Photoshop document"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg width="1">', "an SVG drawing"),
        (b"<?xml version='1.0'?><note/>", "an XML document"),
        (b"<!DOCTYPE html><html><body>", "a web page"),
        (b"\n <HTML><svg >", "an SVG drawing"),
        (b"PK\x03\x04" + bytes(30), "a ZIP archive or an Office document"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(12), "a video"),
        (b"\x1a\x45\xdf\xa3" + bytes(12), "a video"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "a video"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a sound recording"),
        (b"\x00\x00\x01\x00\x01\x00", "an icon"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"P3 2 2 255 0 0 0", "a PNM picture"),
        (b"MZ\x90\x00", "a program"),
        ("BM heißt Bayerische Motorenwerke nicht.".encode(), "plain text"),
        (b"P1 is what the plan calls it", "plain text"),
        (b"What is in a <svg > tag?", "plain text"),
        ("Ein Text, der mitten im ü endet: ".encode() + b"\xc3", "plain text"),
    ],
)
def test_what_is_no_picture_is_told_what_it_is(decoder: Decoder, content: bytes, kind: str) -> None:
    refusal = _refusal(decoder, content)
    assert refusal.message == f"It is {kind}, which I cannot look at."
    assert "PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF and HEIC" in refusal.fix


def test_what_nobody_knows_is_told_to_be_no_picture(decoder: Decoder) -> None:
    assert _refusal(decoder, b"\x07\x01\x99\x80" * 9).message == "It is no picture that I know."


def test_an_empty_file_is_told_to_be_empty(decoder: Decoder) -> None:
    assert _refusal(decoder, b"").message == "It is empty."


def test_too_large_a_file_is_told_with_the_setting(decoder: Decoder) -> None:
    refusal = _refusal(decoder, _picture("PNG") + bytes(3 << 20))
    assert refusal.message == "It has 3.0 MiB; 1 MiB are looked at at the most."
    assert "attachments.megabytes" in refusal.fix


@pytest.mark.parametrize("format_", _FORMATS)
def test_every_format_is_known_by_its_first_bytes(format_: str) -> None:
    content = _picture(format_)
    assert format_of(content) == format_
    assert media_type(content) == MEDIA_TYPES[format_]
    assert media_type(b"text") == ""


@given(st.binary(max_size=64))
def test_any_first_bytes_can_be_judged(head: bytes) -> None:
    for start in (b"", b"\x00\x00\x00\x20ftyp", b"<", b"RIFF", b"BM"):
        assert format_of(start + head) in {None, *MEDIA_TYPES}
        assert "\n" not in kind_of(start + head)


def _png_bomb(width: int, height: int) -> bytes:
    empty = png_by_hand.chunk(b"IDAT", zlib.compress(b"")) + png_by_hand.chunk(b"IEND", b"")
    return png_by_hand.header(width, height) + empty


def _changed(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def _bombs() -> list[tuple[str, bytes]]:
    webp = _picture("WEBP", lossless=True)
    bits = (16_383 | 16_383 << 14).to_bytes(4, "little")
    jpeg = _picture("JPEG")
    return [
        ("100,000 x 100,000", _png_bomb(100_000, 100_000)),
        ("65,000 x 65,000", _changed(_picture("GIF"), 6, struct.pack("<HH", 65_000, 65_000))),
        ("16,384 x 16,384", _changed(webp, 21, bits)),
        ("65,500 x 65,500", _changed(jpeg, jpeg.index(b"\xff\xc0") + 5, struct.pack(">HH", 65_500, 65_500))),
        ("30,000 x 30,000", _changed(_picture("BMP"), 18, struct.pack("<ii", 30_000, 30_000))),
        ("50,000 x 50,000", _tiff(50_000, 50_000)),
        ("4,001 x 1,000", _png_bomb(4_001, 1_000)),
    ]


def _tiff(width: int, height: int, after: int = 0) -> bytes:
    """Write the header of a grey TIFF, whose directory says that another follows at `after`."""
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 64)]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    count = struct.pack("<H", len(entries))
    return b"II*\x00" + struct.pack("<I", 8) + count + directory + struct.pack("<I", after) + bytes(64)


@pytest.mark.parametrize(("size", "content"), _bombs(), ids=["PNG", "GIF", "WEBP", "JPEG", "BMP", "TIFF", "a little"])
def test_a_bomb_is_refused_by_its_header_with_its_size(decoder: Decoder, size: str, content: bytes) -> None:
    refusal = _refusal(decoder, content)
    assert refusal.message == f"It has {size} pixels; 4 million are looked at at the most."
    assert "images.megapixels" in refusal.fix


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_too_many_frames_are_refused(decoder: Decoder, format_: str) -> None:
    frames = [Image.new("RGB", (8, 8), (level * 20, 0, 0)) for level in range(1, 11)]
    refusal = _refusal(decoder, _picture(format_, (8, 8), save_all=True, append_images=frames))
    assert refusal.message == "It has more than 10 frames, which is as many as are looked at."
    assert "images.frames" in refusal.fix


def test_a_tiff_that_goes_in_circles_ends(decoder: Decoder) -> None:
    grey = _tiff(8, 8, after=8)
    assert decoder.decode(grey).facts.frames == 1


def test_an_animation_that_says_it_is_endless_is_refused(decoder: Decoder) -> None:
    content = _picture("PNG", save_all=True, append_images=[Image.new("RGB", (24, 16))])
    place = content.index(b"acTL")
    control = b"acTL" + struct.pack(">II", 2_000_000_000, 0)
    endless = _changed(content, place, control + struct.pack(">I", zlib.crc32(control)))
    assert "frames" in _refusal(decoder, endless).message


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
def test_a_bomb_in_a_text_of_a_png_is_refused_or_passed_over(decoder: Decoder, kind: bytes) -> None:
    packed = zlib.compress(bytes(80 << 20), 1)
    heads = {b"iCCP": b"p\x00\x00", b"zTXt": b"t\x00\x00", b"iTXt": b"t\x00\x01\x00\x00\x00"}
    content = _picture("PNG")
    _survived(decoder, content[:33] + png_by_hand.chunk(kind, heads[kind] + packed) + content[33:])
    assert _survived(decoder, _picture("PNG")) is not None


def test_many_texts_in_a_png_do_no_harm(decoder: Decoder) -> None:
    texts = PngImagePlugin.PngInfo()
    for number in range(2_000):
        texts.add_text(f"key {number}", "secret " * 10, zip=True)
    assert _survived(decoder, _picture("PNG", pnginfo=texts)) is not None


def test_a_picture_without_pixels_is_refused(decoder: Decoder) -> None:
    assert "damaged" in _refusal(decoder, _png_bomb(0, 5)).message
    empty = _changed(_picture("GIF"), 6, bytes(4))
    _survived(decoder, empty)


def test_a_thread_of_a_picture_is_refused_where_a_model_would_blow_it_up(decoder: Decoder) -> None:
    content = _picture("PNG", (1, 30_000))
    with pytest.raises(PictureError) as refusal:
        decoder.decode(content, (View(0, 0, shortest_edge=224, crop=(224, 224)),))
    assert refusal.value.message == "It has 1 x 30,000 pixels, which is too long and narrow to be looked at."
    assert decoder.decode(content, (View(8, 8),)).facts.height == 30_000


def _survived(decoder: Decoder, content: bytes) -> Decoded | None:
    """Have it decoded or refused; whatever else fails the test."""
    try:
        return decoder.decode(content, (View(8, 8),), preview=16)
    except PictureError as error:
        refusal = error
    assert refusal.message.endswith(".")
    assert refusal.fix.endswith(".")
    return None


@pytest.mark.parametrize("format_", _FORMATS)
def test_a_picture_that_ends_early_is_refused_or_seen(decoder: Decoder, format_: str) -> None:
    content = _picture(format_, (64, 48))
    for tenth in range(10):
        _survived(decoder, content[: len(content) * tenth // 10])
    assert _survived(decoder, content) is not None


@pytest.mark.parametrize("format_", _FORMATS)
def test_a_picture_cut_in_half_is_told_to_be_damaged(decoder: Decoder, format_: str) -> None:
    content = _picture(format_, (64, 48))
    message = _refusal(decoder, content[: len(content) // 2]).message
    assert "damaged" in message or "its end is missing" in message


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), format_=st.sampled_from(_FORMATS))
def test_changed_bytes_never_do_harm(decoder: Decoder, data: st.DataObject, format_: str) -> None:
    content = bytearray(_picture(format_, (24, 16)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _survived(decoder, bytes(content))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rubbish=st.binary(max_size=400), format_=st.sampled_from(_FORMATS), kept=st.integers(4, 120))
def test_rubbish_behind_the_beginning_of_a_picture_never_does_harm(
    decoder: Decoder, rubbish: bytes, format_: str, kept: int
) -> None:
    _survived(decoder, _picture(format_)[:kept] + rubbish)


def test_two_pictures_glued_together_are_seen_as_the_first(decoder: Decoder) -> None:
    for first, second in (("PNG", "JPEG"), ("JPEG", "PNG"), ("GIF", "BMP")):
        assert decoder.decode(_picture(first) + _picture(second)).facts.format == first


def test_a_text_that_pretends_is_refused(decoder: Decoder) -> None:
    generator = random.Random(1)
    for start in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\x00", b"BM" + bytes(12) + b"\x28\0\0\0"):
        message = _refusal(decoder, start + generator.randbytes(200)).message
        assert any(word in message for word in ("damaged", "pixels", "its end is missing"))


def test_a_picture_of_the_installed_libraries_is_not_refused_for_its_frames(decoder: Decoder) -> None:
    import skimage

    content = (Path(skimage.__file__).parent / "data" / "multipage.tif").read_bytes()
    assert decoder.decode(content).facts.frames == 2


def test_a_damaged_avif_is_told_in_good_english() -> None:
    assert damaged("AVIF").message == "It begins as an AVIF picture, but is damaged, or of a kind that I cannot read."
    assert incomplete("HEIF").message == "It is a HEIC picture, but its end is missing."
