"""The figures of a classifier: what scikit-learn says as well, and what becomes of what matches nothing."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_recall_fscore_support, top_k_accuracy_score

from models.errors import EvaluationError
from models.evaluation.classification import NO_MATCH
from models.evaluation.classification.calibration import softmax
from models.evaluation.classification.figures import Figures, figures_of

ODD = ("🤧 cold, common", '<b>"gout" & | co</b>', "ångström\nfever", "psoriasis")


def _probabilities(texts: int, labels: int, seed: int = 0) -> NDArray[np.float64]:
    return softmax(np.random.default_rng(seed).normal(0, 2, (texts, labels + 1)))[:, :labels]


def _small(**fields: object) -> Figures:
    """Two conditions and four texts: told rightly, told wrongly, of nothing and silent, of nothing and answered."""
    probabilities = np.array([[0.9, 0.05], [0.8, 0.1], [0.1, 0.2], [0.1, 0.6]])
    truth = ("flu", "gout", NO_MATCH, NO_MATCH)
    return figures_of(probabilities, ("flu", "gout"), truth, 0.5, **fields)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.integers(4, 12), st.integers(1, 120), st.integers(0, 10_000))
def test_forced_choice_is_scored_as_scikit_learn_does(labels: int, texts: int, seed: int) -> None:
    names = [f"condition {number}" for number in range(labels)]
    probabilities = _probabilities(texts, labels, seed)
    targets = np.random.default_rng(seed).integers(0, labels, texts)
    figures = figures_of(probabilities, names, [names[target] for target in targets], 0.3)
    chosen, present = probabilities.argmax(axis=1), np.unique(targets)
    assert figures.macro_f1 == pytest.approx(
        f1_score(targets, chosen, labels=present, average="macro", zero_division=0)
    )
    assert figures.weighted_f1 == pytest.approx(
        f1_score(targets, chosen, labels=present, average="weighted", zero_division=0)
    )
    assert figures.accuracy == pytest.approx((chosen == targets).mean())
    assert figures.top3 == pytest.approx(top_k_accuracy_score(targets, probabilities, k=3, labels=range(labels)))
    if labels > 5:
        assert figures.top5 == pytest.approx(top_k_accuracy_score(targets, probabilities, k=5, labels=range(labels)))
    expected = precision_recall_fscore_support(targets, chosen, labels=range(labels), zero_division=0)
    for one, *columns in zip(figures.labels, *expected, strict=True):
        assert one[1:] == pytest.approx(tuple(columns))


def test_texts_that_match_nothing_are_right_in_silence_and_wrong_in_an_answer() -> None:
    figures = _small()
    assert (figures.accuracy, figures.coverage, figures.covered_accuracy) == (0.5, 1.0, 0.5)
    assert (figures.no_match_answered, figures.no_match_examples, figures.examples) == (0.5, 2, 4)
    assert figures.abstention_auroc == 1.0
    assert set(figures.confusion) == {
        ("flu", "flu", 1),
        ("gout", "flu", 1),
        (NO_MATCH, NO_MATCH, 1),
        (NO_MATCH, "gout", 1),
    }


def test_the_calibration_error_counts_answers_to_what_matches_nothing_as_wrong() -> None:
    figures = _small()
    # One text a bin, and each is right or wrong.
    assert figures.ece_after == pytest.approx((0.1 + 0.8 + 0.2 + 0.6) / 4)
    assert figures.ece_classes == pytest.approx((0.1 + 0.8) / 2)
    assert figures.brier_after == pytest.approx(
        ((0.01 + 0.0025 + 0.0025) + (0.64 + 0.81 + 0.01) + (0.01 + 0.04 + 0.09) + (0.01 + 0.36 + 0.49)) / 4
    )
    assert [(one.examples, one.accuracy) for one in figures.bins_after] == [(1, 0), (1, 0), (1, 0), (1, 1)]


def test_what_was_before_calibration_stands_beside_what_is_after() -> None:
    assert _small().ece_before is None
    assert _small().bins_before == ()
    sure = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    figures = _small(uncalibrated=sure)
    assert figures.ece_before == pytest.approx(0.75)
    assert figures.brier_before == pytest.approx(1.5)
    assert figures.ece_after < figures.ece_before


def test_the_worst_mistakes_are_the_surest_and_say_their_text() -> None:
    texts = ("feverish", "my big toe", "hello", "what is gout")
    worst = _small(examples=texts).mistakes
    assert [(one.example, one.truth, one.said, one.answered) for one in worst] == [
        ("my big toe", "gout", "flu", True),
        ("what is gout", NO_MATCH, "gout", True),
    ]
    assert [one.probability for one in worst] == [0.8, 0.6]
    assert [one.truth_probability for one in worst] == pytest.approx([0.1, 0.3])


def test_no_more_than_twenty_mistakes_are_told() -> None:
    labels = ("a", "b")
    figures = figures_of(np.tile([0.2, 0.7], (90, 1)), labels, ["a"] * 90, 0.5)
    assert len(figures.mistakes) == 20
    assert figures.mistakes[0].example == ""


def test_a_label_the_classifier_does_not_know_is_told_wrongly_throughout() -> None:
    figures = figures_of(np.array([[0.9, 0.1], [0.9, 0.1]]), ("flu", "gout"), ["flu", "new"], 0.5)
    by_name = {one.label: one for one in figures.labels}
    assert by_name["new"].f1 == 0
    assert by_name["new"].support == 1
    assert figures.top3 == 0.5
    assert figures.macro_f1 == pytest.approx((2 / 3 + 0) / 2)


def test_coverage_falls_as_the_threshold_rises() -> None:
    labels = [f"c{number}" for number in range(5)]
    truth = [*(labels[number % 5] for number in range(300)), *[NO_MATCH] * 60]
    figures = figures_of(_probabilities(360, 5), labels, truth, 0.4)
    coverages = [point.coverage for point in figures.points]
    assert coverages == sorted(coverages, reverse=True)
    assert coverages[0] == 1.0
    assert figures.points[0].accuracy == pytest.approx(figures.accuracy)
    for point in figures.points:
        again = figures_of(_probabilities(360, 5), labels, truth, point.threshold)
        assert (again.coverage, again.covered_accuracy, again.no_match_answered) == pytest.approx(point[1:])


@pytest.mark.parametrize("labels", [ODD[:2], ODD, tuple(f"condition {number}" for number in range(500))])
def test_two_to_five_hundred_labels_of_any_name_can_be_told_in_json(labels: tuple[str, ...]) -> None:
    texts = 4 * len(labels)
    truth = [*labels * 3, *[NO_MATCH] * len(labels)]
    figures = figures_of(_probabilities(texts, len(labels)), labels, truth, 0.2, _probabilities(texts, len(labels), 1))
    document = json.loads(json.dumps(figures.as_json(), allow_nan=False))
    assert [one["label"] for one in document["labels"]] == list(labels)
    assert sum(cell["examples"] for cell in document["confusion"]) == texts
    assert sum(one["examples"] for one in document["bins_after"]) == texts
    assert document["macro_f1"] == figures.main()["macro_f1"]
    assert not {"truth", "choices", "confidences"} & document.keys()


def test_the_main_figures_are_flat() -> None:
    assert set(_small().main()) == {
        "macro_f1",
        "weighted_f1",
        "accuracy",
        "top3",
        "top5",
        "ece_before",
        "ece_after",
        "ece_classes",
        "brier_before",
        "brier_after",
        "threshold",
        "abstention_auroc",
        "coverage",
        "covered_accuracy",
        "no_match_answered",
    }


def test_texts_of_conditions_alone_have_no_figures_of_abstention() -> None:
    figures = figures_of(np.array([[0.8, 0.1]]), ("flu", "gout"), ["flu"], 0.95)
    assert (figures.abstention_auroc, figures.no_match_answered, figures.covered_accuracy) == (None, None, None)
    assert figures.coverage == 0


def test_texts_that_all_match_nothing_cannot_be_evaluated() -> None:
    with pytest.raises(EvaluationError, match="None of the examples is of a class"):
        figures_of(np.array([[0.9, 0.1]]), ("flu", "gout"), [NO_MATCH], 0.5)


def test_columns_of_one_name_are_one_class_whose_probabilities_add_up() -> None:
    figures = figures_of(np.array([[0.3, 0.4, 0.3], [0.1, 0.8, 0.1]]), ("crane", "dog", "crane"), ["crane", "dog"], 0)
    assert figures.accuracy == 1
    assert [one.label for one in figures.labels] == ["crane", "dog"]
    assert figures.confidences == pytest.approx((0.6, 0.8))


def test_probabilities_in_single_precision_are_not_taken_for_a_chance_of_nothing() -> None:
    probabilities = softmax(np.random.default_rng(0).normal(0, 4, (400, 1_000))).astype(np.float32).astype(np.float64)
    assert (probabilities.sum(axis=1) < 1).any()
    labels = [f"class {number}" for number in range(1_000)]
    figures = figures_of(probabilities, labels, labels[:400], 0.5)
    assert figures.coverage == pytest.approx((probabilities.max(axis=1) >= 0.5).mean())
