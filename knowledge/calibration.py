"""Calibrating the confidence: questions that can be answered and questions that can't give weights and a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.confidence import Calibration
from knowledge.errors import CalibrationError
from knowledge.knowledge_base import KnowledgeBase
from knowledge.questions import Question

_FOLDS = 10
_SEED = 0
_FIRST_HITS = 5


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What would happen at one threshold.

    Attributes:
        threshold: 0 to 1.
        false_answers: share of the unanswerable questions that would be answered.
        false_declines: share of the answerable ones that would be declined.
    """

    threshold: float
    false_answers: float
    false_declines: float


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """A calibration, and the cross-validated figures it was chosen by.

    Attributes:
        calibration: what to use; its figures are those at its threshold.
        curve: by rising threshold.
        first: share of the questions with a known title whose passage was ranked first, 0 to 1.
        among_five: the same among the first five.
        titled: how many questions had a known title.
    """

    calibration: Calibration
    curve: tuple[CurvePoint, ...]
    first: float
    among_five: float
    titled: int


def calibrate(
    knowledge: KnowledgeBase, answerable: Sequence[Question], unanswerable: Sequence[str]
) -> CalibrationReport:
    """Do what `measure` does, and use the result from now on; raises what `measure` and `keep_calibration` do."""
    report = measure(knowledge, answerable, unanswerable)
    knowledge.keep_calibration(report.calibration)
    return report


def measure(knowledge: KnowledgeBase, answerable: Sequence[Question], unanswerable: Sequence[str]) -> CalibrationReport:
    """Fit a logistic regression on the evidence for each question's best hit; imports scikit-learn.

    The figures are cross-validated tenfold: each question's confidence comes from a regression fitted without it,
    and without the other questions about the same passage. The threshold is where Youden's J (Youden, Cancer 1950),
    1 - false answers - false declines, is highest on that curve. The weights are then fitted on all questions.

    Args:
        knowledge: open.
        answerable: questions that it answers, at least 10; with the title of the passage that does, where known.
        unanswerable: questions that it does not answer, at least 10.

    Raises:
        CalibrationError: there are too few questions of a kind, or of titles.
        NotOpenError: `knowledge` is not open.
    """
    _require(answerable, unanswerable)
    found = [knowledge.evidence(text) for text in (*(question.text for question in answerable), *unanswerable)]
    labels = np.repeat([1, 0], [len(answerable), len(unanswerable)])
    topics = np.array([*map(_topic, answerable), *unanswerable], dtype=object)
    rows = np.flatnonzero([figures is not None for figures in found])
    _require_topics(topics[rows], labels[rows])
    figures = np.array([found[row] for row in rows], dtype=np.float64)
    # Where nothing is found the confidence is 0, as in use.
    confidences = np.zeros(len(found))
    confidences[rows] = _held_out(figures, labels[rows], topics[rows])
    curve = _curve(confidences, labels)
    best = min(curve, key=lambda point: point.false_answers + point.false_declines)
    weights, intercept = _fit(figures, labels[rows])
    calibration = Calibration(
        weights=weights,
        intercept=intercept,
        threshold=best.threshold,
        auroc=_auroc(confidences, labels),
        false_answers=best.false_answers,
        false_declines=best.false_declines,
        answerable=len(answerable),
        unanswerable=len(unanswerable),
        version=knowledge.statistics().version,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return CalibrationReport(calibration, curve, *_ranks(knowledge, answerable))


def _topic(question: Question) -> str:
    return question.title or question.text


def _require(answerable: Sequence[Question], unanswerable: Sequence[str]) -> None:
    topics = set(map(_topic, answerable))
    if len(topics) < _FOLDS or len(set(unanswerable)) < _FOLDS:
        raise CalibrationError(
            f"To calibrate, {_FOLDS} questions of each kind are needed, on as many passages;"
            f" {len(topics)} answerable and {len(set(unanswerable))} unanswerable ones were given.",
            "Add questions; a hundred of each make the figures worth reading.",
        )


def _require_topics(topics: NDArray[np.object_], labels: NDArray[np.int64]) -> None:
    """Every regression must see questions of both kinds, whichever topics are held out."""
    if min(len(set(topics[labels == kind])) for kind in (0, 1)) < _FOLDS:
        raise CalibrationError(
            "For too many questions nothing at all is found, so that there is nothing to weigh.",
            "Ask about what the knowledge base holds, and about what lies near it.",
        )


def _held_out(
    figures: NDArray[np.float64], labels: NDArray[np.int64], topics: NDArray[np.object_]
) -> NDArray[np.float64]:
    """Each question's confidence by a regression that has not seen it, nor another about the same passage."""
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=_SEED)
    found: NDArray[np.float64] = cross_val_predict(
        _regression(), figures, labels, groups=topics, cv=folds, method="predict_proba"
    )
    return found[:, 1]


def _fit(figures: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[tuple[float, ...], float]:
    """Weights and intercept on the evidence as it is, the standardisation reckoned in."""
    scaler, regression = _regression().fit(figures, labels)
    weights = regression.coef_[0] / scaler.scale_
    intercept = regression.intercept_[0] - float(weights @ scaler.mean_)
    return tuple(weights.tolist()), float(intercept)


def _regression() -> Any:  # noqa: ANN401 - scikit-learn is not typed
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression())


def _curve(confidences: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[CurvePoint, ...]:
    """The errors at 0, at each point half-way between two neighbouring confidences, and at 1."""
    levels = np.unique(confidences)
    thresholds = np.unique(np.concatenate(([0.0], (levels[1:] + levels[:-1]) / 2, [1.0])))
    answered = confidences >= thresholds[:, None]
    false_answers = answered[:, labels == 0].mean(axis=1)
    false_declines = 1 - answered[:, labels == 1].mean(axis=1)
    columns = (thresholds.tolist(), false_answers.tolist(), false_declines.tolist())
    return tuple(CurvePoint(*point) for point in zip(*columns, strict=True))


def _auroc(confidences: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, confidences))


def _ranks(knowledge: KnowledgeBase, questions: Sequence[Question]) -> tuple[float, float, int]:
    """Shares of the titled questions whose passage came first, and among the first five; and their number."""
    titled = [question for question in questions if question.title]
    found = [[hit.passage.title for hit in knowledge.search(item.text, _FIRST_HITS)] for item in titled]
    first = sum(item.title in titles[:1] for item, titles in zip(titled, found, strict=True))
    among = sum(item.title in titles for item, titles in zip(titled, found, strict=True))
    count = max(len(titled), 1)
    return first / count, among / count, len(titled)
