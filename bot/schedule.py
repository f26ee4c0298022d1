"""When the cleaning is done: every night, and soon after a start where the last one is too long ago."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import structlog

from bot.cleaning import Cleaning
from bot.errors import StorageError

log = structlog.get_logger(__name__)

_SOON = timedelta(minutes=1)
"""How long after a start: those who wait since the stop come first."""

_LONGEST = timedelta(hours=25)
"""Time between two cleanings beyond which a night was missed."""

_LATE_SECONDS = 6 * 3600
"""How late the night's cleaning may still begin, where the machine slept."""

_SCATTER_SECONDS = 600
"""Within how long after the hour it begins, by chance: processes on one machine need not do so together."""


@contextlib.asynccontextmanager
async def nightly(cleaning: Cleaning, hour: int, soon: timedelta = _SOON) -> AsyncIterator[None]:
    """Have the cleaning done while the body runs; one that is under way at its end is broken off.

    Args:
        cleaning: what is done; it may be done by several processes.
        hour: of the day (UTC), 0 to 23.
        soon: how long after the start it is done where the last one is too long ago, or was none.
    """
    # Needed by a process that stays, not by a single question.
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    is_time = asyncio.Event()

    async def _tell() -> None:
        is_time.set()

    scheduler = AsyncIOScheduler(timezone=UTC)
    late = {"misfire_grace_time": _LATE_SECONDS, "coalesce": True}
    scheduler.add_job(_tell, "cron", hour=hour, jitter=_SCATTER_SECONDS, id="nightly", **late)
    if await _is_overdue(cleaning):
        scheduler.add_job(_tell, "date", run_date=datetime.now(UTC) + soon, id="after the start", **late)
    # The work is done in a task of ours: the scheduler does not wait for those that it cancels.
    working = asyncio.create_task(_work(cleaning, is_time), name="cleaning")
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _work(cleaning: Cleaning, is_time: asyncio.Event) -> None:
    while True:
        await is_time.wait()
        is_time.clear()
        try:
            await cleaning.clean(datetime.now(UTC))
        # A task's boundary: whatever went wrong tonight, tomorrow it is tried again.
        except Exception:
            log.exception("cleaning failed")


async def _is_overdue(cleaning: Cleaning) -> bool:
    try:
        last = await cleaning.last()
    except StorageError as error:
        log.warning("last cleaning not known", reason=error.sentence)
        return True
    return last is None or datetime.now(UTC) - last.at > _LONGEST
