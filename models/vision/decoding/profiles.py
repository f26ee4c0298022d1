"""Colour profiles: brings pictures of other colour spaces to sRGB, and leaves those alone that are in it."""

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageChops, ImageCms

_LARGEST = 4 << 20
_SPACES = {"RGB": b"RGB ", "CMYK": b"CMYK"}
"""What a profile for a mode says of itself (ICC.1:2022, table 19)."""

_STEPS = range(0, 256, 32)
_SAME = 2
"""Levels of 255 by which a profile may differ from sRGB and still count as it."""


@lru_cache(maxsize=8)
def to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Give what brings pixels of a mode to sRGB; None where nothing is to be done, or the profile is broken.

    Args:
        profile: ICC.
        mode: of the pixels, ``RGB`` or ``CMYK``.
    """
    if len(profile) > _LARGEST or profile[16:20] != _SPACES.get(mode):
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Tell by colours from all over the cube; names of profiles say too little, and there are many that mean sRGB."""
    levels = [*_STEPS, 255]
    colours = bytes(level for red in levels for green in levels for blue in levels for level in (red, green, blue))
    probe = Image.frombytes("RGB", (len(levels), len(levels) ** 2), colours)
    extrema = ImageChops.difference(probe, transform.apply(probe)).getextrema()
    return all(isinstance(band, tuple) and band[1] <= _SAME for band in extrema)
