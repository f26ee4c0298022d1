"""Looks at one picture: its first frame decoded, turned upright, laid out as asked, and what the file tells of it."""

import contextlib
from dataclasses import dataclass

from PIL import Image, ImageFile

from models.vision.contract import PictureFacts
from models.vision.decoding import colours, exif
from models.vision.decoding.contract import DecodingLimits, View
from models.vision.decoding.layout import Finish, laid_out, previewed
from models.vision.decoding.pixels import as_seen, packing, upright
from models.vision.decoding.profiles import to_srgb
from models.vision.decoding.reading import BROKEN, decoded, opened, why
from models.vision.decoding.refusals import too_narrow
from models.vision.decoding.shapes import resized


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a picture: facts, the pixels of its views one after the other, and the preview."""

    facts: PictureFacts
    views: tuple[bytes, ...]
    preview: bytes


def look_at(content: bytes, format_: str, views: tuple[View, ...], preview: int, limits: DecodingLimits) -> Seen:
    """Decode a picture.

    Args:
        content: the file.
        format_: what it begins as.
        views: what is wanted of it.
        preview: the longest edge of the preview; 0 for none.
        limits: what it may ask for.

    Raises:
        PictureError: it is damaged, or asks for more.
        MemoryError: it asks for more memory.
    """
    try:
        seen, finish, tags, frames = _read(content, format_, limits)
        seen = upright(seen, tags)
        _require_room(seen, views, limits)
        # Models have learned from numbers as files hold them, whatever profile gives them another meaning; those of
        # CMYK mean nothing without it.
        for_models = finish if seen.mode == "CMYK" else _as_it_is
        return Seen(
            _facts(seen, format_, frames, tags, finish),
            tuple(laid_out(seen, view, for_models).tobytes() for view in views),
            previewed(seen, preview, finish) if preview else b"",
        )
    except BROKEN as error:
        raise why(error, format_) from error


def _read(content: bytes, format_: str, limits: DecodingLimits) -> tuple[Image.Image, Finish, Image.Exif, int]:
    """Decode; what the plugin holds of memory is free again when the picture is turned and laid out."""
    image, frames = opened(content, format_, limits)
    packed = packing(image)
    decoded(image, format_, limits)
    return *_colours(image, packed), _tags(image), frames


def _tags(image: ImageFile.ImageFile) -> Image.Exif:
    with contextlib.suppress(*BROKEN):  # a picture with broken EXIF is a picture still
        return image.getexif()
    return Image.Exif()


def _colours(image: Image.Image, packed: str) -> tuple[Image.Image, Finish]:
    """Give the picture in colours, and what brings small ones made of it to sRGB: all of it would take long."""
    profile = image.info.get("icc_profile")
    mode = "CMYK" if image.mode == "CMYK" else "RGB"
    transform = to_srgb(profile, mode) if isinstance(profile, bytes) else None
    seen = as_seen(image, packed, keeps_cmyk=transform is not None)
    return seen, transform.apply if transform else _as_it_is


def _as_it_is(image: Image.Image) -> Image.Image:
    return image


def _facts(image: Image.Image, format_: str, frames: int, tags: Image.Exif, finish: Finish) -> PictureFacts:
    camera = taken = ""
    with contextlib.suppress(*BROKEN):
        camera = exif.camera(tags)
        taken = exif.taken(tags)
    dominant = colours.dominant_colours(finish(colours.sample(image)))
    return PictureFacts(format_, image.width, image.height, frames, camera, taken, dominant)


def _require_room(image: Image.Image, views: tuple[View, ...], limits: DecodingLimits) -> None:
    for view in views:
        across, down = resized(view, *image.size)
        if across * down > limits.pixels:
            raise too_narrow(*image.size)
