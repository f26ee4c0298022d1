"""When what could not be delivered is tried again: soon at first, then ever more rarely, and never too soon."""

import random
from collections.abc import Awaitable, Callable
from time import monotonic

from bot.errors import RateLimitedError

_LONGEST = 3600.0
"""Seconds between two tries at the most, where the platform asks for no more."""


class Retries:
    """The messages whose replies could not be delivered, by inbox key.

    Args:
        soon: seconds until the first retry; then twice as many each time, but a random half of them less, so that what
            failed together is not tried together.

    Attributes:
        notes: what notes, of a reply that has been delivered, that it was: where it fails, it alone is tried again.
    """

    def __init__(self, soon: float) -> None:
        self._soon = soon
        self._tries: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self.notes: dict[str, Callable[[], Awaitable[None]]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._due

    def put_off(self, key: str, error: Exception) -> float:
        """Note a failed try; give the seconds until the next, no fewer than the platform asked for."""
        tries = self._tries[key] = self._tries.get(key, -1) + 1
        # More doublings than these make no number.
        usual = min(self._soon * 2.0 ** min(tries, 30), _LONGEST)
        wait = usual * random.uniform(0.5, 1)  # noqa: S311 - it spreads load, it keeps no secret
        if isinstance(error, RateLimitedError):
            wait = max(wait, error.seconds)
        self._due[key] = monotonic() + wait
        return wait

    def due(self) -> list[str]:
        """Name those whose time has come."""
        now = monotonic()
        return [key for key, at in self._due.items() if at <= now]

    def seconds(self, most: float) -> float:
        """Give the seconds until the next is due, `most` at the most."""
        now = monotonic()
        return min(max(min(self._due.values(), default=now + most) - now, 0.0), most)

    def begin(self, key: str) -> None:
        """Note that one is being tried again."""
        self._due.pop(key, None)

    def done(self, key: str) -> None:
        """Forget one that needs no more tries."""
        self._due.pop(key, None)
        self._tries.pop(key, None)
        self.notes.pop(key, None)
