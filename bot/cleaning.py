"""Deletes, once a night, what is kept no longer: conversations, events, buckets, the audit's oldest entries."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.errors import StorageError
from bot.tables import kept_values

log = structlog.get_logger(__name__)

Job = Callable[[datetime], Awaitable[int]]
"""Delete what is too old at a moment (UTC); give how much that was. It may run twice at a time."""

_NAME = "preceptor/cleaned"

_PAGES_AT_ONCE = 200
"""Pages given back to the disk together: while they are, nobody else writes."""

_INCREMENTAL = 2
"""What SQLite says of a file that gives back room in steps (`PRAGMA auto_vacuum`)."""

_insert = insert(kept_values)
_KEEP = (_insert.on_conflict_do_update(index_elements=["name"], set_={"value": _insert.excluded.value}),)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning did.

    Attributes:
        at: when it was begun (UTC).
        deleted: how much was deleted, by kind; and ``bytes``, which the disk got back.
        failed: the kinds that could not be cleaned.
    """

    at: datetime
    deleted: Mapping[str, int]
    failed: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"at": self.at.isoformat(), "deleted": dict(self.deleted), "failed": list(self.failed)}


class Cleaning:
    """All that is to be deleted in time.

    Args:
        database: where it is.
        jobs: who deletes what, by kind, in this order.
    """

    def __init__(self, database: Database, jobs: Mapping[str, Job]) -> None:
        self._database = database
        self._jobs = jobs

    async def clean(self, now: datetime) -> Cleaned:
        """Do all of it; what fails is logged and left for the next time, and the rest is done."""
        deleted: dict[str, int] = {}
        failed: list[str] = []
        for kind, job in (*self._jobs.items(), ("bytes", self._give_back)):
            try:
                deleted[kind] = await job(now)
            except StorageError as error:
                log.warning("not cleaned", what=kind, reason=error.sentence)
                failed.append(kind)
        cleaned = Cleaned(now, deleted, tuple(failed))
        await self._remember(cleaned)
        log.info("cleaned", **deleted, failed=failed)
        return cleaned

    async def last(self) -> Cleaned | None:
        """Tell of the last cleaning; None where there was none yet.

        Raises:
            StorageError: it cannot be read.
        """
        query = select(kept_values.c.value).where(kept_values.c.name == _NAME)
        text = await self._database.read(lambda connection: connection.scalar(query))
        if text is None:
            return None
        document = json.loads(text)
        return Cleaned(datetime.fromisoformat(document["at"]), document["deleted"], tuple(document["failed"]))

    async def _remember(self, cleaned: Cleaned) -> None:
        row = {"name": _NAME, "value": json.dumps(cleaned.document())}
        try:
            await self._database.write(Change(_KEEP, ([row],)))
        except StorageError as error:
            log.warning("cleaning not remembered", reason=error.sentence)

    async def _give_back(self, now: datetime) -> int:
        """Give the disk back what deleting left free, a few pages at a time; of a file that can do so."""
        given = 0
        while number := await self._database.transact(_vacuumed):
            given += number
        return given


def _vacuumed(connection: Connection) -> int:
    """Give back some pages; say how many bytes that were."""

    def _told(what: str) -> int:
        return int(connection.exec_driver_sql(f"PRAGMA {what}").scalar_one())

    if _told("auto_vacuum") != _INCREMENTAL:
        return 0
    before = _told("page_count")
    for _ in range(min(_told("freelist_count"), _PAGES_AT_ONCE)):
        # Of more pages Python's sqlite3 would have one given back all the same: it takes one step of the statement.
        connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return (before - _told("page_count")) * _told("page_size")
