"""Inbox and outbox: what was accepted is a row before it is acknowledged, what is said is a row before it is sent."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, select

from bot.database import Change, Database
from bot.delivery_statements import (
    ACCEPT,
    AT_THE_LANE,
    CLAIM,
    CLOSE,
    GIVE_UP,
    PUT_OUT,
    SET_ASIDE,
    STANDS,
    SUPERSEDE,
    UNANSWERED,
)
from bot.errors import ClaimLostError, StorageRefusedError
from bot.leases import Lease
from bot.limits import TooMany
from bot.messages import IncomingMessage, Place, Reply
from bot.prepared import run
from bot.tables import inbox, outbox

_message_json = TypeAdapter(IncomingMessage)
_reply_json = TypeAdapter(Reply)


log = structlog.get_logger(__name__)

_AT_ONCE = 500
"""Keys in one query: SQLite takes so many parameters."""


def platform_key(place: Place, key: str) -> str:
    """Give the inbox key of a platform's message."""
    return f"{place.platform}/{key}"


def inbox_key(message: IncomingMessage) -> str:
    """Name a message among those of all platforms."""
    return platform_key(message.place, message.key)


def question_key(message: IncomingMessage) -> str:
    """Name the question that a message asks: for an edited one, the first form of it."""
    return platform_key(message.place, message.revises or message.key)


def idempotency_key(message: IncomingMessage, part: int) -> str:
    """Name a part of the reply to a message, the same at every try."""
    return f"{inbox_key(message)}#reply/{part}"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a reply on its way out.

    Attributes:
        key: its idempotency key.
        reply: what it says; None where that is not written yet, or was sent already.
        sent_id: the platform's name for what stands there and is to be edited; empty where nothing does.
        is_sent: whether it was delivered in its final form.
    """

    key: str
    reply: Reply | None
    sent_id: str = ""
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message that was accepted earlier came from, and the lane it was in (see `bot.lanes`)."""

    place: Place
    person_id: str
    received_at: datetime
    lane: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message that was handed in.

    Attributes:
        is_new: False where its key has been here before.
        is_next: whether it can be queued behind what this process is at; else whoever is at its lane finds it.
        too_many: set where it is one too many for the limits.
    """

    is_new: bool
    is_next: bool = False
    too_many: TooMany | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A message that was accepted and is not finished, its lane, and what was put out of the reply.

    `retried_at` is set where its reply had been given up and an admin had it tried again.
    """

    message: IncomingMessage
    parts: tuple[Part, ...]
    lane: str = ""
    retried_at: datetime | None = None


class Delivery:
    """The two tables that make sure that no message is lost and none is answered twice.

    What is written of a message holds only while this process has the claim to it. That is looked up in the very
    transaction: a process that was stopped, and declared dead meanwhile, writes nothing more of it.

    Args:
        database: where the tables are.
        lease: this process's name among others; without one everything belongs to nobody.

    Attributes:
        accepted: the inbox keys of what is a row of this process's since a moment, and not queued yet: whoever queues
            a message takes it out. A repeated event is none of them, so that it hides no row that was left.
    """

    def __init__(self, database: Database, lease: Lease | None = None) -> None:
        self._database = database
        self._lease = lease
        self.accepted: set[str] = set()

    @property
    def claim(self) -> str:
        """What this process claims messages under now."""
        return self._lease.id if self._lease else ""

    async def accept(
        self,
        message: IncomingMessage,
        lane: str = "",
        *,
        here: bool = False,
        known: Container[str] = (),
        counted: Callable[[Connection, IncomingMessage], TooMany | None] | None = None,
    ) -> Accepted:
        """Commit a message under its key.

        Where another process is at the same lane, the message is that one's: so a lane keeps its order.

        Args:
            message: what was handed in.
            lane: what it keeps its order with.
            here: whether this process alone can answer it, since the asker waits at its door.
            known: the inbox keys of what this process is at.
            counted: counts it against the limits, in the same transaction.

        Raises:
            StorageError: it was not committed, so it must not be acknowledged.
        """
        row: dict[str, Any] = {
            "key": inbox_key(message),
            "platform": message.place.platform,
            "person_id": message.person_id,
            "place_id": message.place.id,
            "message_id": message.message_id,
            "payload": _message_json.dump_json(message).decode(),
            "received_at": message.received_at,
            "is_open": True,
            "lane": lane,
        }
        own = self.claim

        def _accept(connection: Connection) -> Accepted:
            # Of lanes without a name none keeps an order.
            waiting = connection.exec_driver_sql(AT_THE_LANE, (lane,)).all() if lane and not here else []
            claim = waiting[-1].claimed_by if waiting else own
            if not run(connection, ACCEPT, [row | {"claimed_by": claim}]):
                return Accepted(is_new=False)
            too_many = counted(connection, message) if counted else None
            if too_many and claim != own:
                # To be refused it needs no turn, and only this process knows that it is.
                connection.execute(CLAIM, {"claimed": row["key"], "claim": own})
            is_next = bool(too_many) or (claim == own and all(one.key in known for one in waiting))
            if is_next:
                self.accepted.add(row["key"])
            return Accepted(True, is_next, too_many)

        return await self._database.transact(_accept)

    async def require(self, claim: str) -> None:
        """Let pass who still has a claim to what it is about to send.

        Raises:
            ClaimLostError: another process may have taken it up.
            StorageError: that cannot be known.
        """
        if self._lease and not await self._lease.holds(claim):
            raise _lost()

    async def write(self, message: IncomingMessage, change: Change, *, is_urgent: bool = True) -> None:
        """Write what holds only while this process has the claim to a message; see `Database.write`.

        Raises:
            ClaimLostError: it has not.
            StorageError: it was not written.
        """
        try:
            await self._database.write(change, is_urgent=is_urgent)
        except StorageRefusedError as error:
            query = select(inbox.c.claimed_by).where(inbox.c.key == inbox_key(message))
            if await self._database.read(lambda connection: connection.scalar(query)) == self.claim:
                raise
            raise _lost() from error

    async def origin(self, key: str) -> Origin | None:
        """Tell where the message of this inbox key came from; None where there is none."""
        columns = (inbox.c.place_id, inbox.c.person_id, inbox.c.received_at, inbox.c.lane)
        query = select(*columns).where(inbox.c.key == key)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None or not row.place_id:
            return None
        return Origin(Place.of_id(row.place_id), row.person_id, row.received_at, row.lane)

    async def lane(self, message: IncomingMessage) -> str:
        """Name what a message must keep its order with."""
        origin = await self.origin(question_key(message)) if message.revises else None
        if origin:
            return origin.lane or f"{origin.place.id} {origin.person_id}"
        alone = message.opens_conversation and message.key
        return message.conversation_id or alone or f"{message.place.id} {message.person_id}"

    async def is_open(self, message: IncomingMessage) -> bool:
        """Say whether a message still waits for its answer: it may have been edited or taken back meanwhile."""
        query = select(inbox.c.is_open).where(inbox.c.key == inbox_key(message))
        return bool(await self._database.read(lambda connection: connection.scalar(query)))

    async def standing(self, key: str) -> list[str]:
        """Give the platform's names for the parts of the answer, as it stands, to the question of this inbox key."""
        query = select(outbox.c.sent_id).where(outbox.c.answers == key, outbox.c.sent_id.is_not(None))
        ordered = query.order_by(outbox.c.part)
        found = await self._database.read(lambda connection: connection.scalars(ordered).all())
        # After a crash in the midst of an edit, both forms of the answer name what stands.
        return list(dict.fromkeys(found))

    def putting_out(self, message: IncomingMessage, parts: Sequence[Part]) -> Change:
        """Give the change that writes down a reply which is about to be sent."""
        return Change(PUT_OUT, ([self._row(message, number, part) for number, part in enumerate(parts)],))

    async def begin(self, message: IncomingMessage, number: int) -> None:
        """Note that a part is about to be shown while the answer still grows."""
        part = Part(idempotency_key(message, number), None)
        await self.write(message, Change(PUT_OUT, ([self._row(message, number, part)],)))

    async def stands(self, key: str, sent_id: str, *, final: bool) -> None:
        """Note as what a part was delivered, and whether in its final form."""
        row = {"sent_key": key, "sent_as": sent_id, "final": final, "claim": self.claim}
        await self._database.write(Change(STANDS, ([row],)))

    async def close(
        self,
        message: IncomingMessage,
        outcome: str,
        parts: Sequence[Part] = (),
        revises: str = "",
        *,
        retried: bool = False,
    ) -> None:
        """Note that a reply was sent: the message is done, and its text is no longer kept here.

        Where there are parts, nothing else stands of what was shown while the answer grew; nor of the answer to the
        message with the key `revises`, whose place this reply took. One that was `retried` is given up no more.

        Raises:
            ClaimLostError: another process has taken the message up.
            StorageError: it was not written.
        """
        claim = self.claim
        sent = [{"sent_key": part.key, "sent_as": part.sent_id, "final": True, "claim": claim} for part in parts]
        own = inbox_key(message)
        done = [{"done_key": own, "ended": outcome, "claim": claim}]
        grown = [{"own": own}] if sent else []
        gone = [{"question": platform_key(message.place, revises), "own": own}] if revises else []
        again = [{"own": own}] if retried else []
        # The asker has the reply already.
        await self.write(message, Change(CLOSE, (sent, grown, gone, again, done)), is_urgent=False)

    async def supersede(self, message: IncomingMessage) -> None:
        """Close earlier forms of the question that `message` revises where they are open: they need no answer."""
        own = inbox_key(message)
        row = {"question": question_key(message), "own": own}
        edits = {"revised": message.revises, "on": platform_key(message.place, ""), "own": own}
        await self._database.write(Change(SUPERSEDE, ([row], [edits], [row])))

    async def give_up(self, message: IncomingMessage, reason: str, now: datetime, *, keeps: bool) -> None:
        """Note that the reply was not delivered, and why.

        Args:
            message: what was to be answered.
            reason: in words, with nothing of the message in them.
            now: the time (UTC).
            keeps: whether message and reply stay, to be tried again by hand; else what was written is dropped.

        Raises:
            ClaimLostError: another process has taken the message up.
            StorageError: it was not written.
        """
        own, claim = inbox_key(message), self.claim
        done = {"done_key": own, "ended": "undelivered", "claim": claim}
        if keeps:
            row = {"inbox_key": own, "since": now, "reason": reason, "retried_at": None}
            await self.write(message, Change(SET_ASIDE, ([row], [done])))
        else:
            await self.write(message, Change(GIVE_UP, ([{"own": own}], [done])))

    async def unanswered(self, keys: Sequence[str]) -> list[Unanswered]:
        """Give those of these messages that are open, and this process's, oldest first; with what was put out of them.

        Raises:
            StorageError: the database cannot be read.
        """
        mine = select(inbox.c.key).where(inbox.c.key.in_(keys), inbox.c.claimed_by == self.claim)
        return await self._database.read(lambda connection: unanswered(connection, connection.scalars(mine).all()))

    def _row(self, message: IncomingMessage, number: int, part: Part) -> dict[str, Any]:
        revised = part.reply.revises if part.reply else ""
        return {
            "idempotency_key": part.key,
            "own": inbox_key(message),
            "claim": self.claim,
            "answers": platform_key(message.place, revised) if revised else question_key(message),
            "part": number,
            "payload": _reply_json.dump_json(part.reply).decode() if part.reply else None,
            "sent_id": part.sent_id or None,
            "is_sent": False,
            "created_at": message.received_at,
        }


def _lost() -> ClaimLostError:
    return ClaimLostError("Another process has taken this up.")


def unanswered(connection: Connection, keys: Sequence[str]) -> list[Unanswered]:
    """Give those of these messages that are open, oldest first; one that is not understood is left out."""
    rows = [row for at in range(0, len(keys), _AT_ONCE) for row in _open_rows(connection, keys[at : at + _AT_ONCE])]
    groups = (list(group) for _, group in groupby(rows, key=lambda row: row.key))
    return [left for group in groups if (left := _unanswered(group)) is not None]


def _open_rows(connection: Connection, keys: Sequence[str]) -> Sequence[Any]:
    return connection.execute(UNANSWERED, {"keys": keys}).all()


def _unanswered(rows: Sequence[Any]) -> Unanswered | None:
    first = rows[0]
    try:
        message = _message_json.validate_json(first.payload)
        parts = tuple(_part(row) for row in rows if row.idempotency_key is not None)
    except ValidationError:
        # Another version wrote it: one message less must not keep the bot from starting.
        log.error("message in the inbox not understood", key=first.key)  # noqa: TRY400 - its text would be in the traceback
        return None
    return Unanswered(message, parts, first.lane, first.retried_at)


def _part(row: Row[Any]) -> Part:
    reply = _reply_json.validate_json(row.reply) if row.reply else None
    return Part(row.idempotency_key, reply, row.sent_id or "", row.is_sent)
