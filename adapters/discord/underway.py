"""Knows what is under way: events that a stop waits for, and deferrals that no answer may overtake."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

_DEFERRAL_SECONDS = 3.0
"""Discord wants an interaction's first response within this time."""


class Attendance:
    """The tasks in which discord.py lets events be handled; it keeps no list of them itself."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Count the current task for the while of the body."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("events are handled in tasks")
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def end(self, within: float) -> None:
        """Wait for all of them, and cancel those that take longer than `within` seconds."""
        tasks = set(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


class Deferrals:
    """The deferrals that are under way, by the interaction's token."""

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Event] = {}

    @contextlib.contextmanager
    def opening(self, token: str) -> Iterator[None]:
        """Hold answers back for the while of the body."""
        done = self._open[token] = asyncio.Event()
        try:
            yield
        finally:
            done.set()
            # Gone already where the same interaction came twice.
            self._open.pop(token, None)

    async def settled(self, token: str) -> None:
        """Wait until an interaction is deferred, or is certain not to be."""
        done = self._open.get(token)
        if done is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _DEFERRAL_SECONDS)
