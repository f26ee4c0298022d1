"""Feels whether the pages' process still answers: one that hangs holds its socket, and would be waited for in vain."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the process is asked.

    Attributes:
        every_seconds: the pause between two times.
        patience_seconds: how long an answer may take; a machine that is busy needs its while.
        most_missed: after so many misses in a row the process is taken to hang.
    """

    every_seconds: float = 15.0
    patience_seconds: float = 10.0
    most_missed: int = 3

    async def misses(self, address: str) -> AsyncIterator[int]:
        """Yield, after each time, how many answers in a row were missed; any answer is one."""
        missed = 0
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=self.patience_seconds) as client:
            while True:
                await asyncio.sleep(self.every_seconds)
                try:
                    await client.get("/_stcore/health")
                    missed = 0
                except httpx.TransportError:
                    missed += 1
                yield missed
