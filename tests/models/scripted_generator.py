"""A generator that says what a test tells it to, for tests of what stands around generators."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from models.generation import Generator, GroundingPassage, Spent, Turn, Usage


class ScriptedGenerator(Generator):
    """Answers each question as written down for it; a number in the stead of an answer is how long it keeps silent."""

    def __init__(self, answers: Mapping[str, str | Exception | float], name: str = "scripted") -> None:
        self.name = name
        self.answers = answers
        self.asked: list[str] = []
        self.warmed_up = False

    async def warm_up(self) -> None:
        self.warmed_up = True

    async def stream(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        history: Sequence[Turn] = (),
        spent: Spent = lambda usage: None,
    ) -> AsyncIterator[str]:
        self.asked.append(question)
        answer = self.answers[question]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return
        spent(Usage(100, 10, 0.5))
        for word in answer.split(" "):
            yield f"{word} "
