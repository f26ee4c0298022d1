"""What of delivery is forgotten with time: keys that nobody needs any more, and replies that nobody retried."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.database import Database
from bot.settings.delivery import DeliverySettings
from bot.tables import escalations, inbox, messages, outbox, pruned_events, undelivered

_BATCH = 200
"""Events deleted in one transaction: few enough that nobody waits for it."""

_needed = (
    exists().where(messages.c.inbox_key == inbox.c.key),
    # The answer to an edited question stands under the edit's key.
    exists().where(outbox.c.inbox_key == inbox.c.key, messages.c.inbox_key == outbox.c.answers),
    exists().where(escalations.c.inbox_key == inbox.c.key),
    exists().where(undelivered.c.inbox_key == inbox.c.key),
)
_OLD = (
    select(inbox.c.id)
    .where(
        inbox.c.received_at < bindparam("before"),
        inbox.c.is_open.is_(False),
        *(~needed for needed in _needed),
        inbox.c.id > bindparam("after"),
    )
    .order_by(inbox.c.id)
    .limit(_BATCH)
)
_chosen = inbox.c.id.in_(bindparam("ids", expanding=True))
_COUNTED = select(inbox.c.platform, inbox.c.outcome, func.count().label("number")).where(
    _chosen, inbox.c.outcome.is_not(None)
)
_count = insert(pruned_events)
_ADD_UP = _count.on_conflict_do_update(
    index_elements=["platform", "outcome"],
    set_={"number": pruned_events.c.number + _count.excluded.number},
)
_DELETE = delete(inbox).where(_chosen)
_GIVEN_UP = select(undelivered.c.inbox_key).join(inbox, inbox.c.key == undelivered.c.inbox_key)
_UNRETRIED = _GIVEN_UP.where(undelivered.c.since < bindparam("before"), inbox.c.is_open.is_(False)).limit(_BATCH)
_keys: BindParameter[Any] = bindparam("keys", expanding=True)
_DROP = (
    update(inbox).where(inbox.c.key.in_(_keys)).values(payload=None),
    update(outbox).where(outbox.c.inbox_key.in_(_keys)).values(payload=None),
    delete(undelivered).where(undelivered.c.inbox_key.in_(_keys)),
)


class Pruning:
    """Deletes what delivery needs no more, a little at a time, so that no message waits for it.

    The key of a question that is kept, of a call for a person, or of a reply that may be retried stays as long as
    these do: by it an answer is known when it is judged, edited or taken back.
    """

    def __init__(self, database: Database, settings: DeliverySettings) -> None:
        self._database = database
        self._settings = settings

    async def replies(self, now: datetime) -> int:
        """Drop the texts of replies that were given up and retried by nobody; give how many there were.

        It may be broken off and begun again, and several processes may do it at the same time.

        Raises:
            StorageError: not all could be dropped.
        """
        number, before = 0, now - timedelta(days=self._settings.undelivered_days)
        while found := await self._database.transact(lambda connection: _drop(connection, before)):
            number += found
        return number

    async def keys(self, now: datetime) -> int:
        """Delete the events that are older than `delivery.keys_days` and not needed; give how many there were.

        It may be broken off and begun again, and several processes may do it at the same time.

        Raises:
            StorageError: not all could be deleted.
        """
        number, after, before = 0, 0, now - timedelta(days=self._settings.keys_days)
        while ids := await self._database.read(partial(_old, before=before, after=after)):
            number += await self._database.transact(partial(_delete, ids=ids))
            after = ids[-1]
        return number


def _old(connection: Connection, before: datetime, after: int) -> Sequence[int]:
    return connection.scalars(_OLD, {"before": before, "after": after}).all()


def _drop(connection: Connection, before: datetime) -> int:
    keys = connection.scalars(_UNRETRIED, {"before": before}).all()
    if keys:
        for statement in _DROP:
            connection.execute(statement, {"keys": keys})
    return len(keys)


def _delete(connection: Connection, ids: Sequence[int]) -> int:
    """Delete events with their parts, and keep count of how they ended."""
    counted = _COUNTED.group_by(inbox.c.platform, inbox.c.outcome)
    for row in connection.execute(counted, {"ids": ids}).all():
        connection.execute(_ADD_UP, {"platform": row.platform, "outcome": row.outcome, "number": row.number})
    return connection.execute(_DELETE, {"ids": ids}).rowcount
