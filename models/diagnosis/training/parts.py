"""Puts together what a training reads: conditions, texts that match nothing, and who is on which side."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.diagnosis.contract import NO_MATCH, LabelledTexts
from models.diagnosis.data.near_duplicates import NEAR, nearest_cosine
from models.diagnosis.data.reading import FEWEST_TEXTS, key
from models.diagnosis.data.splits import Split, families, honest_split, random_split
from models.diagnosis.training.order import Counts, Order
from models.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Side:
    """A split, as texts."""

    training: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts

    @property
    def known(self) -> LabelledTexts:
        """What a model may know when it is judged on the test texts: those it was trained on and calibrated by."""
        first, second = self.training, self.validation
        return LabelledTexts(first.texts + second.texts, first.labels + second.labels)


@dataclass(frozen=True, slots=True)
class Parts:
    """What is trained on: the conditions, the honest split, the one by chance, and what became of the texts."""

    labels: tuple[str, ...]
    honest: Side
    random: Side
    counts: Counts


def parts_of(order: Order, told: Callable[[int, int], None]) -> Parts:
    """Put together what an order trains on.

    Texts that match nothing are left out where they are near-duplicates of a text of a condition: what is a complaint
    of none of somebody else's conditions may be one of theirs.

    Args:
        order: what is to be trained.
        told: told how many texts are compared.

    Raises:
        TrainingError: no description is left to calibrate or to judge by, as all of a label are in the same words.
    """
    described = order.file.texts
    strangers = _strangers(order)
    texts = LabelledTexts(described.texts + strangers, described.labels + (NO_MATCH,) * len(strangers))
    together = families(texts, told)
    honest = honest_split(texts, order.shares, order.options.seed, together)
    _require_described(texts, honest)
    chance = random_split(texts, order.shares, order.options.seed)
    counts = Counts(
        training=len(honest.training),
        validation=len(honest.validation),
        test=len(honest.test),
        no_match=len(strangers),
        no_match_left_out=len(order.no_match) - len(strangers),
        empty=order.file.empty,
        unlabelled=order.file.unlabelled,
        duplicates=order.file.duplicates,
        contradictory=order.file.contradictory,
        not_utf8=order.file.not_utf8,
        near_duplicate_groups=together.near_duplicates,
        loosened=together.loosened,
    )
    return Parts(described.conditions, _side(texts, honest), _side(texts, chance), counts)


def _require_described(texts: LabelledTexts, split: Split) -> None:
    for rows, purpose in ((split.validation, "calibrate"), (split.test, "judge")):
        if not any(texts.labels[row] for row in rows):
            raise TrainingError(
                f"No description is left to {purpose} by: those of each label are in the same words.",
                f"Give each label at least {FEWEST_TEXTS} that differ in their words.",
            )


def _strangers(order: Order) -> tuple[str, ...]:
    known = {key(text) for text in order.file.texts.texts}
    different = [text for text in order.no_match if key(text) not in known]
    cosines = nearest_cosine(different, order.file.texts.texts)
    return tuple(different[row] for row in np.flatnonzero(cosines < NEAR))


def _side(texts: LabelledTexts, split: Split) -> Side:
    return Side(texts.at(split.training), texts.at(split.validation), texts.at(split.test))
