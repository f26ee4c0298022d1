"""The contract every generator keeps: a question and its passages in, the answer's text out, piece by piece."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroundingPassage:
    """A passage that an answer may be built from.

    Attributes:
        number: the number the answer cites it by, from 1; passages come best first.
        text: what it says (CommonMark).
        title: what it is about; may be empty.
        score: how well it fits the question, relative to the other passages of the same search; above 0.
        question: when not empty, `text` is the ready answer to it and is given as it stands.
    """

    number: int
    text: str
    title: str = ""
    score: float = 1.0
    question: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier question of the conversation with the answer it got, and the title of what that rests on first."""

    question: str
    answer: str
    topic: str = ""


class Generator(ABC):
    """Writes answers. `name` is what the reply says when asked who answered."""

    name: str

    @abstractmethod
    def stream(
        self, question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn] = ()
    ) -> AsyncIterator[str]:
        """Yield the answer as CommonMark, piece by piece; the pieces joined are the whole answer.

        Statements are followed by the number of the passage they rest on, as ``[1]``.

        Args:
            question: what was asked, complete in itself or understood with `history`.
            passages: at least one, best first.
            history: earlier turns, oldest first.
        """

    async def close(self) -> None:  # noqa: B027 - most generators hold nothing open
        """Let go of what the generator holds; nothing is asked of it afterwards."""
