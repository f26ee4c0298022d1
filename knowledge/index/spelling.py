"""Nearest known words for a misspelt one: candidates by shared character trigrams, confirmed by edit distance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.index.vocabulary import packed

SHORTEST_WORD = 4
"""Letters below which a word has too many neighbours to be corrected."""

_CANDIDATES = 40
_FIRST, _SECOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)
_TWO_EDITS_FROM = 8


@dataclass(frozen=True, slots=True)
class Correction:
    """A known word close to a misspelt one.

    Attributes:
        word: the known word.
        term: the number of its index term.
        edits: letters inserted, deleted, changed or swapped with their neighbour, 1 or 2.
    """

    word: str
    term: int
    edits: int


class SpellingIndex:
    """The words of a collection, found by their trigrams.

    Attributes:
        offsets: where each word starts in `blob`, and at last its end, shape (words + 1,), int64.
        blob: the words' UTF-8 bytes, shape (bytes,), uint8.
        terms: the number of each word's index term, shape (words,), int32.
        lengths: trigrams in each word, shape (words,), uint8.
        trigrams: hash of each distinct trigram, ascending, shape (trigrams,), uint32.
        starts: where each trigram's list starts in `members`, shape (trigrams + 1,), int64.
        members: numbers of the words that hold a trigram, shape (postings,), int32.
    """

    ARRAYS = ("offsets", "blob", "terms", "lengths", "trigrams", "starts", "members")

    def __init__(
        self,
        offsets: NDArray[np.int64],
        blob: NDArray[np.uint8],
        terms: NDArray[np.int32],
        lengths: NDArray[np.uint8],
        trigrams: NDArray[np.uint32],
        starts: NDArray[np.int64],
        members: NDArray[np.int32],
    ) -> None:
        self.offsets = offsets
        self.blob = blob
        self.terms = terms
        self.lengths = lengths
        self.trigrams = trigrams
        self.starts = starts
        self.members = members
        self._text = blob.data

    @classmethod
    def of(cls, words: Sequence[str], terms: Sequence[int]) -> "SpellingIndex":
        """Return an index of distinct `correctable` words, each with the number of its index term."""
        hashes, owners = _trigrams(words)
        order = np.argsort(hashes, kind="stable")
        trigrams, starts = np.unique(hashes[order], return_index=True)
        return cls(
            *packed(words),
            np.array(terms, np.int32),
            np.bincount(owners, minlength=len(words)).astype(np.uint8),
            trigrams,
            np.append(starts, len(hashes)).astype(np.int64),
            owners[order],
        )

    def __len__(self) -> int:
        return len(self.terms)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays it consists of, by name."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def nearest(self, word: str, limit: int = 3) -> list[Correction]:
        """Return known words at the smallest edit distance from `word`, the likeliest first.

        One edit is allowed, two in words of eight letters or more.

        Args:
            word: normalised, not itself a known word.
            limit: most corrections to return, 1 or more; they have distinct terms.
        """
        if not correctable(word) or not len(self):
            return []
        allowed = 2 if len(word) >= _TWO_EDITS_FROM else 1
        near = []
        for rank, number in enumerate(self._candidates(word)):
            known = self._word(number)
            edits = edit_distance(word, known, allowed)
            if edits <= allowed:
                near.append((edits, rank, Correction(known, int(self.terms[number]), edits)))
        return _distinct([correction for _, _, correction in sorted(near, key=lambda c: c[:2])], limit)

    def _candidates(self, word: str) -> list[int]:
        """Return the numbers of the words most like `word`, by Dice's coefficient of their trigrams."""
        wanted, _ = _trigrams([word])
        places = np.minimum(self.trigrams.searchsorted(wanted), len(self.trigrams) - 1)
        places = places[self.trigrams[places] == wanted]
        if not len(places):
            return []
        lists = [self.members[self.starts[place] : self.starts[place + 1]] for place in places.tolist()]
        shared = np.bincount(np.concatenate(lists), minlength=len(self))
        numbers = np.flatnonzero(shared)
        dice = 2 * shared[numbers] / (len(wanted) + self.lengths[numbers].astype(np.int64))
        best: list[int] = numbers[np.lexsort((numbers, -dice))[:_CANDIDATES]].tolist()
        return best

    def _word(self, number: int) -> str:
        return bytes(self._text[self.offsets[number] : self.offsets[number + 1]]).decode(errors="replace")


def correctable(word: str) -> bool:
    """Whether a normalised word is long enough, and all letters."""
    return len(word) >= SHORTEST_WORD and word.isalpha()


def _trigrams(words: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return the hashes of the distinct trigrams of each word, bounds included, and the number of their word."""
    signs = np.frombuffer("".join(f"^{word}$" for word in words).encode("utf-32-le"), np.uint32)
    # A trigram starts at every sign of a word but its last two; the products wrap around, as a hash may.
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    owners = np.repeat(np.arange(len(words)), lengths)
    starts = np.arange(len(owners)) + 2 * owners
    hashes = (signs[starts] * _FIRST + signs[starts + 1] * _SECOND) ^ signs[starts + 2]
    keys = np.sort(owners << 32 | hashes)
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return (keys & 0xFFFFFFFF).astype(np.uint32), (keys >> 32).astype(np.int32)


def edit_distance(one: str, other: str, most: int) -> int:
    """Return the optimal string alignment distance (Damerau–Levenshtein, no part edited twice).

    What is more than `most` is given as `most` + 1.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, sign in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != sign))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == sign:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(last) > most:
            return most + 1
        before, last = last, row
    return min(last[-1], most + 1)


def _distinct(corrections: list[Correction], limit: int) -> list[Correction]:
    """Return the corrections with the fewest edits, one a term."""
    by_term: dict[int, Correction] = {}
    for correction in corrections:
        if correction.edits == corrections[0].edits:
            by_term.setdefault(correction.term, correction)
    return list(by_term.values())[:limit]
