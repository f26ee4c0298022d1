"""Shows a picture slightly differently each time: cut and resized, lighter or darker, with more or less contrast."""

import math

import numpy as np
from PIL import Image

from models.vision.contract import Pixels

_ZOOM = 0.1
_STRETCH = 0.05
_LIGHT = 0.1
_CONTRAST = 0.1


def augmented(pixels: Pixels, chance: np.random.Generator, flip: bool) -> Pixels:
    """Give a picture as it might also have been taken.

    It is a tenth larger or smaller at the most, up to a twentieth wider or higher, and moved by as much as that cuts
    off or leaves free, where its outermost pixels go on; brightness and contrast are up to a tenth more or less. That
    is less than is usual for photographs: what tells classes apart often fills the picture, and may lie at its edge.

    Args:
        pixels: shaped [height, width, 3].
        chance: where the chance comes from; the same state gives the same picture.
        flip: whether it may be mirrored, left to right, half of the times.

    Returns:
        Shaped like `pixels`.
    """
    height, width = pixels.shape[:2]
    margin = math.ceil(max(height, width) * (_ZOOM + _STRETCH))
    padded = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    box = _part(height, width, margin, chance)
    cut = Image.fromarray(padded).resize((width, height), Image.Resampling.BICUBIC, box)
    values = np.asarray(cut, np.float32)
    light, contrast = 1 + chance.uniform(-_LIGHT, _LIGHT), 1 + chance.uniform(-_CONTRAST, _CONTRAST)
    mean = values.mean()
    values = ((values - mean) * contrast + mean) * light
    if chance.random() < 0.5 and flip:
        values = values[:, ::-1]
    shown: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return shown


def _part(height: int, width: int, margin: int, chance: np.random.Generator) -> tuple[float, float, float, float]:
    """Left, upper, right and lower edge of what is shown, in a picture that has a margin."""
    zoom, stretch = chance.uniform(1 - _ZOOM, 1 + _ZOOM), chance.uniform(-_STRETCH, _STRETCH) / 2
    shown_width, shown_height = width * (zoom + stretch), height * (zoom - stretch)
    left = margin + chance.uniform(0, 1) * (width - shown_width)
    upper = margin + chance.uniform(0, 1) * (height - shown_height)
    return left, upper, left + shown_width, upper + shown_height
