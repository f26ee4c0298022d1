"""Finds the pairs of pictures that are nearly the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1_024
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class NearlySame:
    """Pairs of pictures by their numbers, most alike first, with the cosine of their embeddings.

    Attributes:
        pairs: the first of them.
        count: how many there are.
    """

    pairs: tuple[tuple[int, int, float], ...]
    count: int


def nearly_same(embeddings: NDArray[np.float32], likeness: float, most: int = 200) -> NearlySame:
    """Find the pairs of pictures that are nearly the same; memory is bounded, however many they are.

    Args:
        embeddings: L2-normalised, shaped [pictures, width].
        likeness: the cosine from which on two count as the same, to 1.
        most: pairs that are named; all are counted.
    """
    count = 0
    pairs: list[tuple[int, int, float]] = []
    for start in range(0, len(embeddings), _BLOCK):
        for found in _between(embeddings, start, likeness):
            count += len(found[0])
            pairs = sorted([*pairs, *_most_alike(*found, most)], key=lambda pair: (-pair[2], pair[:2]))[:most]
    return NearlySame(tuple(pairs), count)


_Found = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]


def _between(embeddings: NDArray[np.float32], start: int, likeness: float) -> list[_Found]:
    """Compare a block of pictures with itself and with all blocks behind it."""
    block = embeddings[start : start + _BLOCK]
    found = []
    for other in range(start, len(embeddings), _BLOCK):
        cosines = block @ embeddings[other : other + _BLOCK].T
        if other == start:
            cosines[np.tril_indices(len(block))] = -1.0
        rows, columns = np.nonzero(cosines >= likeness - _ROUNDING)
        found.append((rows + start, columns + other, cosines[rows, columns]))
    return found


def _most_alike(
    rows: NDArray[np.intp], columns: NDArray[np.intp], cosines: NDArray[np.float32], most: int
) -> list[tuple[int, int, float]]:
    first = np.argsort(-cosines, kind="stable")[:most]
    return [(int(rows[at]), int(columns[at]), min(1.0, float(cosines[at]))) for at in first]
