"""Splits labelled texts into training, validation and test, near-duplicates on one side, and by chance beside it."""

import numpy as np

from models.diagnosis.contract import LabelledTexts
from models.diagnosis.data.near_duplicates import NEAR, Likeness, Told
from models.training import splits
from models.training.splits import SHARES, Families, Rows, Split, assigned, numbered, split_together

__all__ = ["SHARES", "Families", "Rows", "Split", "families", "group_folds", "honest_split", "random_split"]

_STRICTER = (0.6, 0.7, 0.8, 0.9, 1.0)


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
    return splits.families(texts.labels, found, _STRICTER, likeness.groups)


def honest_split(
    texts: LabelledTexts,
    shares: tuple[float, float, float] = SHARES,
    seed: int = 0,
    kept_together: Families | None = None,
) -> Split:
    """Split so that near-duplicates stay on one side; the rest as `split_together` says.

    Args:
        texts: any number.
        shares: of training, validation and test; they sum to 1.
        seed: the same one gives the same split.
        kept_together: as `families` found them; None finds them.
    """
    return split_together((kept_together or families(texts)).of, texts.labels, shares, seed)


def random_split(texts: LabelledTexts, shares: tuple[float, float, float] = SHARES, seed: int = 0) -> Split:
    """Split by chance within each label, whatever texts are like each other: what most figures are measured on.

    Args:
        texts: any number.
        shares: of training, validation and test; they sum to 1.
        seed: the same one gives the same split.
    """
    return split_together(np.arange(len(texts.texts)), texts.labels, shares, seed)


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
    sides = assigned(together, numbered(texts.labels), [1 / folds] * folds, seed)
    return [np.flatnonzero(sides == fold) for fold in range(folds)]
