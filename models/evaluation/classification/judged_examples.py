"""What a classifier made of examples it has not seen: of each what it chose and how sure, and what these sum up to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation.classification import NO_MATCH
from models.evaluation.classification.calibration import bin_numbers, brier, expected_calibration_error, sureness

BINS = 15
"""Of the expected calibration error and of the reliability diagram."""

_WORST = 20
_POINTS = 101

_ROUNDING = 1e-5
"""What a row of probabilities may lack to 1 without a chance that nothing matches: single precision loses as much."""


class LabelFigures(NamedTuple):
    """How one class was told, by forced choice: precision, recall and F1 from 0 to 1; how many examples are of it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


class Cell(NamedTuple):
    """A cell of the confusion matrix that is not 0: of so many examples of `truth` it was `said`, or nothing."""

    truth: str
    said: str
    examples: int


class Bin(NamedTuple):
    """A bin of the reliability diagram: its edges, how many examples lie in it, their mean confidence and accuracy."""

    low: float
    high: float
    examples: int
    confidence: float
    accuracy: float


class CoveragePoint(NamedTuple):
    """What would happen at a threshold: share of what is of a class that is answered, and share of that told rightly.

    `no_match_answered` is the share of what matches nothing that is answered; None where there is none of it.
    """

    threshold: float
    coverage: float
    accuracy: float
    no_match_answered: float | None


class Mistake(NamedTuple):
    """An example told wrongly: its place among all, from 0, its truth, what was said instead, and how sure.

    `example` is its text or its name. `truth` is `NO_MATCH` where nothing would have been right; `answered` tells
    whether it was sure enough to be said.
    """

    row: int
    example: str
    truth: str
    said: str
    probability: float
    truth_probability: float
    answered: bool


def share(hits: NDArray[np.bool_]) -> float | None:
    """Give the share of what is true, 0 to 1; None of nothing."""
    return float(hits.mean()) if len(hits) else None


class JudgedExamples:
    """What a classifier chose for each example, in numbers.

    Attributes:
        names: its labels, then those it does not know, then `NO_MATCH`.
        target, choice: columns in `names` of what is right and of what is likeliest, shaped [examples].
        confidence: the probability of that, shaped [examples].
        sureness: what it abstains by, shaped [examples].
        matches, correct, answered: whether an example is of a class, was told rightly, is sure enough to be answered.
    """

    def __init__(
        self, probabilities: NDArray[np.float64], labels: Sequence[str], truth: Sequence[str], threshold: float
    ) -> None:
        unknown = sorted(set(truth) - set(labels) - {NO_MATCH})
        self.names = (*labels, *unknown, NO_MATCH)
        self.known = len(labels)
        columns = {name: column for column, name in enumerate(self.names)}
        self.probabilities = probabilities
        self.target = np.array([columns[label] for label in truth], dtype=np.int64)
        self.choice = probabilities.argmax(axis=1).astype(np.int64)
        self.confidence = probabilities[np.arange(len(truth)), self.choice]
        self.matches = self.target < len(self.names) - 1
        self.correct = self.choice == self.target
        self.sureness = sureness(probabilities, bool((probabilities.sum(axis=1) < 1 - _ROUNDING).any()))
        self.answered = self.sureness >= threshold

    def by_label(self) -> tuple[LabelFigures, ...]:
        size = len(self.names) - 1
        support, said, right = (
            np.bincount(columns, minlength=size)
            for columns in (
                self.target[self.matches],
                self.choice[self.matches],
                self.choice[self.matches & self.correct],
            )
        )
        precision, recall = right / np.maximum(said, 1), right / np.maximum(support, 1)
        f1 = 2 * right / np.maximum(said + support, 1)
        columns = zip(self.names[:-1], precision.tolist(), recall.tolist(), f1.tolist(), support.tolist(), strict=True)
        return tuple(LabelFigures(*column) for column in columns)

    def within(self, top: int) -> float:
        """Give the share of the examples of a class whose class is among the likeliest."""
        known = self.matches & (self.target < self.known)
        given, target = self.probabilities[known], self.target[known, None]
        right = np.take_along_axis(given, target, axis=1)
        # Of classes as likely as the right one, those of lower columns come first.
        ahead = (given > right) | ((given == right) & (np.arange(self.known) < target))
        return float((ahead.sum(axis=1) < top).sum() / self.matches.sum())

    def calibration_error(self) -> float:
        return expected_calibration_error(self.confidence, self.correct, BINS)

    def brier(self) -> float:
        rest = np.clip(1 - self.probabilities.sum(axis=1, keepdims=True), 0, 1)
        unknown = np.zeros((len(rest), len(self.names) - 1 - self.known))
        return brier(np.hstack([self.probabilities, unknown, rest]), self.target)

    def bins(self) -> tuple[Bin, ...]:
        numbers = bin_numbers(self.confidence, BINS)
        made = []
        for number in np.unique(numbers).tolist():
            inside = numbers == number
            confidence, accuracy = self.confidence[inside].mean(), self.correct[inside].mean()
            made.append(Bin(number / BINS, (number + 1) / BINS, int(inside.sum()), float(confidence), float(accuracy)))
        return tuple(made)

    def points(self) -> tuple[CoveragePoint, ...]:
        """Give what would happen at thresholds that let through equal steps of the examples of a class."""
        order = np.argsort(-self.sureness[self.matches], kind="stable")
        sure, correct = self.sureness[self.matches][order], self.correct[self.matches][order]
        others = self.sureness[~self.matches]
        # Examples as sure as the last one let through are let through with it.
        thresholds = np.unique(sure[np.linspace(0, len(order) - 1, min(_POINTS, len(order))).astype(int)])
        let_through = len(order) - np.searchsorted(sure[::-1], thresholds, side="left")
        right = np.cumsum(correct)[let_through - 1]
        return tuple(
            CoveragePoint(float(threshold), count / len(order), hits / count, share(others >= threshold))
            for threshold, count, hits in zip(thresholds, let_through.tolist(), right.tolist(), strict=True)
        )

    def confusion(self) -> tuple[Cell, ...]:
        size = len(self.names)
        said = np.where(self.answered, self.choice, size - 1)
        cells, counts = np.unique(self.target * size + said, return_counts=True)
        return tuple(
            Cell(self.names[cell // size], self.names[cell % size], count)
            for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)
        )

    def mistakes(self, examples: Sequence[str] | None) -> tuple[Mistake, ...]:
        """Give the surest of what was told wrongly; silence about what matches nothing is right."""
        wrong = np.flatnonzero(~self.correct & (self.matches | self.answered))
        surest = wrong[np.argsort(-self.confidence[wrong], kind="stable")][:_WORST]
        return tuple(self._mistake(row, examples) for row in surest.tolist())

    def _mistake(self, row: int, examples: Sequence[str] | None) -> Mistake:
        target, probabilities = int(self.target[row]), self.probabilities[row]
        if target == len(self.names) - 1:
            right = max(1 - float(probabilities.sum()), 0.0)
        else:
            right = float(probabilities[target]) if target < self.known else 0.0
        return Mistake(
            row=row,
            example=examples[row] if examples is not None else "",
            truth=self.names[target],
            said=self.names[int(self.choice[row])],
            probability=float(self.confidence[row]),
            truth_probability=right,
            answered=bool(self.answered[row]),
        )
