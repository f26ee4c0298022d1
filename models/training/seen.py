"""Remembers what a model was trained on, as hashes, so that it is not praised for knowing it later."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_DIGITS = 24


def write_seen(keys: Sequence[bytes], file: Path, base: Path) -> None:
    """Keep what a model was trained on and calibrated by; the hashes give nothing of it away.

    Args:
        keys: what tells an example from others, of those it was trained on and calibrated by.
        file: where, in the model's folder.
        base: the same file of what it was made from, which may have been trained here, too: what that knows, it knows.

    Raises:
        OSError: it cannot be written.
    """
    known = sorted(_seen(base).union(map(_hash, keys)))
    file.write_text("".join(f"{one}\n" for one in known), encoding="ascii")


def unseen(keys: Sequence[bytes], file: Path) -> NDArray[np.int64]:
    """Give the numbers, from 0, of the examples that the model of that file is not known to have been trained on."""
    seen = _seen(file)
    return np.array([row for row, one in enumerate(keys) if _hash(one) not in seen], dtype=np.int64)


def _seen(file: Path) -> set[str]:
    try:
        return set(file.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return set()


def _hash(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:_DIGITS]
