"""The audit: who used which admin command, where, when, with which words and outcome; also what was refused."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Delete, Update, and_, bindparam, delete, func, literal, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.errors import ASKERS_DOING
from bot.messages import IncomingMessage, Reply
from bot.question_text import plain, shortened
from bot.tables import access_rules, audit, paired_people, pairing_codes, people, rate_limits

STARTED = "started"
"""The outcome of what is not finished: the process died over it, if it is not quite new."""

TOLD = "told"
"""Begins the names under which `bot.access` keeps in `rate_limits` whom it told of a refusal; see `told_name`."""

_LONGEST_ARGUMENT = 500

_LISTED = 20

_LONGEST_WORD = 10
"""Letters of the longest word that commands have."""

_SHORTEST_NAME = 2
"""Letters; shorter names are too often something else."""

_THEIR_ID = func.substr(bindparam("forgotten"), func.instr(bindparam("forgotten"), ":") + 1)
_THEIR_NAME = select(people.c.name).where(people.c.id == bindparam("forgotten")).scalar_subquery()


def _says(words: Any, before: str = "[^0-9A-Za-z_]") -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy has no better type
    """Say whether an argument has words in it, whole and not as a part of others: "1" is not in "discord:12"."""
    # A sign that nobody types stands for them: what they are is anybody's choice, and GLOB has signs of its own.
    marked = func.char(2).concat(func.replace(audit.c.argument, words, func.char(1))).concat(func.char(2))
    return (func.length(words) > 0) & marked.op("GLOB")(f"*{before}\x01[^0-9A-Za-z_]*")


# A short id may be a word; a platform, or a mention's sign, tells that it is none.
_names_their_id = or_(_says(_THEIR_ID, "[:@!]"), and_(func.length(_THEIR_ID) > _LONGEST_WORD, _says(_THEIR_ID)))
_mentions_them = literal("@").concat(_THEIR_NAME)
_told_them = func.instr(rate_limits.c.name, literal(f"{TOLD}/").concat(bindparam("forgotten")).concat("/")) == 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One use of an admin command.

    Attributes:
        at: when (UTC).
        person_id: who; empty where they were forgotten.
        place_id: where.
        action: the command.
        argument: what was typed behind it.
        outcome: "started", or how it ended: "done", "refused", "failed".
    """

    at: datetime
    person_id: str
    place_id: str
    action: str
    argument: str
    outcome: str


class Audit:
    """The table."""

    forget_statements: ClassVar[tuple[Update | Delete, ...]] = (
        update(audit).where(audit.c.person_id == bindparam("forgotten")).values(person_id="", argument=""),
        update(audit).where(_names_their_id).values(argument=""),
        # The name alone, and not what stands around it: people choose their names, and one may be called "deny".
        update(audit)
        .where(func.length(_THEIR_NAME) > _SHORTEST_NAME, _says(_THEIR_NAME))
        .values(argument=func.replace(audit.c.argument, _THEIR_NAME, "…")),
        update(audit)
        .where(func.length(_THEIR_NAME) > 0, _says(_mentions_them))
        .values(argument=func.replace(audit.c.argument, _mentions_them, "@…")),
        delete(paired_people).where(paired_people.c.person_id == bindparam("forgotten")),
        update(paired_people).where(paired_people.c.by == bindparam("forgotten")).values(by=""),
        update(pairing_codes).where(pairing_codes.c.by == bindparam("forgotten")).values(by=""),
        update(access_rules).where(access_rules.c.by == bindparam("forgotten")).values(by=""),
        delete(rate_limits).where(_told_them),
    )
    """What is done when the person "forgotten" is; before their row in `people` goes, which knows their name.

    A rule that concerns them stays: who could have oneself forgotten by it would lift one's own ban.
    """

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._kept_for = timedelta(days=days)

    async def note(self, message: IncomingMessage, action: str, outcome: str) -> int:
        """Write down that somebody used a command, or was refused it; give the entry's number.

        Raises:
            StorageError: it was not written, so that the command must not be done.
        """
        argument = " ".join((message.text, *(f"({one})" for one in message.mentions)))
        return await self.note_of(message.person_id, message.place.id, action, argument, outcome)

    async def note_of(self, person_id: str, place_id: str, action: str, argument: str, outcome: str) -> int:
        """The same for what came by no message. Raises what `note` does."""
        row = {
            "at": datetime.now(UTC),
            "person_id": person_id,
            "place_id": place_id,
            "action": action,
            "argument": shortened(argument, _LONGEST_ARGUMENT),
            "outcome": outcome,
        }
        return await self._database.transact(lambda connection: int(connection.execute(_NOTE, row).scalar_one()))

    async def ended(self, number: int, outcome: str) -> None:
        """Write down how it ended."""
        await self._database.write(Change(_END, ([{"number": number, "ended": outcome}],)))

    @contextlib.asynccontextmanager
    async def noting(self, message: IncomingMessage, action: str) -> AsyncIterator[list[Reply]]:
        """Write down, before the body, that somebody uses a command, and behind it how it ended.

        The body puts the reply into the list; where it raises, the error tells the outcome.

        Raises:
            StorageError: it was not written, and the body was not run.
        """
        async with self._ended_as_it_ends(await self.note(message, action, STARTED)) as replies:
            yield replies

    @contextlib.asynccontextmanager
    async def noting_of(self, person_id: str, place_id: str, action: str, argument: str) -> AsyncIterator[list[Reply]]:
        """The same for what came by no message. Raises what `noting` does."""
        number = await self.note_of(person_id, place_id, action, argument, STARTED)
        async with self._ended_as_it_ends(number) as replies:
            yield replies

    @contextlib.asynccontextmanager
    async def _ended_as_it_ends(self, number: int) -> AsyncIterator[list[Reply]]:
        replies: list[Reply] = []
        try:
            yield replies
        except ASKERS_DOING:
            await self.ended(number, "refused")
            raise
        # Only noted: what it is belongs to whoever called.
        except Exception:
            await self.ended(number, "failed")
            raise
        await self.ended(number, replies[-1].outcome if replies else "done")

    async def entries(self, most: int = _LISTED, since: datetime | None = None, within: str = "") -> Sequence[Entry]:
        """Give the newest entries, newest first.

        Args:
            most: how many.
            since: none older than this.
            within: only those of this workspace, as `Place.workspace_id` names it; empty: of all.
        """
        query = select(
            audit.c.at, audit.c.person_id, audit.c.place_id, audit.c.action, audit.c.argument, audit.c.outcome
        )
        if since is not None:
            query = query.where(audit.c.at >= since)
        if within:
            query = query.where(func.instr(audit.c.place_id, f"{within}/") == 1)
        newest = query.order_by(audit.c.id.desc()).limit(most)
        rows = await self._database.read(lambda connection: connection.execute(newest).all())
        return [Entry(*row) for row in rows]

    async def prune(self, now: datetime) -> int:
        """Delete what is older than the setting; say how many entries that were."""
        old = delete(audit).where(audit.c.at < now - self._kept_for)
        return await self._database.transact(lambda connection: connection.execute(old).rowcount)


_NOTE = insert(audit).returning(audit.c.id)
_END = (update(audit).where(audit.c.id == bindparam("number")).values(outcome=bindparam("ended")),)


def told_name(message: IncomingMessage) -> str:
    """Name, in `rate_limits`, that somebody was told of a refusal in a channel."""
    return f"{TOLD}/{message.person_id}/{message.place.channel_id}"


def in_words(entries: Sequence[Entry], since: datetime | None = None) -> str:
    """Give entries as CommonMark, one a line; `since` is from when on they were looked for."""
    if not entries:
        return (
            f"No admin command was used since {since:%Y-%m-%d %H:%M} UTC."
            if since
            else "No admin command was used yet."
        )
    lines = (
        f"- {entry.at:%Y-%m-%d %H:%M} UTC · `{entry.person_id or 'somebody forgotten'}`"
        f" in `{entry.place_id.rstrip('/')}` · {plain(f'{entry.action} {entry.argument}'.strip())} · {entry.outcome}"
        for entry in entries
    )
    return "\n".join(lines)


def document(entries: Sequence[Entry]) -> list[dict[str, str]]:
    """Give the JSON form of entries."""
    return [
        {
            "at": entry.at.isoformat(),
            "person_id": entry.person_id,
            "place_id": entry.place_id,
            "action": entry.action,
            "argument": entry.argument,
            "outcome": entry.outcome,
        }
        for entry in entries
    ]
