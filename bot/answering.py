"""Answers a question: search, judge whether it was found, have a generator write, cite what was used."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from bot.errors import KnowledgeUnavailableError
from bot.follow_ups import Reading, readings
from bot.messages import Button, Citation, IncomingMessage, Reply
from bot.question_text import plain, require_question
from bot.settings.tree import AnswerSettings
from knowledge import Hit, KnowledgeBase, KnowledgeError
from models.generation import Generator, GroundingPassage, Turn

Progress = Callable[[Reply], Awaitable[None]]
"""Called with the answer as far as it is written."""

_NEAR = 0.25
"""Share of the question, by rarity of its words, that a passage must hold to be offered as "did you mean"."""

_LIKELY = 0.1
"""Confidence that it must have besides."""

_MENTION = re.compile(r"(?<![\w@.])@\w[\w.-]*")
"""Somebody who is named in a question: the knowledge base need not know them."""

_CITED = re.compile(r"(?<!\\)\[(\d{1,3})\]")
_HALF_CITED = re.compile(r"\\?\[\d{0,3}$|\\$")


class Answering:
    """The capability that answers from the knowledge base. Searches run in `threads`, off the event loop."""

    def __init__(
        self, knowledge: KnowledgeBase, generator: Generator, settings: AnswerSettings, threads: Executor
    ) -> None:
        self._knowledge = knowledge
        self._generator = generator
        self._settings = settings
        self._threads = threads

    async def answer(self, message: IncomingMessage, history: Sequence[Turn], progress: Progress) -> Reply:
        """Answer, or say that the knowledge base has no answer.

        Raises:
            QuestionError: there is no question in it, or too much of one.
            KnowledgeUnavailableError: the knowledge base cannot be searched.
        """
        require_question(message.text, self._settings.question_length)
        limit = message.passages or self._settings.passages
        asked = _MENTION.sub(" ", message.text).strip() or message.text
        reading, hits = await self._search(readings(asked, history), limit)
        confidence = hits[0].confidence if hits else 0.0
        if not self._suffices(hits):
            return self._decline(hits, confidence)
        draft = Reply("", outcome="answered", confidence=confidence, generator=self._generator.name)
        numbering = _Numbering(hits)
        async for text in _growing(self._generator.stream(reading.question, _grounding(hits), reading.turns)):
            draft = replace(draft, text=numbering.renumber(text))
            await progress(replace(draft, complete=False))
        if not draft.text.strip():
            return self._decline(hits, confidence)
        return replace(draft, citations=numbering.citations())

    async def _search(self, ways: Sequence[Reading], limit: int) -> tuple[Reading, list[Hit]]:
        """Search for each reading until one is answered; where none is, give what the first one found."""
        loop = asyncio.get_running_loop()
        found: list[tuple[Reading, list[Hit]]] = []
        for reading in ways:
            search = self._knowledge.search
            try:
                hits = await loop.run_in_executor(self._threads, search, reading.question, limit, reading.context)
            except KnowledgeError as error:
                raise KnowledgeUnavailableError(error.message, error.fix) from error
            if self._suffices(hits):
                return reading, hits
            found.append((reading, hits))
        return found[0]

    def _suffices(self, hits: Sequence[Hit]) -> bool:
        """Say whether what was found is likely enough to answer."""
        threshold = self._knowledge.threshold if self._settings.threshold is None else self._settings.threshold
        return bool(hits) and hits[0].confidence >= threshold

    def _decline(self, hits: Sequence[Hit], confidence: float) -> Reply:
        near = [hit.passage.title for hit in hits if hit.coverage >= _NEAR and hit.confidence >= _LIKELY]
        offered = list(dict.fromkeys(title for title in near if title))[: self._settings.suggestions]
        text = "Sorry, I don't know: nothing in my knowledge base answers that."
        if offered:
            text += "\n\nDid you mean:\n\n" + "\n".join(f"- {plain(title)}" for title in offered)
        buttons = tuple(Button(label=title, text=title, command="ask") for title in offered)
        return Reply(text, outcome="declined", confidence=confidence, buttons=buttons)


def _grounding(hits: Sequence[Hit]) -> list[GroundingPassage]:
    return [
        GroundingPassage(number, hit.passage.text, hit.passage.title, hit.score, hit.passage.question)
        for number, hit in enumerate(hits, start=1)
    ]


class _Numbering:
    """Numbers citations in the order in which the text names them, from 1, and knows which were named."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self._hits = hits
        self._numbers: dict[int, int] = {}

    def renumber(self, text: str) -> str:
        """Put the new numbers in the stead of the passages' own; the longer text keeps what the shorter had."""
        return _CITED.sub(self._number, text)

    def citations(self) -> tuple[Citation, ...]:
        """Give the passages that were named, in their new order."""
        return tuple(_citation(number, self._hits[old - 1]) for old, number in self._numbers.items())

    def _number(self, match: re.Match[str]) -> str:
        old = int(match[1])
        if not 1 <= old <= len(self._hits):
            return match[0]
        return f"[{self._numbers.setdefault(old, len(self._numbers) + 1)}]"


async def _growing(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield the text so far; a citation that may be cut in two waits for its other half."""
    text = shown = ""
    async for piece in pieces:
        text += piece
        whole = _HALF_CITED.sub("", text)
        if len(whole) > len(shown):
            shown = whole
            yield shown
    if text != shown:
        yield text


def _citation(number: int, hit: Hit) -> Citation:
    passage = hit.passage
    return Citation(number, passage.title, passage.text, passage.source, passage.location, passage.url, hit.score)
