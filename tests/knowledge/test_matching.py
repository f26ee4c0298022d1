"""Where words of a question stand in a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.index.analysis import FUNCTION_TERMS, terms
from knowledge.index.matching import matched

WORDS = ("ohms", "law", "laws", "the", "forces", "Körper", "körper", "光", "光の", "速度", "x²", "½", "body")


def found(question: str, text: str) -> list[str]:
    return [text[start:end] for start, end in matched(question, text)]


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("What is Ohm's law?", "Ohm’s law: V = I R, by Georg Ohm; laws are many.", ["Ohm", "law", "Ohm", "laws"]),
        ("How do bodies accelerate?", "A body is accelerated.", ["body", "accelerated"]),
        ("What is it?", "What it is: a thing.", ["What", "it", "is"]),
        ("What is the mass?", "The weight is what it is.", []),
        ("Schrödinger equation", "SCHRÖDINGER's Equations, Schro\u0308dinger", ["SCHRÖDINGER", "Equations"]),
        ("schrodinger", "Schro\u0308dinger", ["Schro\u0308dinger"]),
        ("光の速度", "真空中の光の速度は", ["光の速度"]),
        ("光", "光", ["光"]),
        ("قانون أوم", "قانون أوم يربط", ["قانون", "أوم"]),
        ("flat-out", "flat, and out", ["flat", "out"]),
        ("its", "Newton's laws", []),
        ("", "anything", []),
        ("?!", "anything", []),
        ("anything", "", []),
    ],
)
def test_words_are_found_by_their_stems(question: str, text: str, words: list[str]) -> None:
    expected = [*words, "Schro\u0308dinger"] if "SCHRÖ" in text else words
    assert found(question, text) == expected


def test_an_emoji_before_a_word_counts_as_one_character() -> None:
    assert matched("force", "🚀🚀 Force") == ((3, 8),)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=200))
def test_spans_lie_in_the_text_in_order_and_apart(question: str, text: str) -> None:
    ends = [0, *(place for span in matched(question, text) for place in span), len(text)]
    assert ends == sorted(ends)
    assert all(start < end for start, end in matched(question, text))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "ohms",
                "law",
                "laws",
                "the",
                "force",
                "forces",
                "Körper",
                "körper",
                "光",
                "光の",
                "速度",
                "x²",
                "½",
                "body",
            ]
        ),
        max_size=9,
    )
)
def test_every_word_that_the_index_shares_is_found(words: list[str]) -> None:
    text = " ".join(words)
    for word in set(words):
        if set(terms(word)) - FUNCTION_TERMS:
            assert word in " ".join(found(word, text))
