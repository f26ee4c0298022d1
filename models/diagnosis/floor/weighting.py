"""Weighs the terms of texts: damped counts times inverse document frequency, of the terms of a training alone."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.floor.terms import terms_of

KINDS = ("stems", "pieces", "concepts")
"""The kinds of terms, as `terms_of` gives them."""

_SHARES = (1.0, 1.0, 0.7)
"""The length of a text's weights of each kind."""

_FEWEST_TEXTS = 2


class Rows(NamedTuple):
    """A sparse matrix [texts, terms]: text i has the terms ``numbers[starts[i]:starts[i + 1]]``, and their weights."""

    starts: NDArray[np.int32]
    numbers: NDArray[np.int32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TermWeights:
    """Terms of one kind, and how rare each is.

    Attributes:
        terms: their numbers are their places.
        rarity: the inverse document frequencies by number: ln((1 + texts) / (1 + texts with the term)) + 1.
    """

    terms: tuple[str, ...]
    rarity: NDArray[np.float32]

    @classmethod
    def of(cls, having: Counter[str], texts: int, most: int) -> "TermWeights":
        """Keep the terms that two texts have, of very many those that most have.

        Args:
            having: how many texts have each term.
            texts: how many there are.
            most: how many terms are kept at the most.
        """
        known = [term for term, those in having.items() if those >= _FEWEST_TEXTS]
        kept = tuple(sorted(known, key=lambda term: (-having[term], term))[:most])
        frequencies = np.array([having[term] for term in kept], np.float64)
        return cls(kept, (np.log((1 + texts) / (1 + frequencies)) + 1).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terms of all kinds.

    Attributes:
        kinds: the terms of each of `KINDS`; their numbers follow upon each other.
    """

    kinds: tuple[TermWeights, ...]
    _numbers: tuple[dict[str, int], ...] = field(init=False, repr=False, compare=False)
    _rarity: NDArray[np.float32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        firsts = np.cumsum([0, *(len(kind.terms) for kind in self.kinds)]).tolist()
        numbers = tuple(
            {term: number for number, term in enumerate(kind.terms, first)}
            for kind, first in zip(self.kinds, firsts, strict=False)
        )
        object.__setattr__(self, "_numbers", numbers)
        object.__setattr__(self, "_rarity", np.concatenate([kind.rarity for kind in self.kinds]))

    @classmethod
    def of(cls, texts: Sequence[str], most: int) -> "Vocabulary":
        """Learn the terms of texts, of each kind so many at the most."""
        having = tuple(Counter[str]() for _ in KINDS)
        for text in texts:
            for counter, terms in zip(having, terms_of(text), strict=True):
                counter.update(set(terms))
        return cls(tuple(TermWeights.of(counter, len(texts), most) for counter in having))

    def __len__(self) -> int:
        """Give how many terms there are."""
        return len(self._rarity)

    def rows(self, texts: Sequence[str]) -> Rows:
        """Weigh the terms of texts; those that are not known are passed over.

        A term weighs (1 + ln count) · rarity, as in scikit-learn's ``TfidfVectorizer(sublinear_tf=True)``. Then the
        weights of each kind in a text are brought to the kind's share of length, however many they are.
        """
        numbers, counts = array("i"), array("i")
        lengths = []
        for text in texts:
            for known, terms in zip(self._numbers, terms_of(text), strict=True):
                counted = Counter(map(known.get, terms))
                del counted[None]
                numbers.extend(cast(Counter[int], counted))
                counts.extend(counted.values())
                lengths.append(len(counted))
        terms_told = np.frombuffer(numbers, np.int32) if numbers else np.empty(0, np.int32)
        damped = 1 + np.log(np.array(counts, np.float32))
        # Contiguous, as liblinear wants it.
        starts = np.cumsum([0, *lengths], dtype=np.int32)[:: len(KINDS)].copy()
        return Rows(starts, terms_told, _of_share(damped * self._rarity[terms_told], np.array(lengths, np.int64)))


def _of_share(weights: NDArray[np.float32], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    """Bring each run of weights to its kind's share; the runs are of the kinds in turn."""
    run = np.repeat(np.arange(len(lengths)), lengths)
    square = np.bincount(run, weights=np.square(weights), minlength=len(lengths))
    shares = np.tile(_SHARES, len(lengths) // len(KINDS))
    factors = np.divide(shares, np.sqrt(square), out=np.zeros(len(lengths)), where=square > 0)
    weighted: NDArray[np.float32] = weights * factors[run].astype(np.float32)
    return weighted
