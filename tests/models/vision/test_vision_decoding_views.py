"""Views are to the byte what the image processors of Transformers make of the same picture."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.errors import PictureError
from models.vision.decoding.contract import View
from models.vision.decoding.decoder import Decoder
from models.vision.decoding.shapes import shape

_SIZES = [(640, 427), (427, 640), (300, 300), (37, 201), (1_000, 333), (5, 3)]


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


def _noise(size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _saved(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _processed(image: Image.Image, **options: Any) -> Any:
    transforms = pytest.importorskip("transformers.image_transforms")
    pixels = np.asarray(image)
    if edge := options.get("shortest_edge"):
        size = transforms.get_resize_output_image_size(
            pixels, edge, default_to_square=False, input_data_format="channels_last"
        )
    else:
        size = options["size"]
    pixels = transforms.resize(pixels, size, resample=options.get("resample", 2), input_data_format="channels_last")
    if crop := options.get("crop"):
        pixels = transforms.center_crop(pixels, crop, input_data_format="channels_last")
    return pixels


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("resample", [0, 1, 2, 3, 4, 5])
def test_a_stretched_view_is_that_of_transformers(decoder: Decoder, size: tuple[int, int], resample: int) -> None:
    image = _noise(size)
    (seen,) = decoder.decode(_saved(image), (View(64, 96, resample=resample),)).views
    assert (seen == _processed(image, size=(64, 96), resample=resample)).all()


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("edge", [100, 101, 7])
@pytest.mark.parametrize("crop", [None, (64, 64), (65, 31), (120, 90), (99, 140)])
def test_a_view_with_its_proportions_kept_and_its_middle_cut_out_is_that_of_transformers(
    decoder: Decoder, size: tuple[int, int], edge: int, crop: tuple[int, int] | None
) -> None:
    image = _noise(size)
    view = View(0, 0, shortest_edge=edge, crop=crop, resample=3)
    (seen,) = decoder.decode(_saved(image), (view,)).views
    assert seen.shape == shape(view, *size)
    assert (seen == _processed(image, shortest_edge=edge, crop=crop, resample=3)).all()


def test_several_views_come_in_their_order(decoder: Decoder) -> None:
    views = (View(3, 4), View(0, 0, shortest_edge=10), View(20, 20, crop=(5, 6)))
    decoded = decoder.decode(_saved(_noise((30, 20))), views)
    assert [view.shape for view in decoded.views] == [(3, 4, 3), (10, 15, 3), (5, 6, 3)]


def test_a_view_of_the_whole_picture_is_given_where_it_is_asked_for(decoder: Decoder) -> None:
    image = _noise((700, 500))
    (seen,) = decoder.decode(_saved(image), (View(500, 700),)).views
    assert (seen == np.asarray(image)).all()


def test_a_view_without_a_pixel_is_refused(decoder: Decoder) -> None:
    with pytest.raises(PictureError):
        decoder.decode(_saved(_noise((4, 4))), (View(0, 0),))
