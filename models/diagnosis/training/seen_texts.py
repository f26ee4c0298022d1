"""Remembers which texts a model was trained on, as hashes, so that it is not praised for knowing them later."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.data.reading import key
from models.training import seen

_FILE = "seen_texts.txt"


def write_seen(texts: Sequence[str], folder: Path, base: Path) -> None:
    """Keep what a model was trained on and calibrated by; the hashes give no text away.

    Args:
        texts: those it was trained on and calibrated by.
        folder: of the model.
        base: the folder of what it was made from, which may have been trained here, too: what that knows, it knows.

    Raises:
        OSError: it cannot be written.
    """
    seen.write_seen(_keys(texts), folder / _FILE, base / _FILE)


def unseen(texts: Sequence[str], folder: Path) -> NDArray[np.int64]:
    """Give the numbers, from 0, of the texts that the model in `folder` is not known to have been trained on."""
    return seen.unseen(_keys(texts), folder / _FILE)


def _keys(texts: Sequence[str]) -> list[bytes]:
    return [key(text).encode() for text in texts]
