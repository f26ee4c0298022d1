"""A model's own image processor, taken apart: how a picture is laid out for it, and what number each value becomes.

A processor resizes, crops, rescales and normalises. The first two are a `View`, which the decoder makes; the others
turn each of the 256 values of a channel into one number, and are asked of the processor itself, once. That both
together give the processor's own result to the last bit is seen while it is loaded, on pictures of noise; one that does
anything else (tiles, other channels, padding) is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoImageProcessor

from models.errors import ModelUnusableError
from models.vision.decoding.contract import View
from models.vision.decoding.layout import laid_out
from models.vision.loading import UNLOADABLE, unloadable

_CHANNELS = 3
_LARGEST = 2_048
"""Pixels on each side of a view; a processor that asks for more is damaged, or not meant for this."""

_PROBES = ((97, 61), (61, 97), (640, 427))
_EDGE_FROM_WHICH_NOTHING_IS_CROPPED = 384  # ConvNeXT's processor, by its documentation of crop_pct
_BILINEAR = int(Image.Resampling.BILINEAR)


class ImageProcessor(Protocol):
    """One of transformers' image processors."""

    def __call__(self, images: Any, /, **options: Any) -> Any:  # noqa: ANN401 - as the library has it
        """Give ``pixel_values`` for pictures."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """How pictures are made ready for a model.

    Attributes:
        view: how they are laid out.
        table: what each value becomes, shaped [3, 256].
    """

    view: View
    table: NDArray[np.float32]

    def values(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give ``pixel_values``, shaped [pictures, 3, height, width], of pixels shaped [pictures, height, width, 3]."""
        count, height, width, _ = pixels.shape
        values = np.empty((count, _CHANNELS, height, width), np.float32)
        for picture, prepared in zip(pixels, values, strict=True):
            for channel in range(_CHANNELS):
                np.take(self.table[channel], picture[:, :, channel], out=prepared[channel], mode="clip")
        return values

    def blank(self) -> NDArray[np.uint8]:
        """Give the pixels of one black picture, to try a model with."""
        height, width = self.view.crop or (self.view.height, self.view.width)
        return np.zeros((1, height, width, _CHANNELS), np.uint8)


def loaded_preparation(folder: Path, name: str) -> Preparation:
    """Load a model's image processor and take it apart.

    Args:
        folder: where ``preprocessor_config.json`` or ``processor_config.json`` lies.
        name: what errors call the model.

    Raises:
        ModelUnusableError: there is none, or it lays pictures out in a way that is not known here.
    """
    try:
        processor = AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            str(folder), backend="pil", local_files_only=True, trust_remote_code=False
        )
        return preparation_of(processor, name)
    except UNLOADABLE as error:
        raise unloadable(name, error) from error


def preparation_of(processor: ImageProcessor, name: str) -> Preparation:
    """Take an image processor apart, and see that the parts give what it gives.

    Raises:
        ModelUnusableError: it lays pictures out in a way that is not known here.
    """
    table = _table(processor)
    for view in _possible_views(processor):
        preparation = Preparation(view, table)
        if all(_gives_the_same(processor, preparation, size) for size in _PROBES):
            return preparation
    raise ModelUnusableError(
        f"{name} wants pictures laid out in a way that is not known here ({type(processor).__name__}).",
        "Choose a model whose processor resizes to one size, with or without cutting to the middle.",
    )


def _possible_views(processor: ImageProcessor) -> Iterator[View]:
    """Read the views that a processor's settings may mean; none where it does not resize to one size."""
    size, crop = _sides(processor, "size"), _crop(processor)
    told = getattr(processor, "resample", None)
    resample = _BILINEAR if told is None else int(told)
    edge = size.get("shortest_edge", 0)
    if not getattr(processor, "do_resize", False) or not all(0 < side <= _LARGEST for side in size.values()):
        return
    if size.keys() == {"height", "width"}:
        yield View(size["height"], size["width"], crop=crop, resample=resample)
    if size.keys() == {"shortest_edge"} and crop is not None:
        yield View(0, 0, edge, crop, resample)
    if size.keys() == {"shortest_edge"} and (share := getattr(processor, "crop_pct", None)):
        if edge >= _EDGE_FROM_WHICH_NOTHING_IS_CROPPED:
            yield View(edge, edge, crop=crop, resample=resample)
        yield View(0, 0, int(edge / share), (edge, edge), resample)


def _crop(processor: ImageProcessor) -> tuple[int, int] | None:
    if not getattr(processor, "do_center_crop", False):
        return None
    sides = _sides(processor, "crop_size")
    crop = sides.get("height", 0), sides.get("width", 0)
    return crop if all(0 < side <= _LARGEST for side in crop) else None


def _sides(processor: ImageProcessor, attribute: str) -> dict[str, int]:
    stated = getattr(processor, attribute, None)
    return {key: int(side) for key, side in dict(stated).items() if side} if stated else {}


def _table(processor: ImageProcessor) -> NDArray[np.float32]:
    """Ask the processor what it makes of each value of each channel, shaped [3, 256]."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), _CHANNELS, axis=2)
    as_it_is = {"do_resize": False, "do_center_crop": False, "do_pad": False}
    return _asked(processor, Image.fromarray(ramp), **as_it_is).reshape(_CHANNELS, 256)


def _gives_the_same(processor: ImageProcessor, preparation: Preparation, size: tuple[int, int]) -> bool:
    width, height = size
    noise = np.random.default_rng(0).integers(0, 256, (height, width, _CHANNELS), np.uint8)
    picture = Image.fromarray(noise)
    laid = np.asarray(laid_out(picture, preparation.view, lambda image: image))
    return bool(np.array_equal(preparation.values(laid[None]), _asked(processor, picture)))


def _asked(processor: ImageProcessor, picture: Image.Image, **options: bool) -> NDArray[np.float32]:
    values = processor([picture], return_tensors="np", **options)["pixel_values"]
    return cast(NDArray[np.float32], np.asarray(values, np.float32))
