"""The event loop's lag, as it is measured."""

import asyncio
import time

from bot.loop_lag import LoopLag


async def test_a_loop_that_was_held_up_is_late_by_as_much() -> None:
    lag = LoopLag()
    measuring = asyncio.create_task(lag.measure())
    await asyncio.sleep(0.01)
    time.sleep(0.2)  # noqa: ASYNC251 - this is what is to be found
    await asyncio.sleep(0.06)
    measuring.cancel()
    assert lag.figures()["longest"] >= 140


def test_before_anything_was_measured_there_is_no_lag() -> None:
    assert LoopLag().figures() == {"p50": 0.0, "p99": 0.0, "longest": 0.0}


async def test_a_lag_of_long_ago_is_forgotten_by_the_clock() -> None:
    lag = LoopLag(kept_seconds=0.3)
    measuring = asyncio.create_task(lag.measure())
    await asyncio.sleep(0.01)
    time.sleep(0.5)  # noqa: ASYNC251 - this is what is to be forgotten
    async with asyncio.timeout(10):
        while not 0 < lag.figures()["longest"] < 400:  # noqa: ASYNC110 - it is the clock that is waited for
            await asyncio.sleep(0.02)
    measuring.cancel()
