"""Knows whether the bot hears Discord now: which of its gateway connections (shards) are up, and since when not."""

import math
from datetime import UTC, datetime

from bot.adapter import Health


class Presence:
    """The shards of one login, as discord.py's events tell of them."""

    def __init__(self) -> None:
        self._up: set[int] = set()
        self._down_since = datetime.now(UTC)

    def connected(self, shard: int) -> None:
        """Note that a shard hears."""
        self._up.add(shard)

    def disconnected(self, shard: int) -> None:
        """Note that a shard hears no more; of several the first counts."""
        if shard in self._up or not self._up:
            self._down_since = datetime.now(UTC)
        self._up.discard(shard)

    def health(self, shards: int, latency: float) -> Health:
        """Say whether all shards hear.

        Args:
            shards: how many there should be.
            latency: seconds until the gateway answers, on the average; not finite where that is not known.
        """
        if len(self._up) < shards:
            down = shards - len(self._up)
            which = (
                f"{down} of {shards} connections to Discord are down"
                if shards > 1
                else "Discord's gateway is not reached"
            )
            return Health(False, f"{which} since {moment(self._down_since)}; I keep trying.")
        told = f"Discord's gateway answers within {latency * 1000:,.0f} ms." if math.isfinite(latency) else ""
        return Health(True, told)


def moment(at: datetime) -> str:
    """Give a moment in words."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
