"""Names the colours that a picture mostly has."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.vision.contract import Colour

_GRID = 61
"""Points across and down at which a picture is sampled; a prime, so that stripes do not fall in step with them."""

_MOST = 5
_SMALLEST_SHARE = 0.03
_BITS = 5
"""Of each of red, green and blue that colours are told apart by."""

_NEUTRAL: tuple[tuple[str, str], ...] = (
    ("black", "#000000"),
    ("black", "#141414"),
    ("dark grey", "#555555"),
    ("grey", "#888888"),
    ("light grey", "#c6c6c6"),
    ("white", "#ffffff"),
)
"""Greys that a name stands for."""

_COLOURED: tuple[tuple[str, str], ...] = (
    ("red", "#ff0000"),
    ("red", "#c8202a"),
    ("dark red", "#6e1414"),
    ("orange", "#ff8c00"),
    ("orange", "#e0661c"),
    ("brown", "#7c4a24"),
    ("light brown", "#b4875a"),
    ("dark brown", "#3f2614"),
    ("beige", "#e2cda8"),
    ("yellow", "#ffff00"),
    ("yellow", "#f0c828"),
    ("light yellow", "#f8f2a8"),
    ("olive", "#7a7a2c"),
    ("green", "#00ff00"),
    ("green", "#2e9a34"),
    ("light green", "#9ad88a"),
    ("dark green", "#1c4a20"),
    ("turquoise", "#00ffff"),
    ("turquoise", "#2aa8a4"),
    ("dark turquoise", "#0c5458"),
    ("light blue", "#90c2ec"),
    ("blue", "#0000ff"),
    ("blue", "#2d6cc8"),
    ("dark blue", "#16245c"),
    ("purple", "#7c2c9c"),
    ("dark purple", "#3c1650"),
    ("light purple", "#bba2e0"),
    ("magenta", "#ff00ff"),
    ("magenta", "#c8208c"),
    ("pink", "#f49ab8"),
    ("pink", "#ffc8d2"),
)
"""Colours that a name stands for; whatever is no grey has the name of the nearest."""

_LEAST_CHROMA = 0.03
_LEAST_LIGHTNESS = 0.15
"""In Oklab; whatever has less of either passes for grey."""


def dominant_colours(image: Image.Image) -> tuple[Colour, ...]:
    """Give up to five colours with their shares, largest first; those below 3 % are left out.

    Args:
        image: red, green and blue, as `sample` gave it.
    """
    pixels = np.asarray(image, dtype=np.uint8).reshape(-1, 3)
    names, number_of = _names()
    numbers = number_of[_cell(pixels)]
    counts = np.bincount(numbers, minlength=len(names))
    order = [number for number in np.argsort(-counts, kind="stable")[:_MOST] if counts[number]]
    shares = [(number, counts[number] / len(pixels)) for number in order]
    return tuple(
        Colour(names[number], _code(pixels[numbers == number]), round(float(share), 4))
        for number, share in shares
        if share >= _SMALLEST_SHARE or number == order[0]
    )


def sample(image: Image.Image) -> Image.Image:
    """Take pixels from all over a picture, unmixed."""
    return image.resize((min(_GRID, image.width), min(_GRID, image.height)), Image.Resampling.NEAREST)


def warm_up() -> None:
    """Calculate now what the first picture would wait for."""
    _names()


@lru_cache(maxsize=1)
def _names() -> tuple[list[str], NDArray[np.intp]]:
    """Give the names, and for each cell of the colour cube the number of its name."""
    named = [name for name, _ in (*_NEUTRAL, *_COLOURED)]
    names = list(dict.fromkeys(named))
    levels = (np.arange(1 << _BITS, dtype=np.float32) + 0.5) * (256 >> _BITS)
    cube = _oklab(np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3))
    is_grey = (np.hypot(cube[:, 1], cube[:, 2]) < _LEAST_CHROMA) | (cube[:, 0] < _LEAST_LIGHTNESS)
    nearest = np.where(is_grey, _nearest(cube, _NEUTRAL), len(_NEUTRAL) + _nearest(cube, _COLOURED))
    return names, np.array([names.index(name) for name in named])[nearest]


def _nearest(cube: NDArray[np.float32], anchors: tuple[tuple[str, str], ...]) -> NDArray[np.intp]:
    points = _oklab(np.array([list(bytes.fromhex(code[1:])) for _, code in anchors], dtype=np.float32))
    # ‖a − b‖² without a, which is the same for all
    return np.asarray(((points**2).sum(1) - 2 * cube @ points.T).argmin(1))


def _cell(pixels: NDArray[np.uint8]) -> NDArray[np.intp]:
    red, green, blue = (pixels[:, band].astype(np.intp) >> 8 - _BITS for band in range(3))
    return red << 2 * _BITS | green << _BITS | blue


def _code(pixels: NDArray[np.uint8]) -> str:
    return "#" + bytes(pixels.mean(axis=0).round().astype(np.uint8)).hex()


def _oklab(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring sRGB, 0 to 255, to Oklab, in which distances are about as they are seen.

    The matrices are those of Björn Ottosson, “A perceptual color space for image processing”, 2020.
    """
    shares = colours / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ _TO_CONES.T)
    return np.asarray(cones @ _TO_LAB.T, dtype=np.float32)


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=np.float32,
)
