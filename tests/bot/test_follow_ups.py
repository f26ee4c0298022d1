"""How a question is read after another one."""

import pytest

from bot.follow_ups import readings
from models.generation import Turn

OHM = Turn("what is Ohm's law?", "Ohm's law says … [1]", "Ohm's law")


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("who discovered it?", "who discovered Ohm's law?"),
        ("what is its unit", "what is Ohm's law unit"),
        ("why?", "why? Ohm's law"),
        ("give me an example", "give me an example Ohm's law"),
    ],
)
def test_what_names_nothing_of_its_own_is_about_the_last_topic(question: str, read: str) -> None:
    assert readings(question, [OHM])[0].question == read


@pytest.mark.parametrize("question", ["what about torque?", "and entropy?", "What is a photon?"])
def test_a_new_topic_is_first_taken_by_itself(question: str) -> None:
    first = readings(question, [OHM])[0]
    assert (first.question, first.context) == (question, [])


@pytest.mark.parametrize("said", ["thanks", "hello", "who are you?", "what can you do", "ok thank you"])
def test_small_talk_is_about_no_topic(said: str) -> None:
    assert all("Ohm" not in reading.question and reading.context == [] for reading in readings(said, [OHM]))


def test_one_among_several_leans_on_the_last_question() -> None:
    first = readings("and the third one?", [OHM])[0]
    assert first.context == ["what is Ohm's law? Ohm's law"]


def test_a_long_question_stands_for_itself() -> None:
    question = "How does the resistance of a metal wire change when the temperature of it rises?"
    assert [reading.context for reading in readings(question, [OHM])] == [[]]


def test_without_history_there_is_one_reading() -> None:
    assert len(readings("and its unit?", [])) == 1


def test_a_turn_without_a_topic_lends_its_question() -> None:
    assert readings("why?", [Turn("Is light fast?", "Yes.")])[0].question == "why? Is light fast?"
