"""The prompt for a server: fitted to its window, and with what must not leave this machine hidden in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from models.generation.contract import GroundingPassage, Turn
from models.generation.fitting import fitted
from models.generation.prompting import ChatMessage, chat
from models.generation.served.redaction import Redactor, Restoration

_NOTE = (
    "\n- Signs like <email-1> stand for something that is hidden from you: where you need one, write it as it stands."
)
# Tokens of the fence and the number around each passage.
_FENCE = 16


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent, and what puts back into the answer what was hidden.

    Attributes:
        messages: the chat.
        restorations: in the order in which they are applied.
    """

    messages: tuple[ChatMessage, ...]
    restorations: tuple[Restoration, ...] = ()

    @property
    def characters(self) -> int:
        """The length of all messages."""
        return sum(len(message.text) for message in self.messages)

    def restored(self, piece: str) -> str:
        """Give what can be shown of the answer so far that was not shown before; see `Restoration.read`."""
        for restoration in self.restorations:
            piece = restoration.read(piece)
        return piece

    def rest(self) -> str:
        """Give what was held back; the answer is complete."""
        text = ""
        for restoration in self.restorations:
            text = restoration.read(text) + restoration.finish()
        return text


def prompted(
    question: str,
    passages: Sequence[GroundingPassage],
    history: Sequence[Turn],
    *,
    window: int,
    redactor: Redactor | None,
) -> Prompt:
    """Write the prompt.

    Args:
        question: what was asked.
        passages: best first.
        history: earlier turns, oldest first.
        window: tokens that the prompt may have.
        redactor: hides what must not leave this machine; None hides nothing.

    Raises:
        ModelError: the question alone is too long.
    """
    if redactor is None:
        return Prompt(tuple(_fitted(question, passages, history, window)))
    hidden, first = redactor.hide(list(_texts(question, passages, history)))
    texts = iter(hidden)
    question = next(texts)
    passages = [replace(one, title=next(texts), question=next(texts), text=next(texts)) for one in passages]
    history = [replace(turn, question=next(texts), answer=next(texts), topic=next(texts)) for turn in history]
    messages = _fitted(question, passages, history, window)
    # Once more: what is written with hidden signs in between shows its shape only after the prompt took them out.
    hidden, second = redactor.hide([message.text for message in messages])
    messages = [replace(message, text=text) for message, text in zip(messages, hidden, strict=True)]
    if first.originals or second.originals:
        messages[0] = replace(messages[0], text=messages[0].text + _NOTE)
    return Prompt(tuple(messages), (second, first))


def _texts(question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn]) -> Iterator[str]:
    yield question
    for passage in passages:
        yield from (passage.title, passage.question, passage.text)
    for turn in history:
        yield from (turn.question, turn.answer, turn.topic)


def _fitted(
    question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn], window: int
) -> list[ChatMessage]:
    frame = sum(_tokens(message.text) for message in chat("", ())) + _tokens(_NOTE) + _FENCE * len(passages)
    kept, turns = fitted(question, passages, history, max(1, window - frame), _tokens)
    return chat(question, kept, turns)


def _tokens(text: str) -> int:
    """Estimate a text's tokens, rather too many: no server's tokenizer is at hand."""
    return len(text) // 3 + 1
