"""How often somebody may try a key: a token bucket for each address, kept in memory.

Kept as in `bot.limits`: by the moment at which a bucket is full again.
"""

import math
import time
from collections.abc import Callable

_SPAN = 60.0
"""Seconds in which an empty bucket is full again."""

_MOST = 10_000
"""Buckets that are kept; beyond it the full ones go, then the oldest."""


class Tries:
    """So many tries a minute and address, and as many at once.

    Args:
        per_minute: how many.
        clock: a time in seconds that never goes back.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._each = _SPAN / per_minute
        self._clock = clock
        self._full_again: dict[str, float] = {}

    def wait(self, address: str) -> int:
        """Say how many whole seconds an address has to wait until its next try; 0 where it may try now."""
        ahead = self._full_again.get(address, 0.0) - self._clock()
        return max(0, math.ceil(ahead - _SPAN + self._each))

    def note(self, address: str) -> None:
        """Count a try."""
        now = self._clock()
        # Put at the end, so that the first ones are those who tried last the longest ago.
        self._full_again[address] = max(now, self._full_again.pop(address, now)) + self._each
        if len(self._full_again) > _MOST:
            self._make_room(now)

    def take(self, address: str) -> int:
        """Count a try where it may be; else say how many seconds to wait."""
        wait = self.wait(address)
        if not wait:
            self.note(address)
        return wait

    def give_back(self, address: str) -> None:
        """Take back one try that was counted: it was a good one."""
        if address in self._full_again:
            self._full_again[address] -= self._each

    def _make_room(self, now: float) -> None:
        kept = [(address, moment) for address, moment in self._full_again.items() if moment > now]
        self._full_again = dict(kept[-_MOST // 2 :])
