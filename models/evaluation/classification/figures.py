"""What is found out about a classifier on examples it has not seen: how often right, how sure, and when silent."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import EvaluationError
from models.evaluation.classification.calibration import abstention_auroc, expected_calibration_error
from models.evaluation.classification.judged_examples import (
    BINS,
    Bin,
    Cell,
    CoveragePoint,
    JudgedExamples,
    LabelFigures,
    Mistake,
    share,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """How a classifier did on examples that were held out. Scores and shares are 0 to 1; None where there is none.

    By forced choice, the likeliest class whatever its probability, over the examples of classes:

    Attributes:
        macro_f1: mean of the classes' F1, those that occur among the examples counting the same.
        weighted_f1: the same, each class weighing as much as it has examples.
        accuracy: share told rightly.
        top3, top5: share whose class is among the three and the five likeliest.
        labels: precision, recall and F1 of each class that the classifier knows or that occurs.

    Of the probabilities:

        ece_before, ece_after: expected calibration error (15 bins) before and after calibration, over all examples,
            also those that match nothing: confidence is the probability of the likeliest class, and naming one is wrong
            where nothing matches.
        ece_classes: the same after calibration, over the examples of classes alone.
        brier_before, brier_after: Brier score, 0 to 2, over all examples; "nothing matches" is a class of its own.
        bins_before, bins_after: what `ece_before` and `ece_after` sum up; empty bins are left out.

    Of silence:

        threshold: the sureness below which nothing is said.
        abstention_auroc: the probability that the sureness of what is of a class is above that of what matches nothing.
        coverage: share of the examples of classes that are answered.
        covered_accuracy: share of these that are told rightly.
        no_match_answered: share of what matches nothing that is answered nevertheless.
        points: the same three for other thresholds, from all answered to few.
        confusion: what was said about examples of what, nothing (`NO_MATCH`) included, at the threshold.

    And example by example:

        examples: how many there are, and `no_match_examples` how many of them match nothing.
        mistakes: the twenty surest.
        truth, choices, confidences: of each example, in their order.
    """

    macro_f1: float
    weighted_f1: float
    accuracy: float
    top3: float
    top5: float
    labels: tuple[LabelFigures, ...]
    ece_before: float | None
    ece_after: float
    ece_classes: float
    brier_before: float | None
    brier_after: float
    bins_before: tuple[Bin, ...]
    bins_after: tuple[Bin, ...]
    threshold: float
    abstention_auroc: float | None
    coverage: float
    covered_accuracy: float | None
    no_match_answered: float | None
    points: tuple[CoveragePoint, ...]
    confusion: tuple[Cell, ...]
    examples: int
    no_match_examples: int
    mistakes: tuple[Mistake, ...]
    truth: tuple[str, ...]
    choices: tuple[str, ...]
    confidences: tuple[float, ...]

    def main(self) -> dict[str, float | None]:
        """Give the main figures by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if name in _MAIN}

    def as_json(self) -> dict[str, Any]:
        """Give everything as JSON values, but for what was said of each of the examples."""
        lists = {name: [one._asdict() for one in getattr(self, name)] for name in _LISTS}
        return {**self.main(), "examples": self.examples, "no_match_examples": self.no_match_examples, **lists}


_LISTS = ("labels", "bins_before", "bins_after", "points", "confusion", "mistakes")
_MAIN = frozenset(field.name for field in fields(Figures)) - {
    *_LISTS,
    "examples",
    "no_match_examples",
    "truth",
    "choices",
    "confidences",
}


def figures_of(
    probabilities: NDArray[np.float64],
    labels: Sequence[str],
    truth: Sequence[str],
    threshold: float,
    uncalibrated: NDArray[np.float64] | None = None,
    examples: Sequence[str] | None = None,
) -> Figures:
    """Sum up how a classifier did.

    Args:
        probabilities: calibrated, shaped [examples, labels]; what a row lacks to 1 is that nothing matches.
        labels: the classes, in the order of the columns; columns of one name are one class.
        truth: the right class of each example, `NO_MATCH` where there is none. One that the classifier does not know
            counts as told wrongly.
        threshold: the sureness below which nothing is said, 0 to 1.
        uncalibrated: the probabilities before calibration, shaped like the others.
        examples: the text or the name of each, for the mistakes; without them these have none.

    Raises:
        EvaluationError: none of the examples is of a class.
    """
    names = tuple(dict.fromkeys(labels))
    answers = JudgedExamples(_summed(probabilities, labels), names, truth, threshold)
    matches = answers.matches
    if not matches.any():
        raise EvaluationError(
            "None of the examples is of a class; there is nothing to evaluate.", "Give examples with labels."
        )
    before = None if uncalibrated is None else JudgedExamples(_summed(uncalibrated, labels), names, truth, threshold)
    by_label = answers.by_label()
    told = np.array([one.support for one in by_label])
    f1 = np.array([one.f1 for one in by_label])
    answered = answers.answered
    return Figures(
        macro_f1=float(f1[told > 0].mean()),
        weighted_f1=float(np.average(f1, weights=told)),
        accuracy=share(answers.correct[matches]) or 0.0,
        top3=answers.within(3),
        top5=answers.within(5),
        labels=by_label,
        ece_before=None if before is None else before.calibration_error(),
        ece_after=answers.calibration_error(),
        ece_classes=expected_calibration_error(answers.confidence[matches], answers.correct[matches], BINS),
        brier_before=None if before is None else before.brier(),
        brier_after=answers.brier(),
        bins_before=() if before is None else before.bins(),
        bins_after=answers.bins(),
        threshold=threshold,
        abstention_auroc=None
        if matches.all()
        else abstention_auroc(answers.sureness[matches], answers.sureness[~matches]),
        coverage=share(answered[matches]) or 0.0,
        covered_accuracy=share(answers.correct[matches & answered]),
        no_match_answered=share(answered[~matches]),
        points=answers.points(),
        confusion=answers.confusion(),
        examples=len(truth),
        no_match_examples=int((~matches).sum()),
        mistakes=answers.mistakes(examples),
        truth=tuple(truth),
        choices=tuple(answers.names[column] for column in answers.choice),
        confidences=tuple(answers.confidence.tolist()),
    )


def _summed(probabilities: NDArray[np.float64], labels: Sequence[str]) -> NDArray[np.float64]:
    """Add up the columns of one name: there are two cranes among ImageNet's classes, a bird and a machine."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(labels))}
    if len(numbers) == len(labels):
        return probabilities
    summed = np.zeros((len(probabilities), len(numbers)))
    for column, name in enumerate(labels):
        summed[:, numbers[name]] += probabilities[:, column]
    return summed
