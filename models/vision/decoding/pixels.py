"""Turns what a file holds into the colours that are seen: every mode and depth, transparency on white, upright."""

import math
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image

_WITH_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_DEEPEST = 65_535
_SCALES = {"L;2": 85, "L;4": 17}
"""By how much Pillow spreads greys of few bits; the transparent one it names as it lies in the file."""

_UPRIGHT: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes EXIF's orientation (Exif 3.0, tag 274)."""


def upright(image: Image.Image, exif: Image.Exif) -> Image.Image:
    """Turn a picture as EXIF says that it was held."""
    turn = _UPRIGHT.get(exif.get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def packing(image: Image.Image) -> str:
    """Say how pixels lie in the file, as Pillow's raw mode; empty where that is not one word. Before it is loaded."""
    tile = getattr(image, "tile", None)
    told = tile[0].args if tile else ""
    return told if isinstance(told, str) else ""


def as_seen(image: Image.Image, packed: str, keeps_cmyk: bool = False) -> Image.Image:
    """Bring a loaded picture to red, green and blue, on white where it is transparent.

    Sixteen bits of grey are scaled by 1/257. Deeper greys and floating-point numbers are scaled by the range that they
    fill, among 0 to 1, 0 to 255, 0 to 65,535 and their own smallest to largest.

    Args:
        image: the picture.
        packed: as `packing` gave it.
        keeps_cmyk: whether a picture of printing inks stays one, for its profile to translate.
    """
    if image.mode == "CMYK" and keeps_cmyk:
        return image
    key = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        return _sixteen_bits(image, key)
    if image.mode in ("I", "F"):
        return _by_range(image).convert("RGB")
    if image.mode in _WITH_ALPHA or key is not None or (image.palette and image.palette.mode == "RGBA"):
        return _on_white(_with_alpha(image, packed, key))
    return image if image.mode == "RGB" else image.convert("RGB")


def _with_alpha(image: Image.Image, packed: str, key: object) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    if isinstance(key, int) and packed in _SCALES:
        image.info["transparency"] = key * _SCALES[packed]
    elif isinstance(key, tuple) and packed == "RGB;16B":
        # The pixels have lost their lower bytes by now; the colour loses them too.
        image.info["transparency"] = tuple(level >> 8 for level in key)
    return image if image.mode == "RGBA" else image.convert("RGBA")


def _on_white(image: Image.Image, mask: Image.Image | None = None) -> Image.Image:
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(image, mask=mask or image)
    return canvas


def _sixteen_bits(image: Image.Image, key: object) -> Image.Image:
    deep = image if image.mode == "I;16" else image.convert("I")
    seen = deep.point(_times(1 / 257, 0.5)).convert("L").convert("RGB")
    if not isinstance(key, int):
        return seen
    opaque = np.not_equal(np.asarray(deep), key).astype(np.uint8) * 255
    return _on_white(seen, Image.fromarray(opaque))


def _by_range(image: Image.Image) -> Image.Image:
    low, high = (float(end) for end in image.getextrema())  # type: ignore[arg-type]
    if not math.isfinite(high - low) or low == high:
        scale = 1.0
    elif low < 0 or high > _DEEPEST:
        return image.point(_times(255 / (high - low), -low * 255 / (high - low))).convert("L")
    elif high > 255:
        scale = 1 / 257
    else:
        scale = 255.0 if image.mode == "F" and high <= 1 else 1.0
    return image.point(_times(scale, 0.5)).convert("L")


def _times(scale: float, offset: float) -> Callable[[float], float]:
    # Pillow calls it once, with something that notes the two numbers.
    return lambda level: level * scale + offset
