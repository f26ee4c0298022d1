"""How far a reload is, told to whoever asked for it while it runs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextvars import ContextVar, copy_context

from bot.messages import Reply
from knowledge.reports import Progress, Watch, unwatched

_SECONDS_BETWEEN = 0.1
"""Between two steps of one stage that are told: there may be 100,000 files."""

_watch: ContextVar[Watch] = ContextVar("watch", default=unwatched)

_going_on: set[asyncio.Task[Reply]] = set()
"""Reloads whose asker has left: they are not given up, for half of the work may be done."""


def watching() -> Watch:
    """Give what the task that runs now wants to be told of a reload it asks for."""
    return _watch.get()


async def steps(ask: Callable[[], Awaitable[Reply]], quiet: float) -> AsyncGenerator[Progress | Reply | None]:
    """Yield how far a reload is, and in the end its reply; None whenever nothing happened for `quiet` seconds.

    Args:
        ask: asks for it.
        quiet: seconds.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Queue[Progress | Reply]()

    def _tell(progress: Progress) -> None:
        # A reload may outlive the loop, when the process ends.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(told.put_nowait, progress)

    async def _asked() -> Reply:
        reply = await ask()
        told.put_nowait(reply)
        return reply

    context = copy_context()
    context.run(_watch.set, _Throttled(_tell))
    task = asyncio.create_task(_asked(), name="watched reload", context=context)
    _going_on.add(task)
    task.add_done_callback(_going_on.discard)
    yield Progress("waiting")
    while True:
        try:
            async with asyncio.timeout(quiet):
                step = await told.get()
        except TimeoutError:
            if task.done():
                # It ended without a reply: what kept it from one is raised.
                task.result()
            yield None
            continue
        yield step
        if isinstance(step, Reply):
            return


class _Throttled:
    """Passes on the first step of each stage, and of the others only some."""

    def __init__(self, tell: Watch) -> None:
        self._tell = tell
        self._stage = ""
        self._at = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage == self._stage and now - self._at < _SECONDS_BETWEEN:
            return
        self._stage, self._at = progress.stage, now
        self._tell(progress)
