"""Who answers what is open: what dead processes left, what nobody claims and what others hand over is taken up."""

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select, text

from bot.database import Database
from bot.delivery import Unanswered, inbox_key, unanswered
from bot.delivery_statements import IS_OPEN
from bot.leases import Lease
from bot.tables import UtcDateTime, inbox, processes

_platforms: BindParameter[Any] = bindparam("platforms", expanding=True)

_OPEN = select(inbox.c.key, inbox.c.claimed_by, inbox.c.platform).where(
    IS_OPEN, inbox.c.platform.in_(_platforms), inbox.c.payload.is_not(None)
)
_PROCESSES = select(processes.c.id)

# A lane that a living process is at goes on there.
_TAKE = text(
    "UPDATE inbox SET claimed_by = coalesce("
    " (SELECT other.claimed_by FROM inbox AS other WHERE other.is_open AND other.lane = inbox.lane AND other.lane <> ''"
    " AND other.claimed_by IN (SELECT id FROM processes) LIMIT 1), :own)"
    " WHERE inbox.is_open AND inbox.platform IN :platforms AND inbox.payload IS NOT NULL"
    " AND inbox.claimed_by NOT IN (SELECT id FROM processes)"
).bindparams(_platforms)
_MINE = (
    select(inbox.c.key)
    .where(
        IS_OPEN,
        inbox.c.claimed_by == bindparam("own"),
        inbox.c.platform.in_(_platforms),
        inbox.c.payload.is_not(None),
    )
    .order_by(inbox.c.id)
)
_nobody_waits = (
    "is_open AND platform IN :platforms AND claimed_by NOT IN (SELECT id FROM processes)"
    " AND (claimed_by <> '' OR received_at < :before)"
)
_LET_GO = tuple(
    text(statement).bindparams(_platforms, bindparam("before", type_=UtcDateTime))
    for statement in (
        f"UPDATE outbox SET payload = NULL WHERE inbox_key IN (SELECT key FROM inbox WHERE {_nobody_waits})",  # noqa: S608
        f"UPDATE inbox SET is_open = 0, outcome = 'interrupted', payload = NULL WHERE {_nobody_waits}",  # noqa: S608
    )
)


class Claims:
    """Takes up what is open and has nobody, of the platforms that this process serves.

    Args:
        database: where it is.
        lease: this process's name among others.
        reached: the platforms whose askers are reached later, too.
        waited_at: the others: there nobody waits any more for what a process left that has ended.
    """

    def __init__(self, database: Database, lease: Lease, reached: Sequence[str], waited_at: Sequence[str]) -> None:
        self._database = database
        self._lease = lease
        self._reached = list(reached)
        self._waited_at = list(waited_at)
        self._not_understood: set[str] = set()

    async def take(self, known: Container[str], before: datetime) -> list[Unanswered]:
        """Take up what is open and has nobody; give that, and what others handed over, oldest first.

        Most often there is nothing, and nothing is written.

        Args:
            known: the inbox keys of what this process is at already.
            before: nobody waits for an answer to what was received earlier, at doors where one is waited for.

        Raises:
            StorageError: nothing was taken up.
        """
        if not await self._database.read(lambda connection: self._is_wanted(connection, known)):
            return []
        return await self._database.transact(lambda connection: self._take(connection, known, before))

    def _is_wanted(self, connection: Connection, known: Container[str]) -> bool:
        dead = set(self._lease.dead(connection))
        alive = set(connection.scalars(_PROCESSES)) - dead
        rows = connection.execute(_OPEN, {"platforms": self._reached + self._waited_at})
        return bool(dead) or any(
            row.claimed_by not in alive
            or (row.claimed_by == self._lease.id and row.platform in self._reached and self._is_new(row.key, known))
            for row in rows
        )

    def _is_new(self, key: str, known: Container[str]) -> bool:
        return key not in known and key not in self._not_understood

    def _take(self, connection: Connection, known: Container[str], before: datetime) -> list[Unanswered]:
        self._lease.bury(connection)
        waited_at = {"platforms": self._waited_at, "before": before}
        for statement in _LET_GO:
            connection.execute(statement, waited_at)
        mine: dict[str, Any] = {"own": self._lease.id, "platforms": self._reached}
        connection.execute(_TAKE, mine)
        # What is accepted is known from the moment it is a row, and what is answered until it is closed.
        keys = [key for key in connection.scalars(_MINE, mine) if self._is_new(key, known)]
        left = unanswered(connection, keys)
        self._not_understood |= set(keys) - {inbox_key(one.message) for one in left}
        return left
