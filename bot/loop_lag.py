"""Measures how late the event loop is: how long a callback that is due has to wait for its turn."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from math import ceil

_EVERY = 0.05
"""Seconds between two measurements."""

_KEPT = 12_000
"""Measurements that are kept: the last ten minutes."""


class LoopLag:
    """Runs beside everything else; `figures` tells what it found.

    Args:
        tell: is told each lag, in seconds.
    """

    def __init__(self, tell: Callable[[float], None] = lambda seconds: None) -> None:
        self._tell = tell
        self._lags: deque[float] = deque(maxlen=_KEPT)

    async def measure(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            lag = max(loop.time() - due, 0.0)
            self._lags.append(lag)
            self._tell(lag)

    def figures(self) -> Mapping[str, float]:
        """Give the 50th and 99th percentile (nearest rank) and the longest lag of the last ten minutes, in ms."""
        ranked = sorted(self._lags) or [0.0]
        p50, p99 = (ranked[ceil(percent / 100 * len(ranked)) - 1] for percent in (50, 99))
        return {"p50": _ms(p50), "p99": _ms(p99), "longest": _ms(ranked[-1])}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
