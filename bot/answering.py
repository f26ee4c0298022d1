"""Answers a question: search, judge whether it was found, have the generators write, cite what was used."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import replace

from bot.choices import Choices
from bot.describing import Shown
from bot.errors import KnowledgeUnavailableError
from bot.follow_ups import Reading, picture_readings, readings
from bot.generators import IN_HOUSE
from bot.messages import Button, Citation, IncomingMessage, Place, Reply
from bot.question_text import plain, require_question
from bot.settings.tree import AnswerSettings
from bot.stages import Stages
from knowledge import Hit, KnowledgeBase, KnowledgeError
from knowledge.index.matching import matched
from models.generation import GroundingPassage, Turn
from models.generation.chain import FLOOR, Account, Chain, Draft

Progress = Callable[[Reply], Awaitable[None]]
"""Called with the answer as far as it is written."""

_NEAR = 0.25
"""Share of the question, by rarity of its words, that a passage must hold to be offered as "did you mean"."""

_LIKELY = 0.1
"""Confidence that it must have besides."""

_MENTION = re.compile(r"(?<![\w@.])@\w[\w.-]*")
"""Somebody who is named in a question: the knowledge base need not know them."""

WAKING = Reply("Waking up the model …", complete=False)

_PICTURE = "The picture you sent"

_STAYS = "Because this may tell of symptoms, nobody outside this machine was asked."

_UNCITED = "*Not from the knowledge base.*"

# Code and tables, whose brackets are their own, or the number of a passage as it is put behind a text.
_CITED = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t>]*(?P=fence)|\Z)|^[ \t>]*\|[^\n]*$"
    r"|(?<!`)(?P<ticks>`++)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)|(?<!\S)\[(?P<number>\d{1,3})\](?!\S)",
    re.MULTILINE | re.DOTALL,
)


class Answering:
    """The capability that answers from the knowledge base.

    Args:
        knowledge: what is searched.
        chain: has the answers written.
        order: gives the generators' names for a place, the one to ask first first.
        settings: how questions are answered.
        threads: where searches run, off the event loop.
        seeing: the generators that are shown pictures themselves.
        stages: times the search and the writing.
    """

    def __init__(
        self,
        knowledge: KnowledgeBase,
        chain: Chain,
        order: Callable[[Place], Sequence[str]],
        settings: AnswerSettings,
        threads: Executor,
        seeing: Collection[str] = (),
        stages: Stages | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._chain = chain
        self._choices = Choices(knowledge, order, threads)
        self._settings = settings
        self._threads = threads
        self._seeing = seeing
        self._stages = stages or Stages()

    async def answer(
        self,
        message: IncomingMessage,
        history: Sequence[Turn],
        account: Account,
        progress: Progress,
        *,
        in_house: bool = False,
        shown: Shown | None = None,
    ) -> Reply:
        """Answer, or say that the knowledge base has no answer.

        Args:
            message: the question.
            history: earlier turns of the conversation, oldest first.
            account: on whose account generators write.
            progress: shows the answer while it grows.
            in_house: whether only generators on this machine may see it.
            shown: the pictures that came with it.

        Raises:
            QuestionError: there is no question in it, or too much of one; or what it chooses is not there.
            KnowledgeUnavailableError: the knowledge base cannot be searched.
        """
        require_question(message.text, self._settings.question_length)
        order = await self._choices.order(message)
        asked = _MENTION.sub(" ", message.text).strip() or message.text
        ways = picture_readings(asked, shown.topic) if shown else readings(asked, history)
        with self._stages.at("search", message) as step:
            reading, hits = await self._search(ways, message, all_of_them=shown is not None)
            step.attributes["passages"] = len(hits)
        order = [name for name in order if name in IN_HOUSE or not in_house]
        if not self._suffices(hits):
            # Who sees the pictures may know what they show without the knowledge base.
            order = [name for name in order if name in self._seeing] if shown else []
            if not order:
                return self._decline(hits)
            reading, hits = Reading(asked), []
        sources = _sources(hits, shown)
        turns = tuple(history) if shown and not hits else reading.turns
        writing = self._chain.write(reading.question, _grounding(hits, shown), turns, order, account)
        draft = await self._last(writing, message, sources, progress)
        if not draft.text.strip():
            return replace(self._decline(hits), generator=draft.generator)
        reply = replace(_reply(draft, sources), confidence=hits[0].confidence if hits else 0.0)
        if in_house and message.generator not in ("", *IN_HOUSE):
            reply = replace(reply, note=f"{_STAYS} {reply.note}".strip())
        return await asyncio.get_running_loop().run_in_executor(self._threads, _marked, reply, reading.question)

    async def _last(
        self,
        writing: AsyncGenerator[Draft],
        message: IncomingMessage,
        sources: Sequence[Citation],
        progress: Progress,
    ) -> Draft:
        """Show the drafts as they come, and give the last one."""
        draft = Draft("")
        with self._stages.at("generate", message) as step:
            async with aclosing(writing) as drafts:
                async for draft in drafts:
                    if message.streaming:
                        growing = WAKING if draft.state == "waking" else _reply(draft, sources)
                        # How long a platform takes to show it is not the generator's time.
                        with step.paused():
                            await progress(replace(growing, complete=False, citations=(), note=""))
            step.attributes |= {"generator": draft.generator, "outcome": draft.state}
        return draft

    async def _search(
        self, ways: Sequence[Reading], message: IncomingMessage, *, all_of_them: bool
    ) -> tuple[Reading, list[Hit]]:
        """Search for each reading until one is answered; where none is, give what the first one found.

        With `all_of_them` the surest one holds: a question beside a picture need not be about what that shows.
        """
        loop, search = asyncio.get_running_loop(), self._knowledge.search
        limit = message.passages or self._settings.passages
        found: list[tuple[Reading, list[Hit]]] = []
        if len(ways) > 1:
            ways = await loop.run_in_executor(self._threads, self._ordered, ways)
        for reading in ways:
            wanted = (reading.question, limit, reading.context, message.source)
            try:
                hits = await loop.run_in_executor(self._threads, search, *wanted)
            except KnowledgeError as error:
                raise KnowledgeUnavailableError(error.message, error.fix) from error
            if self._suffices(hits) and not all_of_them:
                return reading, hits
            found.append((reading, hits))
        return max(found, key=_confidence) if all_of_them else found[0]

    def _ordered(self, ways: Sequence[Reading]) -> Sequence[Reading]:
        """Put first what has a ready answer: then the question means just that, whatever was talked of before."""
        return sorted(ways, key=lambda way: not self._knowledge.has_ready_answer(way.question))

    def _suffices(self, hits: Sequence[Hit]) -> bool:
        """Say whether what was found is likely enough to answer."""
        threshold = self._knowledge.threshold if self._settings.threshold is None else self._settings.threshold
        return bool(hits) and hits[0].confidence >= threshold

    def _decline(self, hits: Sequence[Hit]) -> Reply:
        confidence = hits[0].confidence if hits else 0.0
        near = [hit.passage.title for hit in hits if hit.coverage >= _NEAR and hit.confidence >= _LIKELY]
        offered = list(dict.fromkeys(title for title in near if title))[: self._settings.suggestions]
        text = "Sorry, I don't know: nothing in my knowledge base answers that."
        if offered:
            text += "\n\nDid you mean:\n\n" + "\n".join(f"- {plain(title)}" for title in offered)
        buttons = tuple(Button(label=title, text=title, command="ask") for title in offered)
        return Reply(text, outcome="declined", confidence=confidence, buttons=buttons)


def _confidence(found: tuple[Reading, list[Hit]]) -> float:
    _, hits = found
    return hits[0].confidence if hits else 0.0


def _grounding(hits: Sequence[Hit], shown: Shown | None) -> list[GroundingPassage]:
    passages = [
        GroundingPassage(number, hit.passage.text, hit.passage.title, hit.score, hit.passage.question)
        for number, hit in enumerate(hits, start=1)
    ]
    score = min((hit.score for hit in hits), default=1.0)
    pictures = [
        GroundingPassage(number, text, _PICTURE, score, image=preview)
        for number, (text, preview) in enumerate(shown.previews if shown else (), start=len(hits) + 1)
    ]
    return passages + pictures


def _sources(hits: Sequence[Hit], shown: Shown | None) -> list[Citation]:
    """Give what can be cited, in the order of the passages."""
    pictures = [Citation(0, _PICTURE, text, "", "", "", 1.0) for text, _ in (shown.previews if shown else ())]
    return [_citation(hit) for hit in hits] + pictures


def _reply(draft: Draft, sources: Sequence[Citation]) -> Reply:
    """Give a draft as a reply: citations in the order in which the text names them, from 1, and what is to be said."""
    numbers: dict[int, int] = {}

    def _number(match: re.Match[str]) -> str:
        old = int(match["number"] or 0)
        return f"[{numbers.setdefault(old, len(numbers) + 1)}]" if 1 <= old <= len(sources) else match[0]

    text = _CITED.sub(_number, draft.text)
    return Reply(
        text if draft.cited else f"{text}\n\n{_UNCITED}",
        outcome="answered",
        generator=draft.generator,
        citations=tuple(replace(sources[old - 1], number=number) for old, number in numbers.items()),
        note=_note(draft),
    )


def _marked(reply: Reply, question: str) -> Reply:
    """Mark where words of the question stand in what is cited."""
    cited = (replace(citation, matched=matched(question, citation.text)) for citation in reply.citations)
    return replace(reply, citations=tuple(cited))


def _note(draft: Draft) -> str:
    """Say who wrote an answer that is not quoted, who had begun it, and what of it nobody could check."""
    broke_off = f"{draft.gave_up} broke off. " if draft.gave_up else ""
    if draft.generator != FLOOR:
        sight = " What it sees in the picture was not checked." if draft.unchecked else ""
        return f"{broke_off}Written by {draft.generator}.{sight}"
    return f"{broke_off}These are the passages' own words." if broke_off else ""


def _citation(hit: Hit) -> Citation:
    passage = hit.passage
    title = passage.title or passage.question
    return Citation(0, title, passage.text, passage.source, passage.location, passage.url, hit.score)
