"""The conversations of one person in one place as a list: newest first, a page at a time, searched and renamed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, bindparam, exists, func, or_, select, tuple_, update

from bot.database import Change, Database
from bot.errors import ConversationNotFoundError, QuestionError
from bot.messages import IncomingMessage
from bot.question_text import shortened
from bot.tables import UtcDateTime, conversations, messages

LONGEST_TITLE = 120
"""Characters of a title."""

_DEFAULT_TITLE = 80
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9A-Za-z]{1,64})")

_first_question = (
    select(messages.c.text)
    .where(messages.c.conversation_id == conversations.c.id)
    .order_by(messages.c.id)
    .limit(1)
    .scalar_subquery()
)
_number = (
    select(func.count()).where(messages.c.conversation_id == conversations.c.id).select_from(messages).scalar_subquery()
)
_own = (conversations.c.person_id == bindparam("who", type_=String)) & (
    conversations.c.place_id == bindparam("here", type_=String)
)
_ENTRIES = select(
    conversations.c.id,
    conversations.c.title,
    conversations.c.started_at,
    conversations.c.last_at,
    _first_question.label("first_question"),
    _number.label("messages"),
).where(_own)
_RENAME = (
    update(conversations)
    .where(_own, conversations.c.id == bindparam("renamed", type_=String))
    .values(title=bindparam("called", type_=String)),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A conversation in the list. `title` is its owner's name for it, or else its first question, shortened."""

    id: str
    title: str
    started_at: datetime
    last_at: datetime
    messages: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some conversations, and where the next ones begin: a cursor, or empty where there are none."""

    entries: tuple[Entry, ...]
    next: str


class ConversationList:
    """Lists what is kept in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, owner: IncomingMessage, search: str, limit: int, before: str) -> Page:
        """Give those conversations of a message's author that were held where it was written.

        Args:
            owner: the message.
            search: what their title, or something said in them, must hold, in capitals or not; empty for all.
            limit: how many at the most.
            before: the cursor of the page before; empty for the first one.

        Raises:
            QuestionError: the cursor is none of ours.
        """
        query = _ENTRIES.order_by(conversations.c.last_at.desc(), conversations.c.id.desc()).limit(limit + 1)
        if before:
            query = query.where(tuple_(conversations.c.last_at, conversations.c.id) < _begin(before))
        if search:
            query = query.where(_holds(search))
        rows = await self._rows(owner, query)
        entries = tuple(map(_entry, rows[:limit]))
        return Page(entries, _cursor(entries[-1]) if len(rows) > limit else "")

    async def rename(self, owner: IncomingMessage, conversation_id: str, title: str) -> Entry:
        """Call a conversation otherwise, and give it as it is now; an empty title is that of before.

        Raises:
            QuestionError: the title is too long.
            ConversationNotFoundError: there is no such conversation of the author's in that place.
        """
        if len(title) > LONGEST_TITLE:
            raise QuestionError(f"A title has up to {LONGEST_TITLE} characters.", "Write a shorter one.")
        row = _whose(owner) | {"renamed": conversation_id, "called": " ".join(title.split())}
        if not await self._database.write(Change(_RENAME, ([row],), counted=True)):
            raise ConversationNotFoundError("There is no such conversation.")
        return await self.entry(owner, conversation_id)

    async def entry(self, owner: IncomingMessage, conversation_id: str) -> Entry:
        """Give one conversation.

        Raises:
            ConversationNotFoundError: there is no such conversation of the author's in that place.
        """
        rows = await self._rows(owner, _ENTRIES.where(conversations.c.id == conversation_id))
        if not rows:
            raise ConversationNotFoundError("There is no such conversation.")
        return _entry(rows[0])

    async def _rows(self, owner: IncomingMessage, query: Select[Any]) -> Sequence[Row[Any]]:
        return await self._database.read(lambda connection: connection.execute(query, _whose(owner)).all())


def _whose(owner: IncomingMessage) -> dict[str, str]:
    return {"who": owner.person_id, "here": owner.place.id}


def _entry(row: Row[Any]) -> Entry:
    title = row.title or shortened(row.first_question or "", _DEFAULT_TITLE)
    return Entry(row.id, title, row.started_at, row.last_at, row.messages)


def _holds(search: str) -> ColumnElement[bool]:
    """Say that a title or a message holds a text. SQLite knows capitals of ASCII alone, so others are tried, too."""
    forms = dict.fromkeys((search, search.lower(), search.upper(), search.capitalize(), search.title()))
    wanted = list(forms) if not search.isascii() else [search]
    said = or_(*(messages.c.text.contains(form, autoescape=True) for form in wanted))
    return or_(
        *(conversations.c.title.contains(form, autoescape=True) for form in wanted),
        exists().where(messages.c.conversation_id == conversations.c.id, said),
    )


def _cursor(entry: Entry) -> str:
    return f"{_microseconds(entry.last_at)}-{entry.id}"


def _begin(cursor: str) -> Any:  # noqa: ANN401 - SQLAlchemy's tuple of two types
    read = _CURSOR.fullmatch(cursor)
    if read is None:
        raise QuestionError("That is no place in the list.", "Leave `before` out, or send the `next` of a page.")
    seconds, rest = divmod(int(read[1]), 1_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    except (ValueError, OverflowError, OSError):
        raise QuestionError(
            "That is no place in the list.", "Leave `before` out, or send the `next` of a page."
        ) from None
    return tuple_(bindparam(None, moment, type_=UtcDateTime), bindparam(None, read[2], type_=String))


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
