"""Shows a picture slightly differently each time: cut and resized, lighter or darker, with more or less contrast."""

import math

import numpy as np
from PIL import Image

from models.vision.contract import Pixels

_LEAST_AREA = 0.75
_STRETCH = 1.1
_LIGHT = 0.2
_CONTRAST = 0.2


def augmented(pixels: Pixels, chance: np.random.Generator, flip: bool) -> Pixels:
    """Give a picture as it might also have been taken.

    A part of 75 to 100 % of its area, up to a tenth wider or higher than it was, resized to all of it; brightness and
    contrast each up to a fifth more or less. What it shows stays in it: classes are often told by what lies at its
    edge.

    Args:
        pixels: shaped [height, width, 3].
        chance: where the chance comes from; the same state gives the same picture.
        flip: whether it may be mirrored, left to right, half of the times.

    Returns:
        Shaped like `pixels`.
    """
    height, width = pixels.shape[:2]
    box = _part(height, width, chance)
    cut = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, box)
    values = np.asarray(cut, np.float32)
    light, contrast = 1 + chance.uniform(-_LIGHT, _LIGHT), 1 + chance.uniform(-_CONTRAST, _CONTRAST)
    mean = values.mean()
    values = ((values - mean) * contrast + mean) * light
    if chance.random() < 0.5 and flip:
        values = values[:, ::-1]
    shown: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return shown


def _part(height: int, width: int, chance: np.random.Generator) -> tuple[float, float, float, float]:
    """Left, upper, right and lower edge of a part of a picture."""
    side = math.sqrt(chance.uniform(_LEAST_AREA, 1.0))
    stretch = math.sqrt(chance.uniform(1 / _STRETCH, _STRETCH))
    part_width, part_height = min(1.0, side * stretch) * width, min(1.0, side / stretch) * height
    left, upper = chance.uniform(0, width - part_width), chance.uniform(0, height - part_height)
    return left, upper, left + part_width, upper + part_height
