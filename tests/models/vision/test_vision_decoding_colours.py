"""Every format, mode and depth is seen as it is meant: upright, on white, in sRGB, nothing clipped."""

import base64
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import png_by_hand
import pytest
import sklearn
from PIL import Image, ImageCms, ImageDraw

from models.vision.decoding.contract import Decoded, View
from models.vision.decoding.decoder import Decoder

_CHINA = Path(sklearn.__file__).parent / "datasets" / "images" / "china.jpg"
_RED, _BLUE = (200, 30, 30), (30, 60, 200)
_WHITE = (255, 255, 255)

_HEIC = (
    "0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<0005VZDn*}000000000XXk=`10000000000aA{+700000000000000000000G-+&aV*mgE07O6l0ssL3"
    "00001>;M4(00000001oj0ssI200J2R0RR9100000P5=M^IB98aW&i*H00062000$fZf0cy000000RRAKc4ILB0000LX>Mj^0ssI300IC2MR;ju00000"
    "4sdC7Z2$lO00031009SSaB^?}008D`aAR)(004Gqc4I>U18@KU0FVFx0000U@BsY%`1k+-4+CHT0RR|40Sp2E{{wIU00RJ!0009300RIXx&lC90096h"
    "LID8-Z~y=U0FVFx0{{R603M(qfd!W8<fgf}2xu@M00096AOHXZ03l)k0RRR>0l{;?i2wiq6Ju{|a&BX6cmM$a4FCp!0000KX>)L8000000000$0000$"
    "0000eV{Bn?0000$000010000m000010000000002|NsB+000020000GaA|mH000000|*ER00009X>xCL0{{R38EJ5BVE_OC000000RRC8fdT^sgoXeB"
    "02*m>Wo7^X0000001jhhb7KGk009620001kZDe6|0000fC;_ht;2}7v|MD&0{}UaTxtAxEr@vVL`V_wNF~9joZPEHk+YI=+%m4rY21R&jW&i+9O#mt"
    "Y000O80|5^J0ssI21^@s6G64_(0ssI23jhEBH~|s>0{{R30RRR70000008VdfX<-0PZ)<5`ATu*DFaQ7"
)
"""64 x 48 pixels, red above blue, held on its side: EXIF's orientation is 6, the camera a Nokia 3310."""


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


def _drawn(mode: str = "RGB", size: tuple[int, int] = (40, 24)) -> Image.Image:
    """Draw red to the left of blue."""
    image = Image.new("RGB", size, _RED)
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, size[0], size[1]), fill=_BLUE)
    return image.convert(mode)


def _saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def _seen(decoder: Decoder, content: bytes) -> Any:
    facts = decoder.decode(content).facts
    return decoder.decode(content, (View(facts.height, facts.width),)).views[0].astype(int)


def _near(pixel: Any, colour: tuple[int, ...], within: int = 12) -> bool:
    return bool(np.abs(np.asarray(pixel, int) - colour).max() <= within)


@pytest.mark.parametrize(
    ("format_", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("PNG", "P", {}),
        ("JPEG", "RGB", {"quality": 95, "subsampling": 0}),
        ("JPEG", "RGB", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("JPEG", "CMYK", {"quality": 95}),
        ("GIF", "P", {}),
        ("GIF", "P", {"interlace": 1}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGB", {"quality": 95}),
        ("BMP", "RGB", {}),
        ("BMP", "P", {}),
        ("TIFF", "RGB", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", "RGB", {"compression": "packbits"}),
        ("TIFF", "RGB", {"big_tiff": True}),
        ("TIFF", "CMYK", {}),
        ("TIFF", "LAB", {}),
        ("TIFF", "YCbCr", {}),
        ("AVIF", "RGB", {"quality": 95, "subsampling": "4:4:4"}),
    ],
)
def test_each_format_is_seen(decoder: Decoder, format_: str, mode: str, options: dict[str, Any]) -> None:
    content = _saved(_drawn(mode), format_, **options)
    facts = decoder.decode(content).facts
    assert (facts.format, facts.width, facts.height, facts.frames) == (format_, 40, 24, 1)
    seen = _seen(decoder, content)
    assert _near(seen[12, 5], _RED, 30)
    assert _near(seen[12, 35], _BLUE, 30)


def test_heic_is_seen_and_turned_once(decoder: Decoder) -> None:
    content = base64.b85decode(_HEIC)
    facts = decoder.decode(content).facts
    assert (facts.format, facts.width, facts.height, facts.camera) == ("HEIF", 48, 64, "Nokia 3310")
    seen = _seen(decoder, content)
    # What was above is to the right, once it is turned clockwise.
    assert _near(seen[32, 44], (220, 30, 30), 30)
    assert _near(seen[32, 4], (30, 60, 220), 30)


def test_a_camera_with_two_pictures_in_one_file_is_jpeg(decoder: Decoder) -> None:
    content = _saved(_drawn(), "MPO", save_all=True, append_images=[_drawn(size=(20, 12))])
    facts = decoder.decode(content).facts
    assert (facts.format, facts.width, facts.frames) == ("JPEG", 40, 1)


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_several_frames_the_first_is_seen_and_all_are_counted(decoder: Decoder, format_: str) -> None:
    others = [Image.new("RGB", (40, 24), colour) for colour in ("green", "yellow", "black")]
    content = _saved(_drawn(), format_, save_all=True, append_images=others)
    assert decoder.decode(content).facts.frames == 4
    assert _near(_seen(decoder, content)[12, 5], _RED, 30)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_all_eight_orientations_come_out_upright(decoder: Decoder, format_: str) -> None:
    upright = Image.new("RGB", (24, 36), "white")
    ImageDraw.Draw(upright).rectangle((0, 0, 11, 11), fill=_RED)
    ImageDraw.Draw(upright).rectangle((0, 24, 11, 35), fill=_BLUE)
    # How a camera that is held so writes it down: what undoes the orientation, undone.
    turns = [None, *(Image.Transpose(number) for number in (0, 3, 1, 5, 2, 6, 4))]
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98, "subsampling": 0}, "AVIF": {"quality": 98}}
    for orientation, turn in enumerate(turns, start=1):
        stored = upright if turn is None else upright.transpose(turn)
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = _saved(stored, format_, exif=exif, **lossless.get(format_, {}))
        facts = decoder.decode(content).facts
        assert (facts.width, facts.height, facts.orientation) == (24, 36, "portrait"), orientation
        seen = _seen(decoder, content)
        assert _near(seen[5, 5], _RED, 30), orientation
        assert _near(seen[30, 5], _BLUE, 30), orientation


def test_an_orientation_turns_pixels_exactly(decoder: Decoder) -> None:
    plain = Image.open(_CHINA).convert("RGB").resize((48, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = _seen(decoder, _saved(plain.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif))
    assert (turned == np.asarray(plain)).all()


@pytest.mark.parametrize(
    ("format_", "mode"),
    [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA"), ("TIFF", "RGBA"), ("TIFF", "LA"), ("AVIF", "RGBA")],
)
def test_what_is_transparent_is_white(decoder: Decoder, format_: str, mode: str) -> None:
    image = _drawn("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 20, 24))
    seen = _seen(decoder, _saved(image.convert(mode), format_, **({"lossless": True} if format_ == "WEBP" else {})))
    assert _near(seen[12, 5], _WHITE, 3)
    assert not _near(seen[12, 35], _WHITE)


def test_half_of_black_is_grey(decoder: Decoder) -> None:
    assert _near(_seen(decoder, _saved(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"))[0, 0], (127, 127, 127), 1)


def test_a_transparent_colour_of_a_gif_is_white(decoder: Decoder) -> None:
    image = Image.new("P", (4, 2), 0)
    image.putpalette([*_RED, *_BLUE])
    image.paste(1, (2, 0, 4, 2))
    seen = _seen(decoder, _saved(image, "GIF", transparency=0))
    assert _near(seen[0, 0], _WHITE, 0)
    assert _near(seen[0, 3], _BLUE, 0)


@pytest.mark.parametrize(
    ("depth", "kind", "key", "pixels"),
    [
        (2, 0, b"\x00\x01", b"\x00\x1b"),  # greys 0 to 3, of which 1 is transparent
        (4, 0, b"\x00\x02", b"\x00\x02\x4f"),
        (16, 0, b"\x80\x00", b"\x00\x00\x00\x80\x00\x80\x01\xff\xff"),
        (16, 2, b"\x80\x00\x00\x00\x00\x00", b"\x00" + b"\x10\x00\x20\x00\x30\x00" + b"\x80\x00\x00\x00\x00\x00"),
        (8, 2, b"\x00\x10\x00\x20\x00\x30", b"\x00\x10\x20\x30\x11\x20\x30"),
    ],
)
def test_a_transparent_colour_of_a_png_is_white_at_every_depth(
    decoder: Decoder, depth: int, kind: int, key: bytes, pixels: bytes
) -> None:
    width = (len(pixels) - 1) * 8 // (depth * (3 if kind == 2 else 1))
    content = png_by_hand.header(width, 1, depth, kind) + png_by_hand.chunk(b"tRNS", key)
    content += png_by_hand.chunk(b"IDAT", zlib.compress(pixels)) + png_by_hand.chunk(b"IEND", b"")
    assert np.abs(_seen(decoder, content) - png_by_hand.on_white(content)).max() <= 1


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_scaled_and_not_clipped(decoder: Decoder, format_: str) -> None:
    ramp = np.linspace(0, 65_535, 256).round().astype(np.uint16).reshape(16, 16)
    seen = _seen(decoder, _saved(Image.fromarray(ramp), format_))
    assert (seen[..., 0] == np.arange(256).reshape(16, 16)).all()


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 255.0), (-3.0, 12.0), (0.0, 1e6)])
def test_floating_point_numbers_are_scaled_by_their_range(decoder: Decoder, low: float, high: float) -> None:
    ramp = np.linspace(low, high, 256, dtype=np.float32).reshape(16, 16)
    seen = _seen(decoder, _saved(Image.fromarray(ramp), "TIFF"))
    assert np.abs(seen[..., 0] - np.arange(256).reshape(16, 16)).max() <= 1


@pytest.mark.parametrize("highest", [255, 65_535, 4_000_000])
def test_whole_numbers_of_thirty_two_bits_are_scaled_by_their_range(decoder: Decoder, highest: int) -> None:
    ramp = np.linspace(0, highest, 256).astype(np.int32).reshape(16, 16)
    seen = _seen(decoder, _saved(Image.fromarray(ramp), "TIFF"))
    assert np.abs(seen[..., 0] - np.arange(256).reshape(16, 16)).max() <= 1


def test_numbers_that_are_none_do_no_harm(decoder: Decoder) -> None:
    strange = np.array([[np.nan, np.inf], [-np.inf, 0.5]], np.float32)
    assert _seen(decoder, _saved(Image.fromarray(strange), "TIFF")).shape == (2, 2, 3)


def test_one_bit_is_black_and_white(decoder: Decoder) -> None:
    seen = _seen(decoder, _saved(_drawn("1").point(lambda level: level), "TIFF", compression="group4"))
    assert set(np.unique(seen)) <= {0, 255}


def test_a_photograph_is_to_the_byte_what_pillow_makes_of_it(decoder: Decoder) -> None:
    content = _CHINA.read_bytes()
    assert (_seen(decoder, content) == np.asarray(Image.open(_CHINA).convert("RGB"))).all()


def _profile(space: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def test_srgb_in_a_profile_changes_no_byte(decoder: Decoder) -> None:
    image = Image.open(_CHINA).convert("RGB").resize((64, 48))
    content = _saved(image, "PNG", icc_profile=_profile("sRGB"))
    assert (_seen(decoder, content) == np.asarray(image)).all()


def test_another_profile_is_brought_to_srgb_for_people_and_left_to_models_as_they_learned(decoder: Decoder) -> None:
    # An sRGB whose red and blue have changed places: what is red by its numbers is meant to be blue.
    swapped = bytearray(_profile("sRGB"))
    swapped = swapped.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    content = _saved(_drawn(), "PNG", icc_profile=bytes(swapped))
    preview = np.asarray(Image.open(io.BytesIO(decoder.decode(content, preview=100).preview)))
    scale = len(preview) / _drawn().height
    assert np.allclose(preview[int(12 * scale), int(5 * scale)], (30, 30, 200), atol=40)
    assert (_seen(decoder, content) == np.asarray(_drawn())).all()


@pytest.mark.parametrize("profile", [b"", b"no profile", bytes(200), _profile("sRGB")[:300], _profile("LAB")])
def test_a_broken_profile_or_one_of_another_space_is_passed_over(decoder: Decoder, profile: bytes) -> None:
    image = _drawn()
    assert (_seen(decoder, _saved(image, "PNG", icc_profile=profile)) == np.asarray(image)).all()


def test_a_gamma_is_passed_over_as_pillow_does(decoder: Decoder) -> None:
    content = _saved(_drawn(), "PNG")
    with_gamma = content[:33] + png_by_hand.chunk(b"gAMA", (100_000).to_bytes(4, "big")) + content[33:]
    assert (_seen(decoder, with_gamma) == np.asarray(_drawn())).all()


def _described(decoder: Decoder, image: Image.Image) -> Decoded:
    return decoder.decode(_saved(image, "PNG"))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("#000000", "black"),
        ("#808080", "grey"),
        ("#ffffff", "white"),
        ("#c4c4c4", "light grey"),
        ("#444444", "dark grey"),
        ("#ff0000", "red"),
        ("#00c800", "green"),
        ("#0000ff", "blue"),
        ("#ffa500", "orange"),
        ("#ffff00", "yellow"),
        ("#800080", "purple"),
        ("#ffc0cb", "pink"),
        ("#8b4513", "brown"),
        ("#f5deb3", "beige"),
        ("#40e0d0", "turquoise"),
        ("#000080", "dark blue"),
        ("#87ceeb", "light blue"),
        ("#006400", "dark green"),
        ("#ff00ff", "magenta"),
    ],
)
def test_a_colour_has_the_name_that_people_give_it(decoder: Decoder, code: str, name: str) -> None:
    (colour,) = _described(decoder, Image.new("RGB", (30, 20), code)).facts.colours
    assert (colour.name, colour.code, colour.share) == (name, code, 1.0)


def test_colours_are_told_with_their_shares_and_the_largest_first(decoder: Decoder) -> None:
    image = Image.new("RGB", (300, 200), "#ffff00")
    image.paste("#0000ff", (0, 0, 100, 200))
    image.paste("#000000", (0, 0, 2, 2))  # too small a share to be told
    assert [(colour.name, round(colour.share, 1)) for colour in _described(decoder, image).facts.colours] == [
        ("yellow", 0.7),
        ("blue", 0.3),
    ]


def test_no_more_than_five_colours_are_told(decoder: Decoder) -> None:
    image = Image.new("RGB", (80, 10))
    for place, colour in enumerate(("red", "lime", "blue", "yellow", "white", "black", "gray", "purple")):
        image.paste(colour, (place * 10, 0, place * 10 + 10, 10))
    assert len(_described(decoder, image).facts.colours) == 5


def test_stripes_are_not_mistaken_for_one_colour(decoder: Decoder) -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    shares = {colour.name: colour.share for colour in _described(decoder, Image.fromarray(stripes)).facts.colours}
    assert set(shares) == {"black", "white"}
    assert all(0.4 < share < 0.6 for share in shares.values())
