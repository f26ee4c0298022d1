"""Says what the nightly cleaning consists of."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete

from bot.audit import Audit
from bot.cleaning import Cleaning, Job
from bot.database import Database
from bot.limits import Limits
from bot.place_settings import PlaceSettings
from bot.pruning import Pruning
from bot.retention import Retention
from bot.sessions import delete_expired
from bot.settings import Settings
from bot.tables import pairing_codes


def cleaning(database: Database, settings: Settings, places: PlaceSettings) -> Cleaning:
    """Give the cleaning of a database; `places` must have been loaded."""
    retention, limits = Retention(database, places), Limits(settings.limits)
    pruning = Pruning(database, settings.delivery)
    return Cleaning(
        database,
        {
            "conversations": retention.clean,
            "people_of_events_not_kept": retention.unname,
            "undelivered": pruning.replies,
            "keys": pruning.keys,
            "limits": _in_one_step(database, lambda connection, _: limits.prune(connection)),
            "audit": Audit(database, settings.access.audit_days).prune,
            "pairing_codes": _in_one_step(database, _expired_codes),
            "sessions": _in_one_step(database, delete_expired),
        },
    )


def _in_one_step(database: Database, work: Callable[[Connection, datetime], int]) -> Job:
    async def _job(now: datetime) -> int:
        return await database.transact(lambda connection: work(connection, now))

    return _job


def _expired_codes(connection: Connection, now: datetime) -> int:
    return connection.execute(delete(pairing_codes).where(pairing_codes.c.expires_at < now)).rowcount
