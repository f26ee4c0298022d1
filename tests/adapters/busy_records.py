"""A core whose database another process holds for a moment, each time that it is wanted."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.adapter import Receipt, Records, Visited
from bot.errors import StorageBusyError
from bot.messages import IncomingMessage, Place


class BusyRecords(Records):
    """Remembers that something was asked in one place two hours ago and just now; every second try succeeds."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tries = 0

    async def visited(self, since: datetime) -> Sequence[Visited]:
        self._try()
        return [Visited(self._place, datetime.now(UTC) - timedelta(hours=2), datetime.now(UTC))]

    async def accept(self, message: IncomingMessage) -> Receipt:
        """Take a message, where the core stands."""
        self._try()
        return Receipt(is_new=True)

    def _try(self) -> None:
        self._tries += 1
        if self._tries % 2:
            raise StorageBusyError("Another process holds the database.")
