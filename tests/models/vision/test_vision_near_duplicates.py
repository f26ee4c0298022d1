"""Which pictures count as nearly the same, and which do not."""

import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import skimage
from drawn_shapes import SHAPES, shape
from PIL import Image, ImageEnhance
from sklearn.datasets import load_sample_images

from models.vision.training.near_duplicates import SMALL, Likeness, signature_of

PHOTOGRAPHS = ("astronaut.png", "coffee.png", "chelsea.png", "coins.png", "rocket.jpg", "page.png")


def photographs() -> list[Image.Image]:
    folder = Path(skimage.__file__).parent / "data"
    kept = [Image.open(folder / name).convert("RGB") for name in PHOTOGRAPHS if (folder / name).is_file()]
    return kept + [Image.fromarray(one) for one in load_sample_images().images]


def groups(pictures: Sequence[Image.Image], least: float | None = None) -> list[int]:
    size = (SMALL.width, SMALL.height)
    small = [np.asarray(one.convert("RGB").resize(size, Image.Resampling.LANCZOS)) for one in pictures]
    signatures = [signature_of(one) for one in small]
    hashes = np.array([one.hash for one in signatures], dtype=np.uint64)
    likeness = Likeness(hashes, np.array([one.thumbnail for one in signatures]))
    rows = np.arange(len(pictures))
    return (likeness.groups(rows) if least is None else likeness.groups(rows, least)).tolist()


def recompressed(picture: Image.Image, quality: int) -> Image.Image:
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=quality)
    return Image.open(kept)


def resized(picture: Image.Image, share: float) -> Image.Image:
    return picture.resize((int(picture.width * share), int(picture.height * share)), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: resized(picture, 0.5),
        lambda picture: resized(picture, 1.7),
        lambda picture: recompressed(picture, 25),
        lambda picture: recompressed(resized(picture, 0.4), 60),
        lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
        lambda picture: ImageEnhance.Contrast(picture).enhance(0.8),
        lambda picture: picture.resize((picture.width, picture.height // 2)),
    ],
    ids=["half", "larger", "recompressed", "small and recompressed", "lighter", "flatter", "squeezed"],
)
def test_a_copy_of_a_photograph_goes_with_it_and_other_photographs_do_not(
    change: Callable[[Image.Image], Image.Image],
) -> None:
    pictures = photographs()
    found = groups(pictures + [change(one) for one in pictures])
    assert found == [*range(len(pictures)), *range(len(pictures))]


def test_drawn_shapes_that_differ_in_place_or_colour_alone_stay_apart() -> None:
    chance = random.Random(0)
    drawn = [shape(name, chance) for name in SHAPES for _ in range(20)]
    assert len(set(groups(drawn))) >= 58
    red, green = (Image.new("RGB", (64, 64), "white") for _ in range(2))
    red.paste("red", (20, 20, 44, 44))
    green.paste("green", (20, 20, 44, 44))
    assert groups([red, green]) == [0, 1]


def test_pictures_of_one_colour_go_together_by_their_colour_alone() -> None:
    colours = [(200, 0, 0), (203, 2, 1), (0, 0, 200), (255, 255, 255), (0, 0, 0)]
    plain = [Image.new("RGB", (50, 50), colour) for colour in colours]
    assert groups([*plain, photographs()[0]]) == [0, 0, 1, 2, 3, 4]


def test_a_chain_of_copies_is_one_group_and_a_stricter_look_takes_it_apart() -> None:
    first = photographs()[0]
    chain = [first, ImageEnhance.Color(first).enhance(0.75), ImageEnhance.Color(first).enhance(0.5)]
    assert groups(chain) == [0, 0, 0]
    assert len(set(groups(chain, 0.9999))) > 1
