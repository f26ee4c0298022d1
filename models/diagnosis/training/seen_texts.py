"""Remembers which texts a model was trained on, as hashes, so that it is not praised for knowing them later."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.data.reading import key

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
    known = sorted(_seen(base).union(map(_hash, texts)))
    (folder / _FILE).write_text("".join(f"{one}\n" for one in known), encoding="ascii")


def unseen(texts: Sequence[str], folder: Path) -> NDArray[np.int64]:
    """Give the numbers, from 0, of the texts that the model in `folder` is not known to have been trained on."""
    seen = _seen(folder)
    return np.array([row for row, text in enumerate(texts) if _hash(text) not in seen], dtype=np.int64)


def _seen(folder: Path) -> set[str]:
    try:
        return set((folder / _FILE).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return set()


def _hash(text: str) -> str:
    return hashlib.sha256(key(text).encode()).hexdigest()[:24]
