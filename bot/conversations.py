"""Conversations as they are kept: which one a message continues, what was said in it, and how it is forgotten."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, exists, select
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.delivery import question_key
from bot.errors import ConversationNotFoundError
from bot.messages import Citation, IncomingMessage, Reply
from bot.picture_words import first_told
from bot.seen_pictures import rows_of
from bot.tables import (
    citations,
    conversations,
    messages,
    people,
    pictures,
    places,
    workspaces,
)
from models.generation import Turn

_YEAR_2020_MS = 1_577_836_800_000

_LAST_HERE = (
    select(conversations.c.id)
    .where(conversations.c.person_id == bindparam("who"), conversations.c.place_id == bindparam("here"))
    .where(conversations.c.last_at >= bindparam("since"))
    .order_by(conversations.c.last_at.desc())
    .limit(1)
)
_person = insert(people)
_conversation = insert(conversations)
_KEEP = (
    insert(workspaces).on_conflict_do_nothing(),
    insert(places).on_conflict_do_nothing(),
    _person.on_conflict_do_update(index_elements=["id"], set_={"name": _person.excluded.name}),
    _conversation.on_conflict_do_update(index_elements=["id"], set_={"last_at": _conversation.excluded.last_at}),
    insert(messages),
    insert(citations),
    insert(pictures),
)
_in_it = messages.alias()
_taken_back = messages.c.inbox_key == bindparam("asked_with")
_TAKE_BACK = (
    delete(conversations).where(
        conversations.c.id.in_(
            select(messages.c.conversation_id).where(messages.c.inbox_key == bindparam("asked_with"))
        ),
        ~exists().where(
            _in_it.c.conversation_id == conversations.c.id,
            _in_it.c.inbox_key.is_distinct_from(bindparam("asked_with")),
        ),
    ),
    delete(messages).where(_taken_back),
)


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A question or an answer as it is kept; what only answers have is empty on questions."""

    id: int
    role: str
    text: str
    at: datetime
    outcome: str
    generator: str
    confidence: float
    elapsed_ms: float
    citations: tuple[Citation, ...]
    inbox_key: str
    capability: str


class Conversations:
    """What is kept in the database. `idle` is how long a silence ends a conversation."""

    def __init__(self, database: Database, idle: timedelta) -> None:
        self._database = database
        self._idle = idle
        self._last_id = 0

    async def continued_by(self, message: IncomingMessage) -> str:
        """Give the conversation that a message continues; empty where it opens one.

        Raises:
            ConversationNotFoundError: the message names a conversation that is not its author's.
        """
        if message.conversation_id:
            return await self._own(message.conversation_id, conversations.c.person_id == message.person_id)
        if message.opens_conversation:
            return ""
        here = {"who": message.person_id, "here": message.place.id, "since": message.received_at - self._idle}
        return await self._database.read(lambda connection: connection.scalar(_LAST_HERE, here)) or ""

    async def led_to_direct_messages(self, message: IncomingMessage) -> str:
        """Give the last conversation of somebody who writes directly, wherever it was; empty where there is none."""
        if message.place.workspace or message.opens_conversation or message.conversation_id:
            return ""
        query = (
            select(conversations.c.id)
            .where(conversations.c.person_id == message.person_id)
            .where(conversations.c.last_at >= message.received_at - self._idle)
            .order_by(conversations.c.last_at.desc())
            .limit(1)
        )
        return await self._database.read(lambda connection: connection.scalar(query)) or ""

    async def _own(self, conversation_id: str, whose: ColumnElement[bool]) -> str:
        query = select(conversations.c.id).where(conversations.c.id == conversation_id, whose)
        found = await self._database.read(lambda connection: connection.scalar(query))
        if found is None:
            raise ConversationNotFoundError("There is no such conversation.", "Leave it out to open a new one.")
        return str(found)

    async def history(self, conversation_id: str, turns: int) -> list[Turn]:
        """Give the last `turns` questions with their answers, oldest first; none from before one that was declined.

        Nor from before one that told of symptoms, or that one: a generator may see these turns.
        """
        first_cited = (citations.c.message_id == messages.c.id) & (citations.c.number == 1)
        query = (
            select(messages.c.text, messages.c.outcome, messages.c.capability, citations.c.title)
            .select_from(messages.outerjoin(citations, first_cited))
            .where(messages.c.conversation_id == conversation_id)
            .order_by(messages.c.id.desc())
            .limit(2 * turns)
        )
        rows = (await self._database.read(lambda connection: connection.execute(query).all()))[::-1]
        known: list[Turn] = []
        for question, answer in zip(rows[::2], rows[1::2], strict=True):
            if answer.outcome == "answered" and answer.capability in ("answer", "picture"):
                # A description of pictures begins with what they show: what comes next may be about that.
                topic = answer.title or (first_told(answer.text) if answer.capability == "picture" else "")
                known.append(Turn(question.text, answer.text, topic))
            else:
                # What comes next leans on this question, of which we know nothing, or may tell nothing.
                known.clear()
        return known

    async def descriptions(self, conversation_id: str, most: int = 20) -> list[str]:
        """Give what was said of symptoms in a conversation, oldest first; none where its last turn was of other things.

        Args:
            conversation_id: the conversation.
            most: how many of its last turns are looked at.
        """
        query = (
            select(messages.c.text, messages.c.capability)
            .where(messages.c.conversation_id == conversation_id, messages.c.role == "question")
            .order_by(messages.c.id.desc())
            .limit(most)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        if not rows or rows[0].capability != "diagnosis":
            return []
        return [row.text for row in reversed(rows) if row.capability == "diagnosis"]

    async def tells_of_symptoms(self, conversation_id: str) -> bool:
        """Say whether the last turn of a conversation did, as a description or as a question that sounded like one."""
        last = select(messages.c.capability).where(messages.c.conversation_id == conversation_id)
        query = last.order_by(messages.c.id.desc()).limit(1)
        return await self._database.read(lambda connection: connection.scalar(query)) in ("symptoms", "diagnosis")

    def keeping(self, message: IncomingMessage, reply: Reply) -> Change:
        """Give the change that writes a question and its answer; `reply.conversation_id` may be new."""
        place, author = message.place, message.author
        workspace_id = place.workspace_id
        answer_id = reply.answer_id or self.next_answer_id()
        rows = (
            {"id": workspace_id, "platform": place.platform, "external_id": place.workspace},
            {"id": place.id, "workspace_id": workspace_id, "channel": place.channel, "thread": place.thread},
            {"id": message.person_id, "platform": place.platform, "external_id": author.id, "name": author.name},
            {
                "id": reply.conversation_id,
                "place_id": place.id,
                "person_id": message.person_id,
                "started_at": message.received_at,
                "last_at": message.received_at,
            },
        )
        said = (_question(message, reply, answer_id - 1), _answer(message, reply, answer_id))
        cited = [_citation(answer_id, citation) for citation in reply.citations]
        return Change(_KEEP, (*((row,) for row in rows), said, cited, rows_of(message, reply, answer_id)))

    def next_answer_id(self) -> int:
        """Give a number for an answer; the one before it is its question's.

        Numbers grow with time, and two processes do not give the same: 41 bits of milliseconds since 2020, 21 of
        chance, and one that tells the question from its answer.
        """
        milliseconds = time.time_ns() // 1_000_000 - _YEAR_2020_MS
        self._last_id = max(self._last_id + 2, milliseconds << 22 | secrets.randbits(21) << 1 | 1)
        return self._last_id

    async def read(self, conversation_id: str) -> list[KeptMessage]:
        """Give all messages of a conversation, oldest first.

        Raises:
            ConversationNotFoundError: there is none.
        """
        in_it = messages.c.conversation_id == conversation_id
        cited = select(citations).join(messages).where(in_it).order_by(citations.c.message_id, citations.c.number)
        every = select(messages).where(in_it).order_by(messages.c.id)
        said, rows = await self._database.read(lambda c: (c.execute(every).all(), c.execute(cited).all()))
        if not said:
            raise ConversationNotFoundError("There is no such conversation.")
        return [_kept(row, [c for c in rows if c.message_id == row.id]) for row in said]

    async def kept_answer(self, answer_id: int, person_id: str) -> tuple[KeptMessage, KeptMessage] | None:
        """Give a person's question with its answer; None where it is not kept, or not theirs."""
        whose = conversations.c.person_id == person_id
        query = select(messages.c.conversation_id).join(conversations).where(messages.c.id == answer_id, whose)
        conversation_id = await self._database.read(lambda connection: connection.scalar(query))
        if conversation_id is None:
            return None
        said = await self.read(conversation_id)
        return next(((q, a) for q, a in pairwise(said) if a.id == answer_id), None)

    async def take_back(self, inbox_key: str) -> None:
        """Delete a question with its answer, and their conversation where nothing else was said in it."""
        await self._database.write(Change(_TAKE_BACK, ([{"asked_with": inbox_key}],) * 2))


def _question(message: IncomingMessage, reply: Reply, message_id: int) -> dict[str, Any]:
    return {
        "id": message_id,
        "conversation_id": reply.conversation_id,
        "inbox_key": reply.told_with or question_key(message),
        "role": "question",
        "text": reply.question,
        "at": message.received_at,
        "outcome": None,
        "generator": None,
        "confidence": None,
        "elapsed_ms": None,
        "capability": reply.capability,
    }


def _answer(message: IncomingMessage, reply: Reply, message_id: int) -> dict[str, Any]:
    return {
        "id": message_id,
        "conversation_id": reply.conversation_id,
        "inbox_key": reply.told_with or question_key(message),
        "role": "answer",
        "text": reply.text,
        "at": message.received_at + timedelta(milliseconds=reply.elapsed_ms),
        "outcome": reply.outcome,
        "generator": reply.generator,
        "confidence": reply.confidence,
        "elapsed_ms": reply.elapsed_ms,
        "capability": reply.capability,
    }


def _citation(message_id: int, citation: Citation) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "number": citation.number,
        "title": citation.title,
        "text": citation.text,
        "source": citation.source,
        "location": citation.location,
        "url": citation.url,
        "score": citation.score,
    }


def _kept(row: Row[Any], cited: Sequence[Row[Any]]) -> KeptMessage:
    return KeptMessage(
        id=row.id,
        role=row.role,
        text=row.text,
        at=row.at,
        outcome=row.outcome or "",
        generator=row.generator or "",
        confidence=row.confidence or 0.0,
        elapsed_ms=row.elapsed_ms or 0.0,
        citations=tuple(Citation(c.number, c.title, c.text, c.source, c.location, c.url, c.score) for c in cited),
        inbox_key=row.inbox_key or "",
        capability=row.capability,
    )
