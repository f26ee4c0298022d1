"""Measures how late the event loop is: how long a callback that is due has to wait for its turn."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from math import ceil

_EVERY = 0.05
"""Seconds between two measurements."""

_KEPT_SECONDS = 60.0
"""How far the figures look back: they tell of now, and what a start costs is soon forgotten."""


class LoopLag:
    """Runs beside everything else; `figures` tells what it found.

    Args:
        tell: is told each lag, in seconds.
        kept_seconds: how far the figures look back.
    """

    def __init__(
        self, tell: Callable[[float], None] = lambda seconds: None, kept_seconds: float = _KEPT_SECONDS
    ) -> None:
        self._tell = tell
        self._kept_seconds = kept_seconds
        self._lags: deque[tuple[float, float]] = deque()
        """When each was measured (the loop's time), and how long it was, in seconds."""

    async def measure(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            now = loop.time()
            lag = max(now - due, 0.0)
            self._lags.append((now, lag))
            # By the clock: a loop that is late measures more seldom.
            while self._lags[0][0] < now - self._kept_seconds:
                self._lags.popleft()
            self._tell(lag)

    def figures(self) -> Mapping[str, float]:
        """Give the 50th and 99th percentile (nearest rank) and the longest lag of the last minute, in ms."""
        ranked = sorted(lag for _, lag in self._lags) or [0.0]
        p50, p99 = (ranked[ceil(percent / 100 * len(ranked)) - 1] for percent in (50, 99))
        return {"p50": _ms(p50), "p99": _ms(p99), "longest": _ms(ranked[-1])}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
