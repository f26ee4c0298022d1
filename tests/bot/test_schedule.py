"""The cleaning comes by itself: every night, and soon after a start where a night was missed."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from kept_questions import KeptQuestions

from bot.cleaning import Cleaning
from bot.schedule import nightly

AT_ONCE = timedelta(0)


@dataclass
class _Job:
    """Something to be cleaned, that takes as long as it is let."""

    began: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    ended: int = 0

    async def do(self, now: datetime) -> int:
        self.began.set()
        await self.may_end.wait()
        self.ended += 1
        return 1


async def _wait(event: asyncio.Event, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await event.wait()


async def test_after_a_missed_night_it_is_done_soon_after_the_start(kept: KeptQuestions) -> None:
    job = _Job()
    cleaning = Cleaning(kept.database, {"conversations": job.do})
    async with nightly(cleaning, 3, AT_ONCE):
        await _wait(job.began, 20)
        job.may_end.set()
        async with asyncio.timeout(20):
            while await cleaning.last() is None:  # noqa: ASYNC110 - the database has no event
                await asyncio.sleep(0.01)
    assert job.ended == 1


async def test_after_a_night_that_was_not_missed_it_is_not(kept: KeptQuestions) -> None:
    await Cleaning(kept.database, {}).clean(datetime.now(UTC))
    job = _Job()
    far_hour = (datetime.now(UTC).hour + 12) % 24
    async with nightly(Cleaning(kept.database, {"conversations": job.do}), far_hour, AT_ONCE):
        with pytest.raises(TimeoutError):
            await _wait(job.began, 0.3)


async def test_a_stop_breaks_it_off_and_leaves_no_task(kept: KeptQuestions) -> None:
    before = asyncio.all_tasks()
    job = _Job()
    async with nightly(Cleaning(kept.database, {"conversations": job.do}), 3, AT_ONCE):
        await _wait(job.began, 20)
    assert job.ended == 0
    assert asyncio.all_tasks() == before


async def test_a_defect_tonight_leaves_tomorrow_to_be_tried(kept: KeptQuestions) -> None:
    began = asyncio.Event()

    async def _fails(now: datetime) -> int:
        began.set()
        raise ZeroDivisionError

    before = asyncio.all_tasks()
    async with nightly(Cleaning(kept.database, {"conversations": _fails}), 3, AT_ONCE):
        await _wait(began, 20)
        working = next(task for task in asyncio.all_tasks() - before if task.get_name() == "cleaning")
        assert not working.done()
