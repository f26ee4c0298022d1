"""Opens a picture with the one plugin that its format needs, within the limits, and decodes its first frame."""

import struct
import zlib
from io import BytesIO

import pi_heif
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from models.vision.decoding import headers
from models.vision.decoding.contract import DecodingLimits
from models.vision.decoding.refusals import (
    damaged,
    incomplete,
    no_pixels,
    too_many_frames,
    too_many_pixels,
)

BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow raises where a file is not as it should be: whatever its reading of it stumbles on."""

_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "HEIF": pi_heif.HeifImageFile,
}
"""Called by hand: what is none of them never comes near another plugin, EPS with its Ghostscript least of all."""

_ENDS_EARLY = ("truncated", "incomplete", "not enough", "end of data", "unexpected end", "premature")


def prepare() -> None:
    """Set up the libraries for one picture at a time, in this process alone."""
    Image.preinit()  # what saving needs, too
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pi_heif.options.DECODE_THREADS = 1
    # Not looked at, so not read either.
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False


def opened(content: bytes, format_: str, limits: DecodingLimits) -> tuple[ImageFile.ImageFile, int]:
    """Read the header of a picture; give the picture, not decoded yet, and the number of its frames.

    Raises:
        PictureError: it has more pixels or frames than are looked at, or none; its checksums are wrong.
        BaseException: one of `BROKEN`.
    """
    # Pillow refuses what has twice as many; some plugins ask it before they allocate.
    Image.MAX_IMAGE_PIXELS = limits.pixels // 2
    if format_ == "WEBP" and (size := headers.webp_size(content)):
        _require_size(size, format_, limits)
    image = _PLUGINS[format_](BytesIO(content))
    _require_size(image.size, format_, limits)
    if format_ == "PNG" and not headers.png_is_whole(content):
        raise damaged(format_)
    frames = _frames(image, content, format_, limits.frames)
    if frames > limits.frames:
        raise too_many_frames(limits)
    return image, frames


def decoded(image: ImageFile.ImageFile, format_: str, limits: DecodingLimits) -> None:
    """Decode a picture's first frame, in place.

    Raises:
        PictureError: it has turned out larger than its header says.
        BaseException: one of `BROKEN`.
    """
    image.load()
    _require_size(image.size, format_, limits)


def why(error: BaseException, format_: str) -> Exception:
    """Make a refusal of one of `BROKEN`, or a `MemoryError` where the library beneath means one."""
    told = str(error).casefold()
    if "memory" in told and "security limit" not in told:  # libheif says both where a box is absurd
        return MemoryError()
    if isinstance(error, EOFError) or any(word in told for word in _ENDS_EARLY):
        return incomplete(format_)
    return damaged(format_)


def _require_size(size: tuple[int, int], format_: str, limits: DecodingLimits) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise no_pixels(format_)
    if width * height > limits.pixels:
        raise too_many_pixels(width, height, limits)


def _frames(image: ImageFile.ImageFile, content: bytes, format_: str, most: int) -> int:
    # Pillow counts those of GIF and TIFF by walking through all of them, however many there are.
    if format_ == "GIF":
        return headers.gif_frames(content, most)
    if format_ == "TIFF":
        return headers.tiff_frames(content, most)
    return int(getattr(image, "n_frames", 1))
