"""Splits labelled examples into training, validation and test, those that are kept together on one side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
"""Numbers of examples, from 0, ascending."""

Regroup = Callable[[Rows, float], Rows]
"""Gives the number of the group, from 0, of each of some examples, at a stricter threshold."""

SHARES = (0.7, 0.1, 0.2)
"""Of the examples: for training, for validation, for test."""

_SIDES = 3
# A group with more of a label's examples than this leaves too few for the other sides.
_MOST_OF_A_LABEL = 0.6


@dataclass(frozen=True, slots=True)
class Families:
    """Which examples must stay together.

    Attributes:
        of: the number of each example's group, shaped [examples].
        near_duplicates: how many groups hold more than one example.
        loosened: examples whose group was taken apart at a stricter threshold, as it left a label none to be judged
            by; what is measured on them flatters.
    """

    of: Rows
    near_duplicates: int
    loosened: int


@dataclass(frozen=True, slots=True)
class Split:
    """The numbers of the examples on each side, ascending; each example is on one side."""

    training: Rows
    validation: Rows
    test: Rows

    @property
    def sides(self) -> tuple[Rows, Rows, Rows]:
        """All three."""
        return self.training, self.validation, self.test


def families(labels: Sequence[str], found: Rows, stricter: Sequence[float], regroup: Regroup) -> Families:
    """Take groups of near-duplicates apart where they leave a label too little for a side.

    Where the groups leave a label fewer of them than there are sides, or most of its examples in one, the groups in
    question are formed anew at the next stricter threshold, again and again, until they do not.

    Args:
        labels: of the examples.
        found: the number of each example's group, from 0, shaped [examples].
        stricter: thresholds to try, one after the other.
        regroup: forms groups anew; two examples that were apart before must stay apart.
    """
    numbered_labels = numbered(labels)
    found, loosened = found.copy(), np.zeros(len(found), dtype=np.bool_)
    for threshold in stricter:
        clumped = _clumped(found, numbered_labels)
        if not clumped.any():
            break
        rows = np.flatnonzero(clumped)
        loosened[rows] = True
        found[rows] = found.max() + 1 + regroup(rows, threshold)
    numbers = np.unique(found, return_inverse=True)[1]
    return Families(numbers, int((np.bincount(numbers) > 1).sum()) if len(numbers) else 0, int(loosened.sum()))


def split_together(together: Rows, labels: Sequence[str], shares: Sequence[float], seed: int) -> Split:
    """Split so that groups stay on one side, and each side has its share of each label as nearly as may be.

    A label with three groups or more is on every side; one with two is on the sides of training and test.

    Args:
        together: the number of each example's group, shaped [examples].
        labels: of the examples.
        shares: of training, validation and test; they sum to 1.
        seed: the same one gives the same split.
    """
    sides = assigned(together, numbered(labels), shares, seed)
    return Split(*(np.flatnonzero(sides == side) for side in range(_SIDES)))


def numbered(labels: Sequence[str]) -> Rows:
    """Give the labels' numbers, from 0 in their order, shaped [examples]."""
    return np.unique(np.asarray(labels, dtype=object), return_inverse=True)[1].astype(np.int64)


def _clumped(found: Rows, labels: Rows) -> NDArray[np.bool_]:
    """Which examples are in a group that leaves one of its labels too little for the other sides."""
    pairs, sizes = np.unique(np.stack([labels, found]), axis=1, return_counts=True)
    totals = np.bincount(labels)
    groups_of = np.bincount(pairs[0], minlength=len(totals))
    too_few = (groups_of < _SIDES)[pairs[0]] & (totals >= _SIDES)[pairs[0]]
    too_large = (sizes > _MOST_OF_A_LABEL * totals[pairs[0]]) & (totals[pairs[0]] > _SIDES)
    several = np.bincount(found)[pairs[1]] > 1
    clumps = pairs[1][(too_few | too_large) & several]
    return np.isin(found, clumps)


@dataclass(frozen=True, slots=True)
class _Group:
    """Examples that stay together: their numbers, their different labels, and how many of each."""

    rows: Rows
    labels: Rows
    counts: Rows


def _groups(together: Rows, labels: Rows) -> list[_Group]:
    order = np.argsort(together, kind="stable")
    cuts = np.flatnonzero(np.diff(together[order])) + 1
    return [_Group(rows, *np.unique(labels[rows], return_counts=True)) for rows in np.split(order, cuts) if len(rows)]


def assigned(together: Rows, labels: Rows, shares: Sequence[float], seed: int) -> Rows:
    """Give the number of the side of each example, from 0, shaped [examples]; the others as in `split_together`."""
    groups = _groups(together, labels)
    np.random.default_rng(seed).shuffle(groups)
    wanted = np.outer(shares, np.bincount(labels))
    filling = _Filling(wanted, np.zeros_like(wanted), np.zeros(len(groups), dtype=np.int64))
    for number, group in enumerate(groups):
        filling.put(number, group)
    filling.mend(groups)
    sides = np.empty(len(together), dtype=np.int64)
    for group, side in zip(groups, filling.sides, strict=True):
        sides[group.rows] = side
    return sides


@dataclass(frozen=True, slots=True)
class _Filling:
    """How many examples of each label each side wants and has, shaped [sides, labels], and the side of each group."""

    wanted: NDArray[np.float64]
    had: NDArray[np.float64]
    sides: Rows

    def put(self, number: int, group: _Group) -> None:
        """Give a group to the side that will then still lack the largest part of what it wants of its labels."""
        wanted = self.wanted[:, group.labels]
        lacking = (wanted - self.had[:, group.labels] - group.counts) / wanted
        side = int(np.argmax(lacking @ group.counts))
        self.had[side, group.labels] += group.counts
        self.sides[number] = side

    def mend(self, groups: Sequence[_Group]) -> None:
        """Where a side has none of a label, give it the smallest group that another side can spare."""
        of: dict[int, list[int]] = {}
        for number in sorted(range(len(groups)), key=lambda one: len(groups[one].rows)):
            for label in groups[number].labels:
                of.setdefault(int(label), []).append(number)
        # The last side before the middle ones: with two groups, better to train and test than not to test.
        for side in (0, *range(len(self.wanted) - 1, 0, -1)):
            for label in np.flatnonzero(self.had[side] == 0):
                self._fetch(side, of[int(label)], groups)

    def _fetch(self, side: int, candidates: Sequence[int], groups: Sequence[_Group]) -> None:
        for number in candidates:
            group, giver = groups[number], self.sides[number]
            left = self.had[giver, group.labels] - group.counts
            if (left > 0).all():
                self.had[giver, group.labels] = left
                self.had[side, group.labels] += group.counts
                self.sides[number] = side
                return
