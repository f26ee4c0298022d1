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
