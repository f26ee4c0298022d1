"""Inbox and outbox: what was accepted is a row before it is acknowledged, what is said is a row before it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row, and_, bindparam, exists, func, null, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.messages import IncomingMessage, Place, Reply
from bot.tables import inbox, outbox

_message_json = TypeAdapter(IncomingMessage)
_reply_json = TypeAdapter(Reply)


log = structlog.get_logger(__name__)


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
    """Where a message that was accepted earlier came from."""

    place: Place
    person_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A message that an earlier run accepted and did not finish, and what it had put out of the reply."""

    message: IncomingMessage
    parts: tuple[Part, ...]


class Delivery:
    """The two tables that make sure that no message is lost and none is answered twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, message: IncomingMessage) -> bool:
        """Commit a message under its key; False when that key has been here before.

        Raises:
            StorageError: it was not committed, so it must not be acknowledged.
        """
        row = {
            "key": inbox_key(message),
            "platform": message.place.platform,
            "person_id": message.person_id,
            "place_id": message.place.id,
            "message_id": message.message_id,
            "payload": _message_json.dump_json(message).decode(),
            "received_at": message.received_at,
            "is_open": True,
        }
        return await self._database.write(Change(_ACCEPT, ([row],), counted=True)) == 1

    async def origin(self, key: str) -> Origin | None:
        """Tell where the message of this inbox key came from; None where there is none."""
        query = select(inbox.c.place_id, inbox.c.person_id, inbox.c.received_at).where(inbox.c.key == key)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None or not row.place_id:
            return None
        return Origin(Place.of_id(row.place_id), row.person_id, row.received_at)

    async def standing(self, key: str) -> list[str]:
        """Give the platform's names for the parts of the answer, as it stands, to the question of this inbox key."""
        query = select(outbox.c.sent_id).where(outbox.c.answers == key, outbox.c.sent_id.is_not(None))
        ordered = query.order_by(outbox.c.part)
        found = await self._database.read(lambda connection: connection.scalars(ordered).all())
        # After a crash in the midst of an edit, both forms of the answer name what stands.
        return list(dict.fromkeys(found))

    def putting_out(self, message: IncomingMessage, parts: Sequence[Part]) -> Change:
        """Give the change that writes down a reply which is about to be sent."""
        rows = [_row(message, number, part) for number, part in enumerate(parts)]
        return Change(_PUT_OUT, (rows,))

    async def begin(self, message: IncomingMessage, number: int) -> None:
        """Note that a part is about to be shown while the answer still grows."""
        part = Part(idempotency_key(message, number), None)
        await self._database.write(Change(_PUT_OUT, ([_row(message, number, part)],)))

    async def stands(self, key: str, sent_id: str, *, final: bool) -> None:
        """Note as what a part was delivered, and whether in its final form."""
        row = {"sent_key": key, "sent_as": sent_id, "final": final}
        await self._database.write(Change(_STANDS, ([row],)))

    async def close(
        self, message: IncomingMessage, outcome: str, parts: Sequence[Part] = (), revises: str = ""
    ) -> None:
        """Note that a reply was sent: the message is done, and its text is no longer kept here.

        Where there are parts, nothing else stands of what was shown while the answer grew; nor of the answer to the
        message with the key `revises`, whose place this reply took.
        """
        sent = [{"sent_key": part.key, "sent_as": part.sent_id, "final": True} for part in parts]
        own = inbox_key(message)
        done = [{"done_key": own, "ended": outcome}]
        grown = [{"own": own}] if sent else []
        gone = [{"question": platform_key(message.place, revises), "own": own}] if revises else []
        await self._database.write(Change(_CLOSE, (sent, grown, gone, done)))

    async def supersede(self, message: IncomingMessage) -> None:
        """Close earlier forms of the question that `message` revises where they are open: they need no answer."""
        row = {"question": question_key(message), "own": inbox_key(message)}
        await self._database.write(Change(_SUPERSEDE, ([row],) * 2))

    async def give_up(self, message: IncomingMessage) -> None:
        """Note that the platform will not take the reply; what was written of it is no longer kept here."""
        own = inbox_key(message)
        await self._database.write(Change(_GIVE_UP, ([{"own": own}], [{"done_key": own, "ended": "undelivered"}])))

    async def unanswered(self, platform: str) -> list[Unanswered]:
        """Give what was accepted and not finished, oldest first; with what was put out of the reply already."""
        query = (
            select(inbox.c.key, inbox.c.payload, *_part_columns)
            .select_from(inbox.outerjoin(outbox, outbox.c.inbox_key == inbox.c.key))
            .where(inbox.c.is_open, inbox.c.platform == platform, inbox.c.payload.is_not(None))
            .order_by(inbox.c.id, outbox.c.part)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        groups = (list(group) for _, group in groupby(rows, key=lambda row: row[0]))
        return [unanswered for group in groups if (unanswered := _unanswered(group)) is not None]

    async def let_go(self, platform: str, before: datetime) -> None:
        """Close messages received before a moment, whose askers cannot be waiting any more, and drop their texts."""
        await self._database.write(Change(_LET_GO, ([{"of": platform, "before": before}],) * 2))


def _row(message: IncomingMessage, number: int, part: Part) -> dict[str, Any]:
    revised = part.reply.revises if part.reply else ""
    return {
        "idempotency_key": part.key,
        "inbox_key": inbox_key(message),
        "answers": platform_key(message.place, revised) if revised else question_key(message),
        "part": number,
        "payload": _reply_json.dump_json(part.reply).decode() if part.reply else None,
        "sent_id": part.sent_id or None,
        "is_sent": False,
        "created_at": message.received_at,
    }


def _unanswered(rows: Sequence[Any]) -> Unanswered | None:
    first = rows[0]
    try:
        message = _message_json.validate_json(first.payload)
        parts = tuple(_part(row) for row in rows if row.idempotency_key is not None)
    except ValidationError:
        # Another version wrote it: one message less must not keep the bot from starting.
        log.error("message in the inbox not understood", key=first.key)  # noqa: TRY400 - its text would be in the traceback
        return None
    return Unanswered(message, parts)


def _part(row: Row[Any]) -> Part:
    reply = _reply_json.validate_json(row.reply) if row.reply else None
    return Part(row.idempotency_key, reply, row.sent_id or "", row.is_sent)


_part_columns = (outbox.c.idempotency_key, outbox.c.payload.label("reply"), outbox.c.sent_id, outbox.c.is_sent)
_ACCEPT = (insert(inbox).on_conflict_do_nothing(),)
_put_out = insert(outbox)
_PUT_OUT = (
    # A part that was shown while the answer grew has its row, with the name under which it stands.
    _put_out.on_conflict_do_update(
        index_elements=["idempotency_key"],
        set_={
            "payload": _put_out.excluded.payload,
            "sent_id": func.coalesce(_put_out.excluded.sent_id, outbox.c.sent_id),
        },
    ),
)
_STANDS = (
    update(outbox)
    .where(outbox.c.idempotency_key == bindparam("sent_key"))
    .values(sent_id=bindparam("sent_as"), is_sent=bindparam("final"), payload=null()),
)
_END = (
    update(inbox)
    .where(inbox.c.key == bindparam("done_key"))
    .values(is_open=False, outcome=bindparam("ended"), payload=null())
)
_CLOSE = (
    *_STANDS,
    update(outbox)
    .where(outbox.c.inbox_key == bindparam("own"), outbox.c.is_sent.is_(False))
    .values(sent_id=null(), payload=null()),
    update(outbox)
    .where(outbox.c.answers == bindparam("question"), outbox.c.inbox_key != bindparam("own"))
    .values(sent_id=null(), payload=null()),
    _END,
)
_revision = inbox.alias()
_answered = select(outbox.c.inbox_key).where(outbox.c.answers == bindparam("question"))
_SUPERSEDE = (
    update(inbox)
    .where(
        inbox.c.is_open,
        or_(inbox.c.key == bindparam("question"), inbox.c.key.in_(_answered)),
        inbox.c.id < select(_revision.c.id).where(_revision.c.key == bindparam("own")).scalar_subquery(),
    )
    .values(is_open=False, outcome="superseded", payload=null()),
    update(outbox)
    .where(
        outbox.c.answers == bindparam("question"),
        exists().where(inbox.c.key == outbox.c.inbox_key, inbox.c.is_open.is_(False)),
    )
    .values(payload=null()),
)
_GIVE_UP = (update(outbox).where(outbox.c.inbox_key == bindparam("own")).values(payload=null()), _END)
_stale = and_(inbox.c.is_open, inbox.c.platform == bindparam("of"), inbox.c.received_at < bindparam("before"))
_LET_GO = (
    update(outbox).where(outbox.c.inbox_key.in_(select(inbox.c.key).where(_stale))).values(payload=null()),
    update(inbox).where(_stale).values(is_open=False, outcome="interrupted", payload=null()),
)
