"""What waits in this process: in lanes, each of which keeps its order, and bounded in all and by the channel."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.delivery import Part, inbox_key
from bot.errors import OverloadedError
from bot.limits import TooMany
from bot.messages import IncomingMessage
from bot.settings.delivery import DispatchSettings


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits for its turn.

    Attributes:
        message: what was handed in.
        claim: under which this process claims it.
        parts: what was put out of the reply already.
        is_left: whether it was accepted by an earlier run, or another process.
        retried_at: when its reply, which had been given up, was tried again by hand.
        too_many: set where it is one too many for the limits.
    """

    message: IncomingMessage
    claim: str
    parts: tuple[Part, ...] = ()
    is_left: bool = False
    retried_at: datetime | None = None
    too_many: TooMany | None = None

    @property
    def key(self) -> str:
        """Its key in the inbox."""
        return inbox_key(self.message)

    @property
    def written(self) -> tuple[Part, ...]:
        """The parts of an answer that was written already; what was shown while it grew is none of them."""
        return tuple(part for part in self.parts if part.reply or part.is_sent)


class Lanes:
    """The lanes, and the bounds of what waits in them.

    A message is known here by its inbox key, from when it is queued until it is done or put off.

    Args:
        settings: the bounds.
        start: runs the work of a lane, with a name, beside all else.
        finish: answers one message; must not raise.
    """

    def __init__(
        self,
        settings: DispatchSettings,
        start: Callable[[Coroutine[Any, Any, None], str], object],
        finish: Callable[[Waiting], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._start = start
        self._finish = finish
        self._lanes: dict[str, deque[Waiting]] = {}
        self._known: Counter[str] = Counter()
        self._channels: Counter[str] = Counter()
        self._waiting = 0
        self._opened = asyncio.Event()

    def __contains__(self, key: object) -> bool:
        return key in self._known

    def open(self) -> None:
        """Begin to answer what is queued."""
        self._opened.set()

    def room(self, message: IncomingMessage) -> int:
        """Give how many wait before a message that is to be accepted.

        Raises:
            OverloadedError: as many as may.
        """
        if self._waiting >= self._settings.queue:
            raise OverloadedError(f"{self._waiting:,} messages are waiting before yours.", "Try again in a minute.")
        here = self._channels[message.place.channel_id] if message.place.channel else 0
        if here >= self._settings.channel_queue:
            raise OverloadedError(
                f"{here:,} messages of this channel are waiting before yours.", "Try again in a minute."
            )
        return self._waiting

    def arrives(self, message: IncomingMessage) -> None:
        """Count a message that is about to be accepted."""
        self._count(message, 1)

    def arrived(self, message: IncomingMessage) -> None:
        """Count it no more: it is in its lane now, or was not accepted."""
        self._count(message, -1)

    def queue(self, name: str, waiting: Waiting) -> None:
        """Put a message behind the others of its lane; the first of them starts the lane's work."""
        lane = self._lanes.setdefault(name, deque())
        lane.append(waiting)
        self._count(waiting.message, 1)
        _add(self._known, waiting.key, 1)
        if len(lane) == 1:
            self._start(self._work(name, lane), f"lane {waiting.message.place.platform}")

    async def _work(self, name: str, lane: deque[Waiting]) -> None:
        await self._opened.wait()
        try:
            while lane:
                await self._finish(lane[0])
                done = lane.popleft()
                self._count(done.message, -1)
                _add(self._known, done.key, -1)
        finally:
            del self._lanes[name]

    def _count(self, message: IncomingMessage, more: int) -> None:
        self._waiting += more
        _add(self._channels, message.place.channel_id, more)


def _add(counts: Counter[str], name: str, more: int) -> None:
    counts[name] += more
    if not counts[name]:
        del counts[name]


class Line:
    """The places of those who answer, given to those who stand in line for one, in their order.

    Attributes:
        taken: how many answer now.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._free = asyncio.Semaphore(places)
        self._in_line: dict[str, None] = {}
        self.taken = 0

    def before(self, key: str) -> int:
        """Say how many messages come before one that stands in line; 0 where it does not."""
        if key not in self._in_line:
            return 0
        return self._places + list(self._in_line).index(key)

    @contextlib.asynccontextmanager
    async def place(self, key: str) -> AsyncIterator[None]:
        """Stand in line for a place, and have it for the while of the body."""
        self._in_line[key] = None
        try:
            await self._free.acquire()
        finally:
            del self._in_line[key]
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._free.release()
