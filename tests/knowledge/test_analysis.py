"""How a text becomes index terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.index.analysis import FUNCTION_WORDS, LONGEST_TERM, TermMemo, query_words, stems, terms, words

any_text = st.text(st.characters(), max_size=200)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Newton's FIRST law", ["newton", "first", "law"]),
        ("the body’s weight", ["the", "body", "weight"]),
        ("Schrödinger and Ångström", ["schrodinger", "and", "angstrom"]),
        ("E = mc² at 5 ℃", ["e", "mc2", "at", "5", "c"]),
        ("ﬁeld, Ｆield", ["field", "field"]),
        ("boundary-layer snake_case", ["boundary", "layer", "snake", "case"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("牛頓運動", ["牛頓", "頓運", "運動"]),
        ("力", ["力"]),
    ],
)
def test_words_are_normalised(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_forms_of_one_word_share_a_term() -> None:
    assert len({*terms("accelerate"), *terms("accelerated"), *terms("accelerating")}) == 1


@pytest.mark.parametrize("text", ["", "   ", "?!…", "😀👍🏽", "\x00\x07\x1b", "\ud800\udfff", "\u202e\u200f", "__"])
def test_a_text_without_words_has_no_terms(text: str) -> None:
    assert terms(text) == []


def test_what_stands_beside_a_lone_surrogate_is_kept() -> None:
    assert terms("light\ud800 speed") == ["light", "speed"]


def test_an_endless_word_is_cut() -> None:
    assert [len(term) for term in terms("x" * 100_000)] == [LONGEST_TERM]


def test_ordinals_and_negations_are_no_function_words() -> None:
    assert not FUNCTION_WORDS & {"first", "second", "third", "no", "not", "without", "never", "more", "less"}


def test_words_of_a_question_are_shown_as_they_were_written() -> None:
    asked = query_words("What's Newton's (Third) law?")
    assert [(word.written, word.term) for word in asked] == [
        ("What", "what"),
        ("Newton", "newton"),
        ("Third", "third"),
        ("law", "law"),
    ]


def test_words_with_signs_beyond_ascii_are_shown_as_they_were_written() -> None:
    asked = query_words("„Schrödinger’s“ Gleichung?")
    assert [(word.written, word.term) for word in asked] == [("Schrödinger", "schroding"), ("Gleichung", "gleichung")]


@given(any_text)
def test_a_question_has_the_terms_that_its_text_has(text: str) -> None:
    assert [word.term for word in query_words(text)] == terms(text)


@given(any_text)
def test_terms_are_clean_whatever_the_text(text: str) -> None:
    for word in words(text):
        assert 0 < len(word) <= LONGEST_TERM
        assert not any(sign.isspace() for sign in word)


@given(st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True)))
def test_remembered_terms_are_the_same(found: list[str]) -> None:
    memo = TermMemo()
    assert [memo[word] for word in found] == stems(found)
    assert set(memo) == set(found)
