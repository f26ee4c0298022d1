"""The contract of a front door: what a platform's adapter must supply, and the in-memory one that ships.

An adapter translates, renders and sends; it decides nothing. It hears an event, hands it to `accept`, and
acknowledges the event to its platform only after `accept` has returned: by then the event is a committed row.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.messages import IncomingMessage, Place, Reply


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an accepted message: whether it is new, and how many wait before it."""

    is_new: bool
    position: int = 0


Accept = Callable[[IncomingMessage], Awaitable[Receipt]]
"""Commit the message; raises `OverloadedError` when too many wait and nothing was committed."""

Inquire = Callable[[IncomingMessage], Awaitable[Reply]]
"""Do a command at once for a caller who waits for it; nothing is queued. Same access rules as `Accept`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform can take.

    Attributes:
        message_length: characters in the longest message, or None for no limit.
        edits_per_second: how often one message may be edited, or None for no limit.
        streaming: whether a growing answer can be shown.
        reaches_later: whether an asker is still reached after a restart; where not, nobody waits for the answer.
    """

    message_length: int | None = None
    edits_per_second: float | None = None
    streaming: bool = False
    reaches_later: bool = True


@dataclass(frozen=True, slots=True)
class AdapterSetup:
    """What an adapter is made from.

    Attributes:
        settings: the whole tree (`bot.settings.Settings`).
        inquire: for fronts that need a command's result at once.
        ready: tells, in words, what the bot still waits for; empty when it can answer.
        options: what the command line adds for this run.
    """

    settings: Any
    inquire: Inquire
    ready: Callable[[], str]
    options: Mapping[str, Any] = field(default_factory=dict)


class Adapter(ABC):
    """One front door. A subclass supplies `start`, `send`, `edit` and `stop`; nothing else is asked of it."""

    name: str
    limits: Limits = Limits()
    address: str = ""
    """Where people find it, for the line that is printed at start; empty where there is nothing to say."""

    @abstractmethod
    async def start(self, accept: Accept) -> None:
        """Open the door; from here on every event is handed to `accept`.

        Raises:
            AdapterError: the door cannot be opened; the sentence says why and what to do.
        """

    @abstractmethod
    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Deliver a reply and give the platform's name for it.

        Raises whatever the platform says: retries are the caller's. The same key delivers once.
        """

    @abstractmethod
    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        """Put `reply` in the stead of what `send` delivered as `sent_id`."""

    @abstractmethod
    async def stop(self) -> None:
        """Close the door, leaving no task and no socket."""

    async def closed(self) -> int:
        """Wait until the door closes by itself, and give the process's exit status for that; most never do."""
        await asyncio.Event().wait()
        return 0


class Exchange:
    """One message on its way and the replies to it: partial ones first, the complete one last."""

    def __init__(self) -> None:
        self._replies: asyncio.Queue[Reply] = asyncio.Queue()

    def put(self, reply: Reply) -> None:
        """Hand over the next state of the reply."""
        self._replies.put_nowait(reply)

    async def next(self) -> Reply:
        """Wait for the next state of the reply; after a complete one nothing follows."""
        return await self._replies.get()

    async def complete(self) -> Reply:
        """Wait for the complete reply, passing over the partial ones."""
        while not (reply := await self.next()).complete:
            pass
        return reply


class InMemoryAdapter(Adapter):
    """A front door without a platform: messages are handed in, replies are handed back, everything is kept.

    It is what tests talk through, and the base of the doors whose asker waits for the answer (terminal, HTTP).
    """

    name = "memory"

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits(streaming=True, reaches_later=False)
        self._accept: Accept | None = None
        self._exchanges: dict[str, Exchange] = {}

    async def start(self, accept: Accept) -> None:
        """Keep `accept` for the messages that are handed in."""
        self._accept = accept

    async def post(self, message: IncomingMessage) -> Exchange:
        """Hand a message in and give the exchange on which its replies arrive; for an answered one none do."""
        if self._accept is None:
            raise RuntimeError(f"the {self.name} adapter is not started")
        if message.reference in self._exchanges:
            return self._exchanges[message.reference]
        exchange = self._exchanges[message.reference] = Exchange()
        try:
            receipt = await self._accept(message)
        except BaseException:
            self.abandon(message)
            raise
        if not receipt.is_new:
            self.abandon(message)
        return exchange

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Hand the reply to whoever waits for it; one whose asker is gone is let go."""
        await self.edit(place, idempotency_key, reply)
        return idempotency_key

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        """Hand the reply's next state to whoever waits for it."""
        exchange = self._exchanges.get(reply.in_reply_to)
        if exchange is None:
            return
        if reply.complete:
            del self._exchanges[reply.in_reply_to]
        exchange.put(reply)

    def abandon(self, message: IncomingMessage) -> None:
        """Forget the exchange of a message whose asker has left."""
        self._exchanges.pop(message.reference, None)

    async def stop(self) -> None:
        """Let go of those who still wait."""
        self._exchanges.clear()
