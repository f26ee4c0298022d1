"""Splits labelled texts into training, validation and test, near-duplicates on one side, and by chance beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.contract import LabelledTexts
from models.diagnosis.data.near_duplicates import NEAR, Likeness, Told

Rows = NDArray[np.int64]
"""Numbers of texts, from 0, ascending."""

SHARES = (0.7, 0.1, 0.2)
"""Of the texts: for training, for validation, for test."""

_STRICTER = (0.6, 0.7, 0.8, 0.9, 1.0)
_SIDES = 3
# A group with more of a label's texts than this leaves too few for the other sides.
_MOST_OF_A_LABEL = 0.6


@dataclass(frozen=True, slots=True)
class Families:
    """Which texts must stay together.

    Attributes:
        of: the number of each text's group, shaped [texts].
        near_duplicates: how many groups hold more than one text.
        loosened: texts whose group was taken apart at a higher cosine than `NEAR`, as it left a label none to be
            judged by; what is measured on them flatters.
    """

    of: Rows
    near_duplicates: int
    loosened: int


@dataclass(frozen=True, slots=True)
class Split:
    """The numbers of the texts on each side, ascending; each text is on one side."""

    training: Rows
    validation: Rows
    test: Rows


def families(texts: LabelledTexts, told: Told | None = None) -> Families:
    """Find the groups of near-duplicates that a split keeps together.

    Groups are the connected components at a cosine of `NEAR`. Where that leaves a label fewer groups than there are
    sides, or most of its texts in one group (texts made from one pattern chain together), the groups in question are
    formed anew at a cosine .1 higher, again and again, until it does not.

    Args:
        texts: any number.
        told: told how far it is.
    """
    likeness = Likeness(texts.texts)
    found = likeness.groups(np.arange(len(texts.texts)), NEAR, told)
    labels = _numbered(texts.labels)
    loosened = np.zeros(len(found), dtype=np.bool_)
    for threshold in _STRICTER:
        clumped = _clumped(found, labels)
        if not clumped.any():
            break
        rows = np.flatnonzero(clumped)
        loosened[rows] = True
        # Two texts of different groups are apart already, so that what is formed anew only gets smaller.
        found[rows] = found.max() + 1 + likeness.groups(rows, threshold)
    numbers = np.unique(found, return_inverse=True)[1]
    return Families(numbers, int((np.bincount(numbers) > 1).sum()) if len(numbers) else 0, int(loosened.sum()))


def honest_split(
    texts: LabelledTexts,
    shares: tuple[float, float, float] = SHARES,
    seed: int = 0,
    kept_together: Families | None = None,
) -> Split:
    """Split so that near-duplicates stay on one side, and each side has its share of each label as nearly as may be.

    A label with three groups or more is on every side; one with two is on the sides of training and test.

    Args:
        texts: any number.
        shares: of training, validation and test; they sum to 1.
        seed: the same one gives the same split.
        kept_together: as `families` found them; None finds them.
    """
    together = (kept_together or families(texts)).of
    return _split(together, _numbered(texts.labels), shares, seed)


def random_split(texts: LabelledTexts, shares: tuple[float, float, float] = SHARES, seed: int = 0) -> Split:
    """Split by chance within each label, whatever texts are like each other: what most figures are measured on.

    Args:
        texts: any number.
        shares: of training, validation and test; they sum to 1.
        seed: the same one gives the same split.
    """
    return _split(np.arange(len(texts.texts)), _numbered(texts.labels), shares, seed)


def group_folds(texts: LabelledTexts, folds: int, seed: int = 0, kept_together: Families | None = None) -> list[Rows]:
    """Cut into parts of like size and like shares of each label; near-duplicates are in one part.

    Args:
        texts: any number.
        folds: how many parts, from 2.
        seed: the same one gives the same parts.
        kept_together: as `families` found them; None finds them.

    Returns:
        The numbers of the texts of each part, ascending.
    """
    together = (kept_together or families(texts)).of
    sides = _assigned(together, _numbered(texts.labels), [1 / folds] * folds, seed)
    return [np.flatnonzero(sides == fold) for fold in range(folds)]


def _split(together: Rows, labels: Rows, shares: Sequence[float], seed: int) -> Split:
    sides = _assigned(together, labels, shares, seed)
    return Split(*(np.flatnonzero(sides == side) for side in range(_SIDES)))


def _numbered(labels: Sequence[str]) -> Rows:
    return np.unique(np.asarray(labels, dtype=object), return_inverse=True)[1].astype(np.int64)


def _clumped(found: Rows, labels: Rows) -> NDArray[np.bool_]:
    """Which texts are in a group that leaves one of its labels too little for the other sides."""
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
    """Texts that stay together: their numbers, their different labels, and how many of each."""

    rows: Rows
    labels: Rows
    counts: Rows


def _groups(together: Rows, labels: Rows) -> list[_Group]:
    order = np.argsort(together, kind="stable")
    cuts = np.flatnonzero(np.diff(together[order])) + 1
    return [_Group(rows, *np.unique(labels[rows], return_counts=True)) for rows in np.split(order, cuts) if len(rows)]


def _assigned(together: Rows, labels: Rows, shares: Sequence[float], seed: int) -> Rows:
    """The side of each text."""
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
    """How many texts of each label each side wants and has, shaped [sides, labels], and the side of each group."""

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
