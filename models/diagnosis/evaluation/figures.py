"""What is found out about a classifier on texts it has not seen: how often right, how sure, and when it is silent."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.evaluation.calibration import abstention_auroc, expected_calibration_error
from models.diagnosis.evaluation.judged_texts import (
    BINS,
    Bin,
    Cell,
    CoveragePoint,
    JudgedTexts,
    LabelFigures,
    Mistake,
    share,
)
from models.errors import EvaluationError

_TOP = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """How a classifier did on texts that were held out. Scores and shares are 0 to 1; None where there is none.

    By forced choice, the likeliest condition whatever its probability, over the texts of conditions:

    Attributes:
        macro_f1: mean of the conditions' F1, those that occur among the texts counting the same.
        weighted_f1: the same, each condition weighing as much as it has texts.
        accuracy: share told rightly.
        top3: share whose condition is among the three likeliest.
        labels: precision, recall and F1 of each condition that the classifier knows or that occurs.

    Of the probabilities:

        ece_before, ece_after: expected calibration error (15 bins) before and after calibration, over all texts, also
            those that match nothing: confidence is the probability of the likeliest condition, and naming one is wrong
            where nothing matches.
        ece_conditions: the same after calibration, over the texts of conditions alone.
        brier_before, brier_after: Brier score, 0 to 2, over all texts; "nothing matches" is a class of its own.
        bins_before, bins_after: what `ece_before` and `ece_after` sum up; empty bins are left out.

    Of silence:

        threshold: the sureness below which nothing is said.
        abstention_auroc: the probability that a description's sureness is above that of a text that matches nothing.
        coverage: share of the descriptions that are answered.
        covered_accuracy: share of these that are told rightly.
        no_match_answered: share of the texts that match nothing that are answered nevertheless.
        points: the same three for other thresholds, from all texts answered to few.
        confusion: what was said about texts of what, nothing (`NO_MATCH`) included, at the threshold.

    And text by text:

        texts: how many there are, and `no_match_texts` how many of them match nothing.
        mistakes: the twenty surest.
        truth, choices, confidences: of each text, in their order.
    """

    macro_f1: float
    weighted_f1: float
    accuracy: float
    top3: float
    labels: tuple[LabelFigures, ...]
    ece_before: float | None
    ece_after: float
    ece_conditions: float
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
    texts: int
    no_match_texts: int
    mistakes: tuple[Mistake, ...]
    truth: tuple[str, ...]
    choices: tuple[str, ...]
    confidences: tuple[float, ...]

    def main(self) -> dict[str, float | None]:
        """Give the main figures by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if name in _MAIN}

    def as_json(self) -> dict[str, Any]:
        """Give everything as JSON values, but for what was said of each of the texts."""
        lists = {name: [one._asdict() for one in getattr(self, name)] for name in _LISTS}
        return {**self.main(), "texts": self.texts, "no_match_texts": self.no_match_texts, **lists}


_LISTS = ("labels", "bins_before", "bins_after", "points", "confusion", "mistakes")
_MAIN = frozenset(field.name for field in fields(Figures)) - {
    *_LISTS,
    "texts",
    "no_match_texts",
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
    texts: Sequence[str] | None = None,
) -> Figures:
    """Sum up how a classifier did.

    Args:
        probabilities: calibrated, shaped [texts, labels]; what a row lacks to 1 is that nothing matches.
        labels: the conditions, in the order of the columns.
        truth: the right condition of each text, `NO_MATCH` where there is none. One that the classifier does not know
            counts as told wrongly.
        threshold: the sureness below which nothing is said, 0 to 1.
        uncalibrated: the probabilities before calibration, shaped like the others.
        texts: for the mistakes; without them these have none.

    Raises:
        EvaluationError: none of the texts is of a condition.
    """
    answers = JudgedTexts(probabilities, labels, truth, threshold)
    matches = answers.matches
    if not matches.any():
        raise EvaluationError(
            "None of the texts describes a condition; there is nothing to evaluate.", "Give descriptions with labels."
        )
    before = None if uncalibrated is None else JudgedTexts(uncalibrated, labels, truth, threshold)
    by_label = answers.by_label()
    told = np.array([one.support for one in by_label])
    f1 = np.array([one.f1 for one in by_label])
    answered = answers.answered
    return Figures(
        macro_f1=float(f1[told > 0].mean()),
        weighted_f1=float(np.average(f1, weights=told)),
        accuracy=share(answers.correct[matches]) or 0.0,
        top3=answers.within(_TOP),
        labels=by_label,
        ece_before=None if before is None else before.calibration_error(),
        ece_after=answers.calibration_error(),
        ece_conditions=expected_calibration_error(answers.confidence[matches], answers.correct[matches], BINS),
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
        texts=len(truth),
        no_match_texts=int((~matches).sum()),
        mistakes=answers.mistakes(texts),
        truth=tuple(truth),
        choices=tuple(answers.names[column] for column in answers.choice),
        confidences=tuple(answers.confidence.tolist()),
    )
