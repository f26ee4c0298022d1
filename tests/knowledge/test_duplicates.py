"""When two passages say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.passages import Passage
from knowledge.storage.duplicates import content_digest, likeness, normalised

LONG = "Light travels through empty space at the same speed for everybody, however fast they move themselves."


def passage(text: str, title: str = "", question: str = "", source: str = "a.json") -> Passage:
    return Passage(text=text, source=source, location="line 1", title=title, question=question)


@pytest.mark.parametrize("other", [LONG.upper(), LONG.replace(",", " –"), f"**{LONG}**", LONG.replace(" ", "\n\t")])
def test_case_spacing_punctuation_and_markup_make_no_difference(other: str) -> None:
    assert likeness(passage(LONG)) == likeness(passage(other, title="Another", source="b.md"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("-5 °C", "5 °C"), ("C++ is a language", "C# is a language"), ("3.5 km", "35 km"), ("a > b", "a < b"), ("a", "b")],
)
def test_signs_that_change_the_meaning_are_kept(one: str, other: str) -> None:
    assert likeness(passage(one)) != likeness(passage(other))


def test_short_texts_under_different_titles_are_different() -> None:
    assert likeness(passage("Run `make`.", title="Linux")) != likeness(passage("Run `make`.", title="macOS"))


def test_the_same_ready_answer_to_two_questions_is_kept_twice() -> None:
    assert likeness(passage(LONG, question="How fast?")) != likeness(passage(LONG, question="Why?"))


def test_moving_a_passage_to_another_file_changes_nothing_a_reader_sees() -> None:
    assert content_digest(passage(LONG)) == content_digest(passage(LONG, source="b.json"))
    assert content_digest(passage(LONG)) != content_digest(passage(LONG, title="Light"))


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
