"""The prompt for a server: fitted to its window, and with what must not leave this machine hidden in it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from models.errors import AnswerUnusableError
from models.generation.contract import GroundingPassage, Turn
from models.generation.fitting import fitted
from models.generation.prompting import ChatMessage, chat
from models.generation.served.hiding import Told
from models.generation.served.redaction import Redactor, Restoration
from models.generation.translation import in_chat

_NOTE = (
    "\n- Signs like <email-1> stand for something that is hidden from you: where you need one, write it as it stands."
)
# Tokens of the fence and the number around each passage.
_FENCE = 16
_PICTURE = 1_120
"""Tokens of a picture of 1,024 pixels, rather too many: what Gemini 3 takes for any ("Media resolution" in its guide);
its forerunner takes four tiles of 258 ("Understand and count tokens"), OpenAI's models 765."""
# Tokens of what is said about each.
_ABOUT_A_PICTURE = 80
# Of the window; the rest is for the question, the instructions and texts.
_SHARE_OF_PICTURES = 0.5


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

    @property
    def picture_tokens(self) -> int:
        """The tokens of all pictures, estimated."""
        return _PICTURE * sum(len(message.pictures) for message in self.messages)

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


def shown_pictures(passages: Sequence[GroundingPassage], window: int) -> frozenset[int]:
    """Give the numbers of the passages whose pictures have room in the window, best first, with what is said of them.

    Args:
        passages: best first.
        window: tokens that the prompt may have.
    """
    left, shown = int(_SHARE_OF_PICTURES * window), set()
    for passage in passages:
        if passage.image:
            left -= _PICTURE + _ABOUT_A_PICTURE + _FENCE + _tokens(f"{passage.title}{passage.text}")
            if left < 0:
                break
            shown.add(passage.number)
    return frozenset(shown)


def prompted(
    question: str,
    passages: Sequence[GroundingPassage],
    history: Sequence[Turn],
    *,
    window: int,
    redactor: Redactor | None,
    pictures: Collection[int] = (),
) -> Prompt:
    """Write the prompt.

    Args:
        question: what was asked.
        passages: best first.
        history: earlier turns, oldest first.
        window: tokens that the prompt may have.
        redactor: hides what must not leave this machine; None hides nothing. In a picture nothing can be hidden.
        pictures: the numbers of the passages whose pictures go along, as `shown_pictures` gives them; none goes without
            its passage.

    Raises:
        ModelError: the question alone is too long.
    """
    # What is asked about pictures is answered from them before all else.
    passages = sorted(passages, key=lambda one: one.number not in pictures)
    if redactor is None:
        return Prompt(tuple(_fitted(question, passages, history, window, pictures)))
    hidden, first = redactor.hide(list(_texts(question, passages, history)))
    texts = iter(hidden)
    question = next(texts)
    passages = [replace(one, title=next(texts), question=next(texts), text=next(texts)) for one in passages]
    history = [replace(turn, question=next(texts), answer=next(texts), topic=next(texts)) for turn in history]
    messages = _fitted(question, passages, history, window, pictures)
    # Once more: what is written with hidden signs in between shows its shape only after the prompt took them out.
    hidden, second = redactor.hide([message.text for message in messages])
    messages = [replace(message, text=text) for message, text in zip(messages, hidden, strict=True)]
    if first.originals or second.originals:
        messages[0] = replace(messages[0], text=messages[0].text + _NOTE)
    return Prompt(tuple(messages), (second, first))


def prompted_translation(text: str, language: str, *, window: int, redactor: Redactor | None) -> Prompt:
    """Write the prompt for a translation.

    Args:
        text: what is translated.
        language: the other one's name.
        window: tokens that the prompt may have.
        redactor: as in `prompted`.

    Raises:
        AnswerUnusableError: there is nothing to translate, or too much.
    """
    messages = in_chat(text, language)
    needed = sum(_tokens(message.text) for message in messages) + _tokens(_NOTE)
    if needed > window:
        raise AnswerUnusableError(
            f"A translation takes {needed:,} tokens to ask for, and the window has {window:,}.", "Raise it."
        )
    if redactor is None:
        return Prompt(tuple(messages))
    system, asked = messages
    (hidden,), restoration = redactor.hide([asked.text])
    system = replace(system, text=system.text + _NOTE) if restoration.originals else system
    return Prompt((system, replace(asked, text=hidden)), (restoration,))


def told(question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn]) -> Told:
    """Give all that a prompt tells a server besides the instructions."""
    # What is said of a picture is somebody's own, and not the knowledge base's.
    kept = [(one.title, one.question, one.text) for one in passages if not one.image]
    return Told(list(_texts(question, [one for one in passages if one.image], history)), kept)


def _texts(question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn]) -> Iterator[str]:
    yield question
    for passage in passages:
        yield from (passage.title, passage.question, passage.text)
    for turn in history:
        yield from (turn.question, turn.answer, turn.topic)


def _fitted(
    question: str,
    passages: Sequence[GroundingPassage],
    history: Sequence[Turn],
    window: int,
    pictures: Collection[int],
) -> list[ChatMessage]:
    frame = sum(_tokens(message.text) for message in chat("", ())) + _tokens(_NOTE) + _FENCE * len(passages)
    frame += (_PICTURE + _ABOUT_A_PICTURE) * len(pictures)
    kept, turns = fitted(question, passages, history, max(1, window - frame), _tokens)
    return chat(question, kept, turns, pictures)


def _tokens(text: str) -> int:
    """Estimate a text's tokens, rather too many: no server's tokenizer is at hand."""
    return len(text) // 3 + 1
