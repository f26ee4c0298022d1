"""Calibration: probabilities that mean what they say, and the one below which nothing is answered."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from models.errors import EvaluationError, ModelUnusableError
from models.evaluation.classification.calibration import (
    Calibration,
    abstention_auroc,
    abstention_threshold,
    brier,
    calibrate,
    expected_calibration_error,
    fit_temperature,
    fit_temperature_and_bias,
    softmax,
    sureness,
)

Floats = NDArray[np.float64]

SCORES = st.lists(st.integers(0, 20).map(lambda tick: tick / 20), min_size=1, max_size=60).map(np.array)


def _drawn(logits: Floats, seed: int = 0) -> NDArray[np.int64]:
    """Give targets as likely as the logits say."""
    chances = softmax(logits).cumsum(axis=1)
    numbers = np.random.default_rng(seed).random((len(logits), 1))
    return np.minimum((numbers > chances).sum(axis=1), logits.shape[1] - 1)


def _logits(texts: int = 4_000, classes: int = 6, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(0, 2, (texts, classes))


@pytest.mark.parametrize("factor", [0.1, 0.5, 1.0, 3.0, 12.0])
def test_logits_that_are_too_sure_or_not_sure_enough_are_set_right(factor: float) -> None:
    logits = _logits()
    assert fit_temperature(logits * factor, _drawn(logits)) == pytest.approx(factor, rel=0.05)


def test_the_temperature_is_the_likeliest_of_a_fine_grid() -> None:
    logits = _logits(300) * 2
    targets = _drawn(logits / 3)
    found = fit_temperature(logits, targets)

    def _loss(temperature: float) -> float:
        return float(-np.log(softmax(logits, temperature)[np.arange(len(targets)), targets]).mean())

    best = min(np.geomspace(0.05, 20, 2_000), key=_loss)
    assert found == pytest.approx(best, rel=0.05)


@pytest.mark.parametrize("texts", [1, 3, 20])
def test_a_few_texts_all_told_rightly_do_not_make_the_classifier_certain(texts: int) -> None:
    logits = np.tile([6.0, 0.0, 0.0], (texts, 1))
    surest = softmax(logits, fit_temperature(logits, np.zeros(texts, dtype=np.int64))).max()
    assert 0.5 < surest < 1 - 1 / (3 * texts + 3)


def test_a_class_that_is_overrated_throughout_is_set_right_by_the_bias() -> None:
    logits = _logits()
    targets = _drawn(logits)
    lifted = logits * 2
    lifted[:, -1] += 3
    temperature, bias = fit_temperature_and_bias(lifted, targets)
    assert temperature == pytest.approx(2, rel=0.05)
    assert bias == pytest.approx(-1.5, abs=0.1)


def test_calibrated_probabilities_have_a_small_expected_calibration_error_on_other_texts() -> None:
    logits = _logits(8_000)
    targets = _drawn(logits)
    spoilt = logits * 4
    spoilt[:, -1] += 2
    found = calibrate(spoilt[:4_000], targets[:4_000], 5)
    for calibration, expected in ((found, True), (Calibration(1, 0), False)):
        probabilities = calibration.probabilities(spoilt[4_000:], 5)
        assert probabilities.shape == (4_000, 5)
        # Naming a condition is wrong where nothing matches.
        correct = probabilities.argmax(axis=1) == targets[4_000:]
        assert (expected_calibration_error(probabilities.max(axis=1), correct) < 0.05) is expected


def test_a_classifier_without_a_column_for_nothing_is_calibrated_on_the_conditions_alone() -> None:
    logits = _logits(2_000, 4)
    targets = _drawn(logits)
    others = _logits(500, 4, seed=3) / 20
    found = calibrate(np.vstack([logits * 3, others]), np.concatenate([targets, np.full(500, 4)]), 4)
    assert found.temperature == pytest.approx(3, rel=0.1)
    assert found.no_match_bias == 0
    assert (found.probabilities(others, 4).max(axis=1) < found.threshold).mean() > 0.95
    assert found.probabilities(logits, 4).sum(axis=1) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, (7, 3), elements=st.floats(-800, 800)),
    arrays(np.int64, 7, elements=st.integers(0, 2)),
)
def test_whatever_the_logits_are_the_calibration_is_one_that_can_be_stored(
    logits: Floats, targets: NDArray[np.int64]
) -> None:
    targets[0] = 0
    found = calibrate(logits, targets, 2)
    assert Calibration.from_json(json.loads(json.dumps(found.as_json()))) == found
    probabilities = found.probabilities(logits, 2)
    assert np.isfinite(probabilities).all()
    assert (probabilities.sum(axis=1) <= 1 + 1e-9).all()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"temperature": 1.0},
        {"temperature": 0, "threshold": 0.5},
        {"temperature": "hot", "threshold": 0.5},
        {"temperature": True, "threshold": 0.5},
        {"temperature": math.nan, "threshold": 0.5},
        {"temperature": 1.0, "threshold": 1.5},
        {"temperature": 1.0, "threshold": 0.5, "no_match_bias": None},
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ModelUnusableError, match=r"temperature and threshold .* Train it again"):
        Calibration.from_json(document)


def test_a_calibration_of_an_earlier_model_has_no_bias() -> None:
    assert Calibration.from_json({"temperature": 2, "threshold": 0.4, "labels": []}) == Calibration(2.0, 0.4, 0.0)


@given(arrays(np.float64, (5, 4), elements=st.floats(-1e4, 1e4)), st.floats(0.01, 100))
def test_softmax_gives_probabilities_in_the_order_of_the_logits(logits: Floats, temperature: float) -> None:
    given_ = softmax(logits, temperature)
    assert given_.sum(axis=1) == pytest.approx(1)
    likeliest = np.take_along_axis(given_, logits.argmax(axis=1)[:, None], axis=1)
    assert (likeliest[:, 0] == given_.max(axis=1)).all()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80), st.integers(1, 20))
def test_the_calibration_error_is_that_of_its_definition(pairs: list[tuple[float, bool]], bins: int) -> None:
    expected = 0.0
    edges = np.linspace(0, 1, bins + 1)
    for number, (low, high) in enumerate(pairwise(edges)):
        last = number == bins - 1
        inside = [pair for pair in pairs if (low < pair[0] or number == 0) and (pair[0] <= high or last)]
        if inside:
            confidence = sum(pair[0] for pair in inside) / len(inside)
            accuracy = sum(pair[1] for pair in inside) / len(inside)
            expected += len(inside) / len(pairs) * abs(confidence - accuracy)
    confidences, correct = (np.array(column) for column in zip(*pairs, strict=True))
    assert expected_calibration_error(confidences, correct, bins) == pytest.approx(expected, abs=1e-9)


def test_known_calibration_errors() -> None:
    sure = np.full(10, 0.9)
    assert expected_calibration_error(sure, np.array([True] * 9 + [False])) == pytest.approx(0, abs=1e-9)
    assert expected_calibration_error(sure, np.zeros(10, dtype=bool)) == pytest.approx(0.9)
    assert expected_calibration_error(np.ones(4), np.ones(4, dtype=bool)) == 0
    assert expected_calibration_error(np.array([]), np.array([], dtype=bool)) == 0


@given(st.integers(2, 6), st.integers(1, 20), st.integers(0, 1_000))
def test_brier_is_the_squared_distance_from_what_was_right(classes: int, texts: int, seed: int) -> None:
    probabilities = softmax(_logits(texts, classes, seed))
    targets = np.random.default_rng(seed).integers(0, classes, texts)
    expected = np.mean(np.sum((probabilities - np.eye(classes)[targets]) ** 2, axis=1))
    assert brier(probabilities, targets) == pytest.approx(expected)


@given(SCORES, SCORES)
def test_the_abstention_auroc_is_scikit_learns(matches: Floats, others: Floats) -> None:
    truth = np.repeat([1, 0], [len(matches), len(others)])
    expected = roc_auc_score(truth, np.concatenate([matches, others]))
    assert abstention_auroc(matches, others) == pytest.approx(expected)


@given(SCORES, SCORES)
def test_no_other_threshold_comes_nearer_to_refusing_and_answering_rightly(matches: Floats, others: Floats) -> None:
    def _lost(threshold: float) -> float:
        return float((matches < threshold).mean() ** 2 + (others >= threshold).mean() ** 2)

    chosen = abstention_threshold(matches, others)
    assert 0 <= chosen <= 1
    assert _lost(chosen) == pytest.approx(min(_lost(tick / 80) for tick in range(81)))


def test_kinds_that_lie_apart_are_parted_in_the_middle() -> None:
    assert abstention_threshold(np.array([0.7, 0.8, 0.95]), np.array([0.1, 0.3])) == pytest.approx(0.5)


def test_without_texts_that_match_nothing_most_descriptions_are_let_through() -> None:
    doubtful = np.linspace(0.1, 0.9, 101)
    assert (doubtful >= abstention_threshold(doubtful, np.array([]))).mean() == pytest.approx(0.95, abs=0.01)
    assert abstention_threshold(np.linspace(0.9, 1, 50), np.array([])) == 0.5


def test_nothing_can_be_calibrated_without_descriptions() -> None:
    empty = np.array([])
    with pytest.raises(EvaluationError, match="no example of a class"):
        abstention_threshold(empty, np.array([0.5]))
    with pytest.raises(EvaluationError, match="examples of both kinds"):
        abstention_auroc(np.array([0.5]), empty)
    with pytest.raises(EvaluationError, match="no example to calibrate"):
        calibrate(np.zeros((2, 3)), np.array([2, 2]), 2)


def test_what_it_abstains_by_is_whether_any_condition_fits() -> None:
    torn = np.array([[0.3, 0.3, 0.25, 0.1], [0.5, 0.0, 0.0, 0.0]])
    assert sureness(torn, knows_no_match=True) == pytest.approx([0.95, 0.5])
    assert sureness(np.array([[0.6, 0.4]]), knows_no_match=False) == pytest.approx([0.6])
