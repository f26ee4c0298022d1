"""Questions that are shown as examples: they read right, and are answered."""

import json
from pathlib import Path

import pytest

from knowledge import KnowledgeBase, starter
from knowledge.example_questions import example_questions


def opened(tmp_path: Path, items: object) -> KnowledgeBase:
    (tmp_path / "items.json").write_text(json.dumps(items), encoding="utf-8")
    base = KnowledgeBase([tmp_path / "items.json"], tmp_path / "index")
    base.open()
    return base


@pytest.fixture(scope="module")
def physics(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    base = KnowledgeBase([starter.folder()], tmp_path_factory.mktemp("physics"))
    base.open()
    return base


@pytest.mark.parametrize("day", ["2026-01-01", "2026-06-30", "2028-02-29"])
def test_the_starter_gives_six_that_it_answers(physics: KnowledgeBase, day: str) -> None:
    questions = example_questions(physics, day)
    assert len(set(questions)) == 6
    for question in questions:
        assert question.startswith(("What is ", "What are "))
        assert physics.search(question)[0].confidence >= physics.threshold


def test_another_day_gives_others_and_the_same_day_the_same(physics: KnowledgeBase) -> None:
    assert example_questions(physics, "monday") == example_questions(physics, "monday")
    assert example_questions(physics, "monday") != example_questions(physics, "tuesday")


ITEMS = [
    {"title": "Ohm's law", "context": "Ohm's law states that voltage is current times resistance."},
    {"title": "Photoelectric effect", "context": "The photoelectric effect is the emission of electrons by light."},
    {"title": "Cosmic rays", "context": "Cosmic rays are particles from space; most cosmic rays are protons."},
    {"title": "Brownian motion", "context": "Brownian motion is the jitter of small grains in a liquid."},
    {"title": "Opening hours", "context": "The office is open from 8 until 6."},
    {"title": "Plumbing (see also taps)", "context": "Plumbing (see also taps) is the craft of pipes."},
]


def test_a_title_is_made_a_question_only_where_that_reads_right(tmp_path: Path) -> None:
    assert set(example_questions(opened(tmp_path, ITEMS), "today")) == {
        "What is Ohm's law?",
        "What is the photoelectric effect?",
        "What are cosmic rays?",
    }


def test_ready_questions_come_first_and_as_they_stand(tmp_path: Path) -> None:
    ready = {"question": "How do I reset my password?", "answer": "Press the button under the keyboard."}
    assert example_questions(opened(tmp_path, [*ITEMS, ready]), "today", 1) == ["How do I reset my password?"]


def test_where_nothing_reads_as_a_question_there_is_none(tmp_path: Path) -> None:
    assert example_questions(opened(tmp_path, ITEMS[4:]), "today") == []


def test_titles_drawn_by_lot_come_once_and_are_the_same_for_the_same_seed(physics: KnowledgeBase) -> None:
    drawn = physics.drawn_titles("seed", 120)
    assert len(drawn) == len(set(drawn)) == 120
    assert drawn == physics.drawn_titles("seed", 120)
    assert drawn != physics.drawn_titles("another", 120)
    assert set(drawn) <= set(physics.titles("", 10_000))


def test_of_few_titles_all_are_drawn(tmp_path: Path) -> None:
    base = opened(tmp_path, ITEMS)
    assert set(base.drawn_titles("seed", 50)) == {item["title"] for item in ITEMS}
    assert base.drawn_titles("seed", 0) == []
