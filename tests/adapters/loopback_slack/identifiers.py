"""Names for what the loopback Slack makes: ids of people, channels and events, and message timestamps."""

import itertools
import time
import uuid


class Identifiers:
    """Gives ids of Slack's shape. Those of people and places are the same in every run, those of events never."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._last = 0

    def new(self, prefix: str) -> str:
        """The next id with this prefix: ``C`` for a channel, ``D`` a direct message, ``F`` a file, ``V`` a view."""
        return f"{prefix}0{next(self._numbers):08d}"

    def event(self) -> str:
        """An event id that no other run gives, so that a bot that keeps its database meets no false duplicate."""
        return f"Ev{uuid.uuid4().hex[:10].upper()}"

    def timestamp(self) -> str:
        """A message's ``ts``: seconds and microseconds, later than every one before."""
        self._last = max(time.time_ns() // 1_000, self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
