"""The evidence for a match, and the probability made of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.confidence import Calibration, Evidence, evidence, read_question
from knowledge.errors import CalibrationError
from knowledge.index.tfidf import Fields, TfidfIndex

BODIES = ["Torque turns a body about an axis.", "Gears change speed and torque.", "Bread rises by yeast."]
INDEX = TfidfIndex.fit(Fields(body.split()[0], body) for body in BODIES)
CALIBRATION = Calibration((5.0, 3.0, 1.0, -4.0, -2.0), -3.5, 0.5, 0.97, 0.08, 0.07, 400, 300, "abc", "2026-01-01")


def of_best(question: str, context: tuple[str, ...] = ()) -> Evidence:
    best = INDEX.search(question, 1, context)[0]
    return evidence(read_question(question, context), best, len(INDEX))


def test_a_question_of_known_words_is_known_and_covered() -> None:
    best = of_best("What torque turns a body?")
    assert (best.known, best.coverage) == (pytest.approx(1), pytest.approx(1))
    assert best.strength > 0


def test_strange_words_lower_what_is_known() -> None:
    assert of_best("torque of the xylophone quartet").known < 0.5


def test_a_score_that_hangs_on_one_word_of_many_is_concentrated() -> None:
    assert of_best("does yeast sing xylophone songs").concentration > of_best("does bread rise by yeast").concentration


def test_a_single_word_hangs_on_nothing_else() -> None:
    assert of_best("torque").concentration == 0


def test_names_that_the_passage_does_not_hold_are_counted() -> None:
    assert of_best("Did Nikola Tesla invent torque?").missing_names == 2
    assert of_best("DID NIKOLA TESLA INVENT TORQUE?").missing_names == 0
    assert of_best("Gears. Are they torque?").missing_names == 0


def test_a_question_of_function_words_alone_is_not_known_without_a_turn_before_it() -> None:
    assert of_best("what is it by?").known == 0
    assert of_best("what is it by?", ("what is torque?",)).known == 1


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 5))
def test_confidence_is_a_probability(figures: tuple[float, float, float, float, float]) -> None:
    assert 0 <= CALIBRATION.confidence(Evidence(*figures)) <= 1


@given(st.text(st.characters(codec=None)))
def test_any_text_is_read(text: str) -> None:
    assert read_question(text).words >= 1


def test_a_calibration_comes_back_from_disk(tmp_path: Path) -> None:
    CALIBRATION.save(tmp_path / "calibration.json")
    assert Calibration.read(tmp_path / "calibration.json") == CALIBRATION


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"evidence": ["other"]}', "[" * 100_000])
def test_a_broken_calibration_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(CalibrationError, match=r"calibration\.json"):
        Calibration.read(path)
