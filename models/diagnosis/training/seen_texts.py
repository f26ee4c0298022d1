"""Remembers which texts a model was trained on, as hashes, so that it is not praised for knowing them later."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.data.reading import key

_FILE = "seen_texts.txt"


def write_seen(texts: Sequence[str], folder: Path) -> None:
    """Keep what a model was trained on and calibrated by; the hashes give no text away.

    Raises:
        OSError: it cannot be written.
    """
    (folder / _FILE).write_text("".join(f"{one}\n" for one in sorted(map(_hash, texts))), encoding="ascii")


def unseen(texts: Sequence[str], folder: Path) -> NDArray[np.int64]:
    """Give the numbers, from 0, of the texts that the model in `folder` is not known to have been trained on."""
    try:
        seen = set((folder / _FILE).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        seen = set()
    return np.array([row for row, text in enumerate(texts) if _hash(text) not in seen], dtype=np.int64)


def _hash(text: str) -> str:
    return hashlib.sha256(key(text).encode()).hexdigest()[:24]
