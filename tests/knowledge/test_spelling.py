"""Misspelt words and the known words nearest to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.index.spelling import SpellingIndex, correctable, edit_distance

KNOWN = ["acceleration", "accelerator", "capacitor", "energy", "entropy", "gravity", "newton", "momentum", "wave"]
ascii_word = st.from_regex(r"[a-z]{4,12}", fullmatch=True)


@pytest.fixture(scope="module")
def index() -> SpellingIndex:
    return SpellingIndex.of(KNOWN, [10 * number for number in range(len(KNOWN))])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("entrpy", "entropy"),
        ("enttropy", "entropy"),
        ("entrapy", "entropy"),
        ("entorpy", "entropy"),
        ("netwon", "newton"),
        ("enegry", "energy"),
        ("wawe", "wave"),
        ("accelaratoin", "acceleration"),
        ("capasiter", "capacitor"),
    ],
)
def test_a_slip_is_understood(index: SpellingIndex, written: str, meant: str) -> None:
    best = index.nearest(written)[0]
    assert (best.word, best.term) == (meant, 10 * KNOWN.index(meant))


def test_the_nearest_words_alone_are_offered() -> None:
    index = SpellingIndex.of(["barn", "bark", "born"], [0, 1, 2])
    assert {near.word for near in index.nearest("barm", limit=3)} == {"barn", "bark"}
    assert len(index.nearest("barm", limit=1)) == 1


def test_words_of_one_term_count_once() -> None:
    index = SpellingIndex.of(["charge", "charged", "charges"], [7, 7, 7])
    assert [near.term for near in index.nearest("chargez")] == [7]


@pytest.mark.parametrize("written", ["", "ene", "xyzzy", "energizing", "2023", "en3rgy", "gr\ud800vity"])
def test_a_word_that_resembles_none_is_left_alone(index: SpellingIndex, written: str) -> None:
    assert index.nearest(written) == []


def test_an_empty_index_offers_nothing() -> None:
    assert SpellingIndex.of([], []).nearest("energy") == []


def test_the_number_of_edits_is_told(index: SpellingIndex) -> None:
    assert [index.nearest(written)[0].edits for written in ("momentun", "monentun")] == [1, 2]


def test_short_words_and_numbers_cannot_be_corrected() -> None:
    assert [correctable(word) for word in ("law", "wave", "h2o4", "größe")] == [False, True, False, True]


@given(ascii_word, st.data())
def test_one_edit_is_at_distance_one_at_most(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 2))
    letter = data.draw(st.sampled_from("abcxyz"))
    edited = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
    )
    assert edit_distance(word, edited, 2) == (edited != word)


@given(ascii_word, ascii_word)
def test_distance_is_symmetric_and_bounded(one: str, other: str) -> None:
    there = edit_distance(one, other, 2)
    assert there == edit_distance(other, one, 2)
    assert 0 <= there <= 3
    assert (there == 0) == (one == other)
