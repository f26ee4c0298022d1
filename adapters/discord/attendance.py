"""Knows which events are being attended to, so that a stop can wait for them."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any


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
