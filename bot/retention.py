"""Deletes conversations that are older than what is set for the place where they were held."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, select, update

from bot.database import Change, Database
from bot.forgetting import UNUSED_PLACES
from bot.messages import Place
from bot.place_settings import PlaceSettings
from bot.tables import UtcDateTime, conversations, generation_usage, inbox, people

_READ_AT_ONCE = 2_000
"""Conversations that are looked at together."""

_DELETED_AT_ONCE = 100
"""Conversations that are deleted together: while they are, nobody else writes."""

_DELETE = delete(conversations).where(
    conversations.c.id == bindparam("ended"),
    # Unless somebody has gone on with it since it was looked at.
    conversations.c.last_at < bindparam("before", type_=UtcDateTime),
)
_UNCOUNT = (
    # What answers took is still counted; for whom is not known any more.
    update(generation_usage)
    .where(
        generation_usage.c.conversation_id == bindparam("ended"),
        ~exists().where(conversations.c.id == generation_usage.c.conversation_id),
    )
    .values(conversation_id="")
)
_SWEEP = (delete(people).where(~exists().where(conversations.c.person_id == people.c.id)), *UNUSED_PLACES)
_NAMED = (
    select(inbox.c.id, inbox.c.place_id)
    .where(inbox.c.person_id != "", inbox.c.place_id != "", inbox.c.is_open.is_(False), inbox.c.payload.is_(None))
    .order_by(inbox.c.id)
    .limit(_READ_AT_ONCE)
)
_UNNAME = update(inbox).where(inbox.c.id == bindparam("event")).values(person_id="", lane="")


class Retention:
    """What is kept is kept as long as the settings of its place say; the messages with all that hangs on them go."""

    def __init__(self, database: Database, places: PlaceSettings) -> None:
        self._database = database
        self._places = places

    async def due(self, now: datetime) -> int:
        """Say how many conversations `clean` would delete."""
        return sum([len(rows) async for rows in self._old(now)])

    async def clean(self, now: datetime) -> int:
        """Delete what is too old, and the names of people of whom nothing is kept any more; give how many it were.

        It may be broken off and begun again, and several processes may do it at the same time.

        Raises:
            StorageError: what is left is left for the next time.
        """
        number = 0
        async for rows in self._old(now):
            for at in range(0, len(rows), _DELETED_AT_ONCE):
                number += await self._delete(rows[at : at + _DELETED_AT_ONCE], now)
        await self._database.transact(_sweep)
        await self._database.wipe()
        return number

    async def _delete(self, rows: Sequence[Row[Any]], now: datetime) -> int:
        gone = [{"ended": row.id, "before": self._end(row.place_id, now)} for row in rows]
        return await self._database.transact(lambda connection: _ended(connection, gone))

    async def _old(self, now: datetime) -> AsyncIterator[Sequence[Row[Any]]]:
        shortest = self._places.shortest_retention()
        if not shortest:
            return
        query = (
            select(conversations.c.id, conversations.c.place_id, conversations.c.last_at)
            .where(conversations.c.last_at < now - timedelta(days=shortest))
            .order_by(conversations.c.id)
            .limit(_READ_AT_ONCE)
        )
        last = ""
        while rows := await self._page(query.where(conversations.c.id > last)):
            last = rows[-1].id
            old = [row for row in rows if (end := self._end(row.place_id, now)) is not None and row.last_at < end]
            if old:
                yield old

    async def _page(self, query: Any) -> Sequence[Row[Any]]:  # noqa: ANN401 - SQLAlchemy's select has no better type
        return await self._database.read(lambda connection: connection.execute(query).all())

    def _end(self, place_id: str, now: datetime) -> datetime | None:
        days = self._places.retention_days(Place.of_id(place_id))
        return now - timedelta(days=days) if days else None

    async def unname(self, now: datetime) -> int:
        """Take people's ids off the events of places that keep nothing: of those only the keys stay.

        Raises:
            StorageError: what is left is left for the next time.
        """
        number, last = 0, 0
        while rows := await self._page(_NAMED.where(inbox.c.id > last)) if self._places.something_is_not_kept else ():
            last = rows[-1].id
            events = [{"event": row.id} for row in rows if not self._places.keeps(Place.of_id(row.place_id))]
            for at in range(0, len(events), _DELETED_AT_ONCE):
                await self._database.write(Change((_UNNAME,), (events[at : at + _DELETED_AT_ONCE],)))
            number += len(events)
        return number


def _ended(connection: Connection, gone: Sequence[Mapping[str, Any]]) -> int:
    number = connection.execute(_DELETE, gone).rowcount
    connection.execute(_UNCOUNT, [{"ended": one["ended"]} for one in gone])
    return number


def _sweep(connection: Connection) -> None:
    for statement in _SWEEP:
        connection.execute(statement)
