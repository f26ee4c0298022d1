"""Phrases: the person's own words, in order, without overlap, and never function words alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.diagnosis.phrases import MOST_PHRASES, content_words, is_telling, phrases, without

WORDS = """
    my chest hurts and, but with on . the fever I'm — itchy skin ¿ 发烧 n't for weeks 38.5
    """.split()  # noqa: SIM905
WRITTEN = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [
                "my",
                "chest",
                "hurts",
                "and,",
                "but",
                "with",
                "on",
                ".",
                "the",
                "fever",
                "I'm",
                "—",
                "itchy",
                "skin",
                "¿",
                "发烧",
                "n't",
                "for",
                "weeks",
                "38.5",
            ]
        ),
        max_size=80,
    ).map(" ".join),
)


def cut(text: str) -> list[str]:
    return [phrase.text for phrase in phrases(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("itchy red patches with silvery scales on my elbows", ["itchy red patches", "silvery scales", "on my elbows"]),
        ("Fever and chills, but no cough.", ["Fever", "chills", "no cough"]),
        ("headache", ["headache"]),
        ("I have it and it is", []),
        ("", []),
        ("...!?", []),
    ],
)
def test_a_description_is_cut_where_a_reader_would_pause(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_what_nobody_pauses_in_is_cut_into_pieces_of_six_words_at_the_most() -> None:
    pieces = cut("burning sour pain climbing slowly upwards every night leaving throat raw voice hoarse teeth sore")
    assert len(pieces) == 3
    assert all(len(piece.split()) <= 6 for piece in pieces)


def test_a_long_text_has_no_more_phrases_than_are_paid_for() -> None:
    assert len(phrases("a burning pain, then itching, " * 700)) == MOST_PHRASES
    assert len(phrases("a burning pain, then itching, " * 700, most=1)) == 1


def test_a_text_without_a_phrase_keeps_all_its_other_words() -> None:
    text = "itchy patches with silvery scales on my elbows"
    assert without(text, phrases(text)[1]).split() == ["itchy", "patches", "with", "on", "my", "elbows"]


def test_function_words_and_numbers_tell_nothing() -> None:
    assert content_words("I have had 3 of these since my last week: fever, don't know why") == [
        "last",
        "fever",
        "don't",
        "know",
    ]
    assert not is_telling("I've")
    assert is_telling("痛")


@given(WRITTEN, st.integers(1, 20))
def test_phrases_are_the_persons_own_words_in_order_and_do_not_overlap(text: str, most: int) -> None:
    found = phrases(text, most)
    assert len(found) <= most
    assert all(phrase.text == text[phrase.start : phrase.end] for phrase in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(content_words(phrase.text) for phrase in found)


@given(WRITTEN)
def test_leaving_out_a_phrase_leaves_out_nothing_else(text: str) -> None:
    for phrase in phrases(text):
        rest = without(text, phrase)
        assert "".join(rest.split()) == "".join((text[: phrase.start] + text[phrase.end :]).split())
