"""Fits passages and earlier turns to a model's window, by its tokens: the best passage first, whole sentences only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from models.errors import AnswerUnusableError
from models.generation.contract import GroundingPassage, Turn
from models.generation.sentences import sentences_of

Count = Callable[[str], int]
"""Gives a text's tokens."""

Render = Callable[[str, Sequence[GroundingPassage], Sequence[Turn]], Sequence[int]]
"""Gives the tokens of the whole prompt for a question, its passages and earlier turns."""

# Tokens that must be left for passages, or an answer would rest on half a sentence at most.
_LEAST = 16
# Tokens around each passage and each turn: line breaks and the like.
_BREAK = 2


def fitted(
    question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn], room: int, count: Count
) -> tuple[list[GroundingPassage], list[Turn]]:
    """Keep of passages and history what fits beside the question.

    Passages are kept whole while they fit; the first that does not is cut at the end of a sentence, and none follows.
    The best one is cut within its first sentence rather than left out. Turns get what is left, the newest first.

    Args:
        question: never cut.
        passages: best first.
        history: oldest first.
        room: tokens for question, passages and history together; what the prompt says itself is not among them.
        count: gives a text's tokens.

    Returns:
        The passages, best first, and the turns, oldest first.

    Raises:
        AnswerUnusableError: the question leaves no room for a passage; the message has both figures.
    """
    asked = count(question)
    left = room - asked
    if left < (_LEAST if passages else 0):
        raise AnswerUnusableError(
            f"The question takes {asked:,} tokens, and {max(0, room - _LEAST):,} are what the model has room for.",
            "Ask a shorter question, or choose a model with a larger window.",
        )
    kept: list[GroundingPassage] = []
    for passage in passages:
        whole = _cost(passage, count) <= left
        part = passage if whole else _cut(passage, left, count, is_best=not kept)
        if part is not None:
            kept.append(part)
            left -= _cost(part, count)
        if not whole:
            break
    return kept, list(_newest(history, left, count))[::-1]


def fitted_prompt(
    question: str,
    passages: Sequence[GroundingPassage],
    history: Sequence[Turn],
    window: int,
    count: Count,
    render: Render,
) -> Sequence[int]:
    """Give the tokens of a prompt that fits, whatever it says around question, passages and history.

    Args:
        question: never cut.
        passages: best first.
        history: oldest first.
        window: tokens that the whole prompt may have.
        count: gives a text's tokens.
        render: writes the prompt.

    Raises:
        AnswerUnusableError: the question leaves no room for a passage; the message has both figures.
    """
    room = window - len(render("", (), ()))
    while True:
        kept, turns = fitted(question, passages, history, room, count)
        prompt = render(question, kept, turns)
        if len(prompt) <= window:
            return prompt
        # What stands around each passage was not counted, and a text in its place may take other tokens than alone.
        room -= len(prompt) - window


def _cost(passage: GroundingPassage, count: Count) -> int:
    return count(passage.question or passage.title) + count(passage.text) + _BREAK


def _newest(history: Sequence[Turn], left: int, count: Count) -> Iterator[Turn]:
    for turn in reversed(history):
        left -= count(turn.question) + count(turn.answer) + 2 * _BREAK
        if left < 0:
            return
        yield turn


def _cut(passage: GroundingPassage, room: int, count: Count, is_best: bool) -> GroundingPassage | None:
    """The passage up to the last sentence that fits, if one does; the best one's heading gives way to its text."""
    headed = replace(passage, text="")
    bare = replace(headed, title="", question="")
    for shell in (headed, bare) if is_best else (headed,):
        text = _first_sentences(passage.text, room - _cost(shell, count), count)
        if text:
            return replace(shell, text=text)
    return replace(bare, text=_first_words(passage.text, room - _cost(bare, count), count)) if is_best else None


def _first_sentences(text: str, room: int, count: Count) -> str:
    written = ""
    for sentence in sentences_of(text):
        room -= count(sentence.text) + count(sentence.block) + _BREAK
        if room < 0:
            break
        written = "\n\n".join(part for part in (f"{written} {sentence.text}".strip(), sentence.block) if part)
    return written


def _first_words(text: str, room: int, count: Count) -> str:
    """As many of the first words as fit, or of the first characters where there are no blanks; found by halving."""
    words = text.split()
    separator = " "
    if count(words[0] if words else "") > room:
        words, separator = list(text), ""
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(separator.join(words[:middle])) <= room else (low, middle - 1)
    return separator.join(words[:low])
