"""What the tests of served generators share: a question, its passages, and how an answer is gathered."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from models.errors import GenerationError
from models.generation.contract import Generator, GroundingPassage, Turn, Usage
from models.generation.served.serving import Backoff

AT_ONCE = Backoff(first=0.001, longest=0.001)
"""No test waits."""

QUESTION = "How long is a metre?"
PASSAGES = [
    GroundingPassage(1, "Light travels one metre in 1/299 792 458 of a second.", "The metre"),
    GroundingPassage(2, "The second is defined by caesium.", "The second"),
]


@dataclass
class Answer:
    """What came of a question."""

    pieces: list[str] = field(default_factory=list)
    bills: list[Usage] = field(default_factory=list)
    error: GenerationError | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


async def ask(
    generator: Generator,
    question: str = QUESTION,
    passages: Sequence[GroundingPassage] = PASSAGES,
    history: Sequence[Turn] = (),
) -> Answer:
    """Ask to the end, or until it fails."""
    answer = Answer()
    try:
        async with opened(generator, answer, question, passages, history) as pieces:
            async for piece in pieces:
                answer.pieces.append(piece)
    except GenerationError as error:
        answer.error = error
    return answer


def opened(
    generator: Generator,
    answer: Answer,
    question: str = QUESTION,
    passages: Sequence[GroundingPassage] = PASSAGES,
    history: Sequence[Turn] = (),
) -> Any:
    """Begin an answer that can be closed before it is complete."""
    stream = generator.stream(question, passages, history, answer.bills.append)
    return aclosing(cast("Any", cast("AsyncIterator[str]", stream)))
