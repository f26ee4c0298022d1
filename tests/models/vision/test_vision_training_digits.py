"""scikit-learn's handwritten digits as pictures: a real ViT-tiny learns them, by its head alone and fine-tuned."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from models.store.checkpoints import judged
from models.store.model_store import ModelStore
from models.vision.decoding.decoder import Decoder
from models.vision.training.folders import find_pictures
from models.vision.training.options import ImageTrainingOptions
from models.vision.training.order import Order, Outcome
from models.vision.training.run import train

VIT_TINY = Path(__file__).parents[3].parent / "shared" / "models" / "vit-tiny-patch16-224"

pytestmark = pytest.mark.skipif(not VIT_TINY.is_dir(), reason="needs the weights of ViT-tiny, which are not shipped")


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


def digits(folder: Path, classes: int, each: int) -> Path:
    """Draw digits, dark on white, in one folder for each."""
    found = load_digits()
    for digit in range(classes):
        (folder / str(digit)).mkdir(parents=True)
        for number in np.flatnonzero(found.target == digit)[:each]:
            grey = 255 - np.rint(found.images[number] * 255 / 16).astype(np.uint8)
            picture = Image.fromarray(grey).resize((96, 96), Image.Resampling.BICUBIC)
            picture.save(folder / str(digit) / f"{number}.png")
    return folder


def trained(data: Path, folder: Path, decoder: Decoder, options: ImageTrainingOptions) -> Outcome:
    order = Order(find_pictures(data), judged(VIT_TINY, "vit-tiny"), "digits", options)
    return train(order, ModelStore(folder), decoder, lambda *told: None, Event())


@pytest.mark.slow
def test_a_head_on_vit_tiny_tells_digits_apart_that_it_has_not_seen(tmp_path: Path, decoder: Decoder) -> None:
    data = digits(tmp_path / "digits", 4, 20)
    outcome = trained(data, tmp_path / "models", decoder, ImageTrainingOptions(augmentation=False, threads=1))
    assert outcome.labels == ("0", "1", "2", "3")
    assert 12 <= outcome.honest.examples <= 20
    assert outcome.honest.accuracy >= 0.85


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_fine_tuning_its_last_blocks_tells_them_apart_better(tmp_path: Path, decoder: Decoder) -> None:
    data = digits(tmp_path / "digits", 10, 60)
    options = ImageTrainingOptions(unfreeze=2, epochs=6, patience=2, threads=1)
    outcome = trained(data, tmp_path / "models", decoder, options)
    assert outcome.head is not None
    assert outcome.head.accuracy >= 0.88
    assert outcome.fine_tuned
    assert outcome.honest.accuracy >= outcome.head.accuracy
    assert outcome.honest.ece_after < 0.1
