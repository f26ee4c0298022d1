"""Inbox and outbox: what was accepted is a row before it is acknowledged, what is said is a row before it is sent."""

from datetime import datetime

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import and_, bindparam, null, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.messages import IncomingMessage, Reply
from bot.tables import inbox, outbox

_message_json = TypeAdapter(IncomingMessage)
_reply_json = TypeAdapter(Reply)


log = structlog.get_logger(__name__)


def inbox_key(message: IncomingMessage) -> str:
    """Name a message among those of all platforms."""
    return f"{message.place.platform}/{message.key}"


def idempotency_key(message: IncomingMessage) -> str:
    """Name the reply to a message, the same at every try."""
    return f"{inbox_key(message)}#reply"


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
            "payload": _message_json.dump_json(message).decode(),
            "received_at": message.received_at,
            "is_open": True,
        }
        return await self._database.write(Change(_ACCEPT, ([row],), counted=True)) == 1

    def putting_out(self, message: IncomingMessage, reply: Reply) -> Change:
        """Give the change that writes down a reply which is about to be sent."""
        row = {
            "idempotency_key": idempotency_key(message),
            "inbox_key": inbox_key(message),
            "payload": _reply_json.dump_json(reply).decode(),
            "is_sent": False,
            "created_at": message.received_at,
        }
        return Change(_PUT_OUT, ([row],))

    async def close(self, message: IncomingMessage, reply: Reply, sent_id: str) -> None:
        """Note that a reply was sent: the message is done, and its text is no longer kept here."""
        sent = {"sent_key": idempotency_key(message), "sent_as": sent_id}
        done = {"done_key": inbox_key(message), "ended": reply.outcome}
        await self._database.write(Change(_CLOSE, ([sent], [done])))

    async def unanswered(self, platform: str) -> list[tuple[IncomingMessage, Reply | None]]:
        """Give what was accepted and not finished, oldest first; with the reply where one was written already."""
        query = (
            select(inbox.c.key, inbox.c.payload, outbox.c.payload.label("reply"))
            .select_from(inbox.outerjoin(outbox, outbox.c.inbox_key == inbox.c.key))
            .where(inbox.c.is_open, inbox.c.platform == platform, inbox.c.payload.is_not(None))
            .order_by(inbox.c.id)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [unanswered for row in rows if (unanswered := _unanswered(*row)) is not None]

    async def let_go(self, platform: str, before: datetime) -> None:
        """Close messages received before a moment, whose askers cannot be waiting any more, and drop their texts."""
        await self._database.write(Change(_LET_GO, ([{"of": platform, "before": before}],) * 2))


def _unanswered(key: str, payload: str, reply: str | None) -> tuple[IncomingMessage, Reply | None] | None:
    try:
        return _message_json.validate_json(payload), _reply_json.validate_json(reply) if reply else None
    except ValidationError:
        # Another version wrote it: one message less must not keep the bot from starting.
        log.error("message in the inbox not understood", key=key)  # noqa: TRY400 - its text would be in the traceback
        return None


_ACCEPT = (insert(inbox).on_conflict_do_nothing(),)
_PUT_OUT = (insert(outbox).on_conflict_do_nothing(),)
_CLOSE = (
    update(outbox)
    .where(outbox.c.idempotency_key == bindparam("sent_key"))
    .values(is_sent=True, sent_id=bindparam("sent_as"), payload=null()),
    update(inbox)
    .where(inbox.c.key == bindparam("done_key"))
    .values(is_open=False, outcome=bindparam("ended"), payload=null()),
)
_stale = and_(inbox.c.is_open, inbox.c.platform == bindparam("of"), inbox.c.received_at < bindparam("before"))
_LET_GO = (
    update(outbox).where(outbox.c.inbox_key.in_(select(inbox.c.key).where(_stale))).values(payload=null()),
    update(inbox).where(_stale).values(is_open=False, outcome="interrupted", payload=null()),
)
