"""Two classifiers on the same texts: which is the better one, and whether that may be chance."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import f1_score

from models.errors import EvaluationError
from models.evaluation.classification import NO_MATCH
from models.evaluation.classification.comparison import Comparison, compare, mcnemar
from models.evaluation.classification.figures import Figures, figures_of

LABELS = ("flu", "gout", "migraine")


def _figures(truth: Sequence[str], chosen: Sequence[str], sure: float = 0.8, labels: Sequence[str] = LABELS) -> Figures:
    probabilities = np.full((len(truth), len(labels)), (1 - sure) / len(labels))
    for row, label in enumerate(chosen):
        probabilities[row, labels.index(label)] = sure
    return figures_of(probabilities, labels, truth, 0.5)


def _told(wrong: int, texts: int = 120) -> tuple[list[str], list[str]]:
    """Give truths, and choices of which so many, spread over the texts, are wrong."""
    truth = [LABELS[row % 3] for row in range(texts)]
    chosen = [LABELS[(row + (row * 37 % texts < wrong)) % 3] for row in range(texts)]
    return truth, chosen


def _compared(new_wrong: int, old_wrong: int) -> Comparison:
    truth, new = _told(new_wrong)
    _, old = _told(old_wrong)
    return compare(_figures(truth, new), _figures(truth, old), "mine", "floor")


def test_a_classifier_that_is_clearly_better_is_said_to_be_so() -> None:
    found = _compared(5, 50)
    assert not found.is_worse
    assert found.beyond_chance
    assert found.gain_low > 0.2
    assert (found.only_new_right, found.only_old_right) == (45, 0)
    assert found.p_value < 1e-9
    assert found.sentence.startswith("mine does better than floor: macro F1 0.958 against 0.583, beyond chance (95%")


def test_a_classifier_that_is_clearly_worse_is_said_to_be_so() -> None:
    found = _compared(50, 5)
    assert found.is_worse
    assert found.gain_high < 0
    assert "mine does worse than floor" in found.sentence
    assert "beyond chance" in found.sentence


def test_a_little_worse_is_worse_though_it_may_be_chance() -> None:
    found = _compared(12, 11)
    assert found.is_worse
    assert not found.beyond_chance
    assert "which may be chance" in found.sentence


def test_the_same_choices_are_as_good_and_the_surer_of_the_right_ones_is_the_better() -> None:
    truth, chosen = _told(10)
    old, new = _figures(truth, chosen, 0.6), _figures(truth, chosen, 0.8)
    found = compare(new, old)
    assert found.gain == 0
    assert (found.p_value, found.gain_low, found.gain_high) == (1, 0, 0)
    assert "does as well as the model in use" in found.sentence
    assert not found.is_worse
    assert compare(old, new).is_worse
    assert not compare(new, new).is_worse


def test_the_interval_is_that_of_scikit_learns_macro_f1_over_texts_drawn_anew() -> None:
    truth, new = _told(20, 90)
    _, old = _told(35, 90)
    found = compare(_figures(truth, new), _figures(truth, old))
    drawing, gains = np.random.default_rng(7), []
    columns = np.array([truth, new, old])
    for _ in range(300):
        true, one, other = columns[:, drawing.integers(0, 90, 90)]
        gains.append(f1_score(true, one, average="macro") - f1_score(true, other, average="macro"))
    assert (found.gain_low, found.gain_high) == pytest.approx(tuple(np.quantile(gains, (0.025, 0.975))), abs=0.04)


def test_conditions_the_other_one_does_not_know_count_against_it() -> None:
    truth = ["flu", "gout"] * 20
    old = _figures(truth, ["flu"] * 40, labels=("flu", "measles"))
    new = _figures(truth, truth)
    found = compare(new, old)
    assert (found.new_macro_f1, found.old_macro_f1) == pytest.approx((1.0, 1 / 3))
    assert compare(old, new).is_worse


def test_texts_that_match_nothing_are_not_compared() -> None:
    truth = ["flu", "gout", NO_MATCH, NO_MATCH]
    found = compare(_figures(truth, ["flu", "gout", "flu", "flu"]), _figures(truth, ["flu", "gout", "gout", "gout"]))
    assert (found.examples, found.gain) == (2, 0)


def test_different_texts_cannot_be_compared() -> None:
    with pytest.raises(EvaluationError, match="not tried on the same examples"):
        compare(_figures(["flu"], ["flu"]), _figures(["gout"], ["gout"]))


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemars_test_is_that_of_a_fair_coin(new: int, old: int) -> None:
    expected = min(1.0, 2 * float(binom.cdf(min(new, old), new + old, 0.5)))
    assert mcnemar(new, old) == pytest.approx(expected)


def test_a_comparison_can_be_told_in_json() -> None:
    document = json.loads(json.dumps(_compared(5, 50).as_json()))
    assert document["gain"] == pytest.approx(0.375, abs=0.001)
    assert (document["is_worse"], document["beyond_chance"]) == (False, True)
    assert document["sentence"].startswith("mine does better")


def test_a_probability_too_small_to_be_written_is_not_told_as_0() -> None:
    truth = [*LABELS] * 700
    found = compare(_figures(truth, truth), _figures(truth, [LABELS[0]] * 2_100))
    assert found.p_value == 0
    assert "McNemar's p < 1e-300, 2,100 examples" in found.sentence
