"""MaxScore (Turtle & Flood, 1995) on arrays: an exact search that leaves most postings of frequent terms unread."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Sums = NDArray[np.float32]

_FIRST_BATCH = 1024
_BATCH_GROWTH = 4
_BLOCK = 32
_LOOK_UP_COST = 24
"""Looking one row up in a list takes about as long as adding this many postings of it."""

_SLACK = 1e-5
"""Sums are kept in single precision: a bound must be missed by more than this share to count as missed."""


class WeightedList(NamedTuple):
    """The posting list of one query term.

    Attributes:
        bound: the most it can add to a document, weight × highest impact.
        weight: of the term in the query.
        documents: row numbers, ascending, int32.
        impacts: float32, not yet weighted.
    """

    bound: float
    weight: float
    documents: NDArray[np.int32]
    impacts: NDArray[np.float32]

    def weighted(self) -> NDArray[np.float32]:
        """Return weight × impact of each posting."""
        return self.impacts if self.weight == 1 else self.impacts * np.float32(self.weight)


class MaxScore:
    """One search, for the documents with the highest sums over a few lists.

    Whole lists are summed, the strongest first, until what the others can still add would not lift a document not
    met so far to the floor, which is the `limit`-th highest sum known. From then on only the documents that can
    still reach the floor are looked up in the other lists, and after each list fewer can.
    """

    __slots__ = ("_floor", "_limit", "_lists", "_rest", "_sums", "_touched")

    def __init__(self, lists: list[WeightedList], limit: int, sums: Sums) -> None:
        """Prepare a search.

        Args:
            lists: at least one.
            limit: how many documents are wanted, 1 or more.
            sums: zeros, one per document; zeros again after `run`.
        """
        self._lists = sorted(lists, key=_strength)
        self._limit = limit
        self._sums = sums
        self._touched: list[Rows] = []
        self._floor = 0.0
        self._rest = [0.0]
        for each in reversed(self._lists):
            self._rest.append(self._rest[-1] + each.bound * (1 + _SLACK))
        self._rest.reverse()

    def run(self) -> Rows:
        """Return, ascending, the rows of the `limit` best documents and of all that tie with the last of them."""
        met = self._gather()
        touched = self._touched[0] if len(self._touched) == 1 else np.concatenate(self._touched)
        rows = _distinct(self._contenders(touched, self._sums.take(touched), met))
        for position, weighted in enumerate(self._lists[met:], met + 1):
            self._add_to(rows, weighted)
            sums = self._sums.take(rows)
            self._raise_floor(sums.copy())
            rows = self._contenders(rows, sums, position)
        self._clear()
        return rows

    def _gather(self) -> int:
        """Sum whole lists until no document outside them can win; return how many were summed."""
        position, size = 0, _FIRST_BATCH
        while position < len(self._lists) and self._rest[position] >= self._floor * (1 - _SLACK):
            end = self._batch_end(position, size)
            rows = self._add_whole(self._lists[position:end])
            # The rows of one list are distinct, so that they need no sorting out.
            self._raise_floor(self._sums.take(rows[-len(self._lists[end - 1].documents) :]))
            position, size = end, size * _BATCH_GROWTH
        return position

    def _batch_end(self, position: int, size: int) -> int:
        """Return where a batch ends that starts at `position` and has about `size` postings."""
        end = position + 1
        size -= len(self._lists[position].documents)
        while end < len(self._lists) and size >= len(self._lists[end].documents):
            size -= len(self._lists[end].documents)
            end += 1
        return end

    def _add_whole(self, lists: list[WeightedList]) -> Rows:
        if len(lists) == 1:
            rows, added = lists[0].documents.astype(np.int64), lists[0].weighted()
        else:
            rows = np.concatenate([each.documents for each in lists], dtype=np.int64)
            added = np.concatenate([each.weighted() for each in lists])
        np.add.at(self._sums, rows, added)
        self._touched.append(rows)
        return rows

    def _add_to(self, rows: Rows, weighted: WeightedList) -> None:
        """Add one list to the sums of `rows`, which are distinct and ascending."""
        if len(weighted.documents) < _LOOK_UP_COST * len(rows):
            self._add_whole([weighted])
            return
        places = weighted.documents.searchsorted(rows.astype(np.int32))
        found = (weighted.documents.take(places, mode="clip") == rows).nonzero()[0]
        impacts = weighted.impacts.take(places[found])
        self._sums[rows[found]] += impacts * np.float32(weighted.weight)

    def _contenders(self, rows: Rows, sums: Sums, position: int) -> Rows:
        """Keep the rows that the lists from `position` on may lift to the floor."""
        kept: Rows = rows.compress(sums >= self._floor * (1 - _SLACK) - self._rest[position])
        return kept

    def _raise_floor(self, sums: Sums) -> None:
        """Raise the floor to the `limit`-th highest of the sums of distinct documents, which are reordered."""
        if len(sums) > 2 * _BLOCK * self._limit:
            # Selecting is dear in long arrays: what is below the highest of the block maxima is dropped first.
            maxima = sums[: len(sums) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).max(axis=1)
            sums = sums.compress(sums >= _nth_highest(maxima, self._limit))
        if len(sums) >= self._limit:
            self._floor = max(self._floor, _nth_highest(sums, self._limit))

    def _clear(self) -> None:
        if sum(map(len, self._touched)) > len(self._sums) // 16:
            self._sums.fill(0)
            return
        for rows in self._touched:
            self._sums[rows] = 0


def _strength(weighted: WeightedList) -> float:
    return -weighted.bound


def _nth_highest(values: Sums, n: int) -> float:
    """Return the `n`-th highest value; reorders `values`."""
    values.partition(len(values) - n)
    return float(values[len(values) - n])


def _distinct(rows: Rows) -> Rows:
    """Return the distinct rows, ascending."""
    ordered = np.sort(rows)
    changes = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=changes[1:])
    kept: Rows = ordered.compress(changes)
    return kept
