"""The loopback's time, which a test can put forward, and the ids that are made from it."""

from datetime import UTC, datetime, timedelta

DISCORD_EPOCH_MS = 1_420_070_400_000
"""The first millisecond of 2015, from which Discord's ids count."""

_SEQUENCE_BITS = 22
_SHARD_CYCLE = 840  # the smallest number that 1 to 8 divide


class Clock:
    """The true time plus what a test has added to it."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Give the time (UTC)."""
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        self._ahead += timedelta(seconds=seconds)


class Snowflakes:
    """Ids as Discord makes them: 42 bits of milliseconds, then a sequence; each is larger than the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._guilds = 0
        self._first_guild = self._milliseconds() // _SHARD_CYCLE * _SHARD_CYCLE

    def next(self) -> int:
        """Give a new id."""
        self._last = max(self._last + 1, self._milliseconds() << _SEQUENCE_BITS)
        return self._last

    def next_guild(self) -> int:
        """Give a new guild's id: for up to eight shards the guilds fall on them in turn, from shard 0."""
        guild = (self._first_guild + self._guilds) << _SEQUENCE_BITS
        self._guilds += 1
        return guild

    def _milliseconds(self) -> int:
        return int(self._clock.now().timestamp() * 1000) - DISCORD_EPOCH_MS
