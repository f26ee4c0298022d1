"""The contract every generator keeps: a question and its passages in, the answer's text out, piece by piece."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from models.errors import GeneratorRefusedError


@dataclass(frozen=True, slots=True)
class GroundingPassage:
    """A passage that an answer may be built from.

    Attributes:
        number: the number the answer cites it by, from 1; passages come best first.
        text: what it says (CommonMark).
        title: what it is about; may be empty.
        score: how well it fits the question, relative to the other passages of the same search; above 0.
        question: when not empty, `text` is the ready answer to it and is given as it stands.
        image: the picture that the passage tells of, as JPEG without any metadata, some 1,024 pixels long at the most;
            `text` is what models of this machine say of it then. Empty where the passage is a text.
    """

    number: int
    text: str
    title: str = ""
    score: float = 1.0
    question: str = ""
    image: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier question of the conversation with the answer it got, and the title of what that rests on first."""

    question: str
    answer: str
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took: tokens read and written, and what they cost, in the currency of the prices set."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


Spent = Callable[[Usage], None]
"""Told, once an answer, what it took; also where it broke off or was not wanted any more."""


def _unasked(usage: Usage) -> None:
    """Nobody wants to know."""


class Generator(ABC):
    """Writes answers.

    Attributes:
        name: what the reply says when asked who answered.
        quotes: whether it writes in the passages' own sentences, so that nothing of it needs to be checked.
    """

    name: str
    quotes: bool = False

    @abstractmethod
    def stream(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        history: Sequence[Turn] = (),
        spent: Spent = _unasked,
    ) -> AsyncIterator[str]:
        """Yield the answer as CommonMark, piece by piece; the pieces joined are the whole answer.

        Statements are followed by the number of the passage they rest on, as ``[1]``, where the generator knows it.
        Who asked and wants no more of it closes the iterator; the work behind it ends then.

        Args:
            question: what was asked, complete in itself or understood with `history`.
            passages: at least one, best first.
            history: earlier turns, oldest first.
            spent: told what the answer took, by generators that count it.

        Raises:
            ModelError: it cannot be answered, or no further; what was yielded is to be thrown away.
        """

    def looks_at(self, passages: Sequence[GroundingPassage]) -> frozenset[int]:
        """Give the numbers of those passages whose pictures it sees itself; of the others it reads the text alone."""
        return frozenset()

    async def translate(self, text: str, language: str, spent: Spent = _unasked) -> str:
        """Give a sentence in another language, on one line of plain text.

        Args:
            text: the sentence, in English where the model has to be told.
            language: the name of the other language, in English, as ``German``.
            spent: told what it took, as in `stream`.

        Raises:
            AnswerUnusableError: what was written is no translation.
            ModelError: there is none.
        """
        raise GeneratorRefusedError(f"{self.name} does not translate.", "Have another generator do it.")

    @property
    def waking(self) -> bool:
        """Whether an answer has to wait until a model is loaded."""
        return False

    async def warm_up(self) -> None:  # noqa: B027 - most generators are ready as they are
        """Load what an answer needs, so that the first one need not wait.

        Raises:
            ModelError: it cannot be loaded.
        """

    async def close(self) -> None:  # noqa: B027 - most generators hold nothing open
        """Let go of what the generator holds; nothing is asked of it afterwards."""
