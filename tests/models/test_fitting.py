"""Passages and history fitted to a window of tokens; here a word is a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import AnswerUnusableError
from models.generation import GroundingPassage, Turn
from models.generation.fitting import fitted, fitted_prompt

WORDS = st.lists(st.sampled_from(("mass", "force", "Energy", "is", "kept.", "it?", "1.5")), min_size=1, max_size=60)
TEXTS = WORDS.map(" ".join)
PASSAGES = st.lists(TEXTS, min_size=1, max_size=6).map(
    lambda texts: [GroundingPassage(at, text, f"Title {at}") for at, text in enumerate(texts, start=1)]
)
TURNS = st.lists(st.builds(Turn, TEXTS, TEXTS), max_size=5)


def words(text: str) -> int:
    return len(text.split())


def sentence(name: str, length: int) -> str:
    return " ".join([name.capitalize(), *["word"] * (length - 1)]) + "."


def test_what_fits_is_kept_as_it_is() -> None:
    passages = [GroundingPassage(1, "Force is mass times acceleration.", "Force"), GroundingPassage(2, "Ice floats.")]
    turns = [Turn("What is mass?", "A quantity.")]
    assert fitted("What is force?", passages, turns, 100, words) == (passages, turns)


def test_the_best_passage_is_kept_and_the_next_one_cut_at_the_end_of_a_sentence() -> None:
    first = GroundingPassage(1, sentence("alpha", 20))
    second = GroundingPassage(2, " ".join(sentence(name, 10) for name in ("beta", "gamma", "delta")))
    third = GroundingPassage(3, "Short.")
    kept, _ = fitted("Why?", [first, second, third], [], 50, words)
    assert [passage.number for passage in kept] == [1, 2]
    assert kept[1].text == f"{sentence('beta', 10)} {sentence('gamma', 10)}"


def test_a_passage_of_which_no_sentence_fits_is_left_out() -> None:
    passages = [GroundingPassage(1, sentence("alpha", 30)), GroundingPassage(2, sentence("beta", 40))]
    kept, _ = fitted("Why?", passages, [], 50, words)
    assert kept == passages[:1]


def test_the_best_passage_is_cut_within_its_sentence_rather_than_left_out() -> None:
    kept, _ = fitted("Why?", [GroundingPassage(1, sentence("alpha", 500), "A title")], [], 41, words)
    assert kept[0].text.startswith("Alpha word")
    assert 30 <= words(kept[0].text) <= 40


def test_a_passage_without_blanks_is_cut_too() -> None:
    kept, _ = fitted("?", [GroundingPassage(1, "能" * 2_000)], [], 100, len)
    assert kept[0].text == "能" * 97


def test_history_gets_what_the_passages_leave_the_newest_turns_first() -> None:
    turns = [Turn(f"Question {at}", sentence("answer", 8)) for at in range(4)]
    kept, told = fitted("Why?", [GroundingPassage(1, sentence("alpha", 20))], turns, 52, words)
    assert len(kept) == 1
    assert told == turns[2:]


def test_a_question_too_long_is_refused_with_both_figures() -> None:
    with pytest.raises(AnswerUnusableError, match="takes 90 tokens, and 84 are"):
        fitted(sentence("why", 90), [GroundingPassage(1, "Because.")], [], 100, words)


@given(question=TEXTS, passages=PASSAGES, history=TURNS, room=st.integers(80, 300))
def test_the_whole_never_takes_more_than_there_is_room_for(
    question: str, passages: list[GroundingPassage], history: list[Turn], room: int
) -> None:
    kept, turns = fitted(question, passages, history, room, words)
    texts = [question, *(part for one in kept for part in (one.title, one.text))]
    texts += [part for turn in turns for part in (turn.question, turn.answer)]
    assert sum(map(words, texts)) <= room
    assert [one.number for one in kept] == list(range(1, len(kept) + 1))
    assert kept[:-1] == passages[: len(kept) - 1]
    assert turns == history[len(history) - len(turns) :]
    assert kept[0].text


@given(question=TEXTS, passages=PASSAGES, history=TURNS, window=st.integers(150, 300))
def test_a_prompt_fits_its_window_whatever_stands_around_each_passage(
    question: str, passages: list[GroundingPassage], history: list[Turn], window: int
) -> None:
    def _render(asked: str, given: object, told: object) -> list[int]:
        assert isinstance(given, list | tuple)
        frame = ["Answer", "this:"] + ["a", "fence", "of", "many", "words"] * len(given)
        parts = [asked, *(f"{one.title} {one.text}" for one in given), str(told)]
        return [1] * (len(frame) + sum(map(words, parts)))

    assert len(fitted_prompt(question, passages, history, window, words, _render)) <= window
