"""Inbox and outbox: what was accepted is a row before it is acknowledged, what is said is a row before it is sent."""

from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import null, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database import Database
from bot.messages import IncomingMessage, Reply
from bot.tables import inbox, outbox

_message_json = TypeAdapter(IncomingMessage)
_reply_json = TypeAdapter(Reply)


def idempotency_key(message: IncomingMessage) -> str:
    """Name the reply to a message, the same at every try."""
    return f"{message.key}#reply"


class Delivery:
    """The two tables that make sure that no message is lost and none is answered twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, message: IncomingMessage) -> bool:
        """Commit a message under its key; False when that key has been here before.

        Raises:
            StorageError: it was not committed, so it must not be acknowledged.
        """
        row = insert(inbox).values(
            key=message.key,
            platform=message.place.platform,
            person_id=message.person_id,
            payload=_message_json.dump_json(message).decode(),
            received_at=message.received_at,
            is_open=True,
        )

        async def _insert(connection: AsyncConnection) -> bool:
            return (await connection.execute(row.on_conflict_do_nothing())).rowcount == 1

        return await self._database.write(_insert)

    async def put_out(self, connection: AsyncConnection, message: IncomingMessage, reply: Reply) -> None:
        """Write down a reply that is about to be sent, inside the writer's transaction."""
        row = insert(outbox).values(
            idempotency_key=idempotency_key(message),
            inbox_key=message.key,
            payload=_reply_json.dump_json(reply).decode(),
            is_sent=False,
            created_at=message.received_at,
        )
        await connection.execute(row.on_conflict_do_nothing())

    async def close(self, message: IncomingMessage, reply: Reply, sent_id: str) -> None:
        """Note that a reply was sent: the message is done, and its text is no longer kept here."""
        sent = (
            update(outbox)
            .where(outbox.c.idempotency_key == idempotency_key(message))
            .values(is_sent=True, sent_id=sent_id, payload=null())
        )
        done = (
            update(inbox).where(inbox.c.key == message.key).values(is_open=False, outcome=reply.outcome, payload=null())
        )

        async def _close(connection: AsyncConnection) -> None:
            await connection.execute(sent)
            await connection.execute(done)

        await self._database.write(_close)

    async def unanswered(self, platform: str) -> list[tuple[IncomingMessage, Reply | None]]:
        """Give what was accepted and not finished, oldest first; with the reply where one was written already."""
        query = (
            select(inbox.c.payload, outbox.c.payload.label("reply"))
            .select_from(inbox.outerjoin(outbox, outbox.c.inbox_key == inbox.c.key))
            .where(inbox.c.is_open, inbox.c.platform == platform, inbox.c.payload.is_not(None))
            .order_by(inbox.c.id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            (_message_json.validate_json(row.payload), _reply_json.validate_json(row.reply) if row.reply else None)
            for row in rows
        ]

    async def let_go(self, platform: str, before: datetime) -> None:
        """Close messages received before a moment, whose askers cannot be waiting any more, and drop their texts."""
        stale = (
            inbox.c.is_open,
            inbox.c.platform == platform,
            inbox.c.received_at < before,
        )

        async def _let_go(connection: AsyncConnection) -> None:
            keys = select(inbox.c.key).where(*stale)
            await connection.execute(update(outbox).where(outbox.c.inbox_key.in_(keys)).values(payload=null()))
            closed = update(inbox).where(*stale)
            await connection.execute(closed.values(is_open=False, outcome="interrupted", payload=null()))

        await self._database.write(_let_go)
