"""Posting lists, and the exact search for the documents with the highest sums of weight × impact."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.index.maxscore import MaxScore, Rows, Sums, WeightedList


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best documents of a search, best first.

    Attributes:
        documents: row numbers, shape (hits,).
        scores: shape (hits,), descending, each above 0; equal scores stand in the order of their row numbers.
        contributions: what each query term adds to each score, shape (hits, query terms).
    """

    documents: NDArray[np.int64]
    scores: NDArray[np.float64]
    contributions: NDArray[np.float64]


class PostingLists:
    """For each term the documents it occurs in and what it is worth there; safe for any number of threads.

    Attributes:
        rows: number of documents.
        starts: where each term's list starts, and at last the end, shape (terms + 1,), int64.
        documents: row numbers, ascending within a list, shape (postings,), int32.
        impacts: above 0, shape (postings,), float32.
        peaks: the highest impact of each list, shape (terms,), float32.
    """

    ARRAYS = ("starts", "documents", "impacts", "peaks")

    def __init__(
        self,
        rows: int,
        starts: NDArray[np.int64],
        documents: NDArray[np.int32],
        impacts: NDArray[np.float32],
        peaks: NDArray[np.float32],
    ) -> None:
        self.starts = starts
        self.documents = documents
        self.impacts = impacts
        self.peaks = peaks
        self.rows = rows
        self._local = threading.local()

    def best(self, terms: list[int], weights: list[float], limit: int, among: range | None = None) -> Ranking:
        """Return the `limit` documents with the highest sums of weight × impact.

        Args:
            terms: distinct term numbers.
            weights: of each term, above 0.
            limit: 1 or more.
            among: the rows that are looked at, one after the other; None: all.
        """
        numbers = np.array(terms)
        begins, ends = self.starts.take(numbers), self.starts.take(numbers + 1)
        if among is not None:
            return self._best_among(terms, weights, limit, self._narrowed(begins, ends, among))
        return self._best(numbers, weights, limit, begins, ends)

    def _best_among(self, terms: list[int], weights: list[float], limit: int, bounds: tuple[Rows, Rows]) -> Ranking:
        """Return the best of what is left of each list; lists of which nothing is left contribute nothing."""
        begins, ends = bounds
        left = (begins < ends).nonzero()[0]
        if not len(left):
            return Ranking(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, len(terms))))
        found = self._best(np.array(terms)[left], [weights[i] for i in left], limit, begins[left], ends[left])
        contributions = np.zeros((len(found.documents), len(terms)))
        contributions[:, left] = found.contributions
        return Ranking(found.documents, found.scores, contributions)

    def _narrowed(self, begins: Rows, ends: Rows, among: range) -> tuple[Rows, Rows]:
        """Return where the postings of the rows `among` begin and end in each list."""
        bounds = np.array([among.start, among.stop], np.int32)
        lists = zip(begins.tolist(), ends.tolist(), strict=True)
        places = np.array([begin + self.documents[begin:end].searchsorted(bounds) for begin, end in lists])
        return places[:, 0], places[:, 1]

    def _best(self, numbers: Rows, weights: list[float], limit: int, begins: Rows, ends: Rows) -> Ranking:
        lists = self._weighted(numbers, weights, begins, ends)
        rows = self._candidates(lists, limit)
        wanted = rows.astype(np.int32)
        places = np.array([each.documents.searchsorted(wanted) for each in lists])
        places += begins[:, None]
        np.minimum(places, ends[:, None] - 1, out=places)
        impacts = self.impacts.take(places) * (self.documents.take(places) == wanted)
        return _rank(rows, impacts * np.array(weights)[:, None], limit)

    def _weighted(self, numbers: Rows, weights: list[float], begins: Rows, ends: Rows) -> list[WeightedList]:
        peaks = self.peaks.take(numbers).tolist()
        return [
            WeightedList(weight * peak, weight, self.documents[begin:end], self.impacts[begin:end])
            for weight, peak, begin, end in zip(weights, peaks, begins.tolist(), ends.tolist(), strict=True)
        ]

    def _candidates(self, lists: list[WeightedList], limit: int) -> Rows:
        # Taken out of its place meanwhile, so that a search that fails leaves no half-summed array behind.
        sums: Sums | None = self._local.__dict__.pop("sums", None)
        if sums is None:
            sums = np.zeros(self.rows, np.float32)
        rows = MaxScore(lists, limit, sums).run()
        self._local.sums = sums
        return rows


def _rank(rows: Rows, contributions: NDArray[np.float64], limit: int) -> Ranking:
    """Order ascending `rows` by their contributions, shape (query terms, rows)."""
    scores = contributions.sum(axis=0)
    order = (-scores).argsort(kind="stable")[:limit]
    return Ranking(rows.take(order), scores.take(order), contributions.take(order, axis=1).T)
