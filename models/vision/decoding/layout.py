"""Lays a picture out for a model, to the byte as the image processors of Transformers do with Pillow; and previews."""

from collections.abc import Callable
from io import BytesIO

from PIL import Image

from models.vision.decoding.contract import View
from models.vision.decoding.shapes import preview_size, resized

Finish = Callable[[Image.Image], Image.Image]
"""Brings a small picture to RGB, or to sRGB."""

_QUALITY = 85
_REDUCING_GAP = 2.0


def laid_out(image: Image.Image, view: View, finish: Finish) -> Image.Image:
    """Resize, bring to RGB, cut out the middle; what the middle has too little is black."""
    across, down = resized(view, *image.size)
    small = finish(image.resize((across, down), resample=Image.Resampling(view.resample)))
    if not view.crop:
        return small
    height, width = view.crop
    left, top = (across - width) // 2, (down - height) // 2
    return small.crop((left, top, left + width, top + height))


def previewed(image: Image.Image, longest_edge: int, finish: Finish) -> bytes:
    """Give a small JPEG that has the picture and nothing else: no comment, profile, EXIF."""
    size = preview_size(longest_edge, *image.size)
    small = finish(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=_REDUCING_GAP))
    out = BytesIO()
    Image.frombytes("RGB", size, small.tobytes()).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
