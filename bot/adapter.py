"""The contract of a front door: what a platform's adapter must supply, and the in-memory one that ships.

An adapter translates, renders and sends; it decides nothing. It hears an event, hands it to `accept`, and
acknowledges the event to its platform only after `accept` has returned: by then the event is a committed row.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.errors import AttachmentError
from bot.messages import Attachment, IncomingMessage, Place, Reply


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
        placeholder: whether a line that says "thinking" is wanted while nothing of the answer is there yet.
        buttons: whether a reader can press buttons.
        files: whether people can send files.
        open_threads: whether all who see a channel see its threads, too.
        reaches_later: whether an asker is still reached after a restart; where not, nobody waits for the answer.
    """

    message_length: int | None = None
    edits_per_second: float | None = None
    streaming: bool = False
    placeholder: bool = False
    buttons: bool = False
    files: bool = True
    open_threads: bool = False
    reaches_later: bool = True


@dataclass(frozen=True, slots=True)
class Visited:
    """A channel or thread in which something was asked, and when that was for the first and for the last time."""

    place: Place
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A session over HTTP.

    Attributes:
        person: the author's id.
        key_digest: SHA-256 of the key that opened it, in hexadecimal; empty for a guest's.
        expires_at: when it is over (UTC).
    """

    person: str
    key_digest: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened just now, with its token, which is told this once."""

    token: str = field(repr=False)
    session: Session


class Records:
    """What an adapter may ask of the core's memory, of its own platform only. This one remembers nothing."""

    async def has_accepted(self, key: str) -> bool:
        """Say whether a message was accepted under this key."""
        return False

    async def accepted_at(self, key: str) -> datetime | None:
        """Say when a message was accepted under this key; None where none was."""
        return None

    async def takes_part(self, place: Place) -> bool:
        """Say whether anything was asked of the bot in this place (a thread) before."""
        return False

    async def visited(self, since: datetime) -> Sequence[Visited]:
        """Give the places in which something was asked of the bot since a moment."""
        return ()

    async def titles(self, asker: IncomingMessage, limit: int) -> Sequence[str]:
        """Give titles of the knowledge base that begin with a text, for completion; with nothing to begin with, any.

        Args:
            asker: who may ask on from there, where, with the text: whoever may not ask gets none.
            limit: how many at the most.
        """
        return ()

    async def value(self, name: str) -> str:
        """Give what the adapter kept under a name; empty where nothing is."""
        return ""

    async def keep_value(self, name: str, value: str) -> None:
        """Keep a small text under a name, over restarts. No secrets, no messages."""

    async def open_session(self, person: str, key_digest: str, lasts: timedelta) -> Opened:
        """Open a session for an author's id; `key_digest` is the SHA-256 of the key shown, in hexadecimal, if any."""
        return Opened("", Session(person, key_digest, datetime.now(UTC) + lasts))

    async def session(self, token: str) -> Session | None:
        """Give the session of a token; None where there is none, or none any more."""
        return None

    async def end_session(self, token: str) -> None:
        """End the session of a token; one that is none is no error."""


class Figures:
    """What an adapter that serves HTTP shows of the metrics, and adds to them. This one has none."""

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        """Give all metrics as Prometheus reads them, and the media type, for what an ``Accept`` header asks for."""
        return b"", "text/plain; version=0.0.4; charset=utf-8"

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an HTTP request.

        Args:
            route: the template of the address; never the address itself, which may hold ids.
            method: of a closed set.
            status: of the response.
            seconds: until the end of the response.
        """


@dataclass(frozen=True, slots=True)
class AdapterSetup:
    """What an adapter is made from.

    Attributes:
        settings: the whole tree (`bot.settings.Settings`).
        inquire: for fronts that need a command's result at once.
        ready: tells, in words, what the bot still waits for; empty when it can answer.
        options: what the command line adds for this run.
        records: what the adapter may ask of the core's memory.
        webhooks: gives the ASGI applications of all adapters, for the one that serves HTTP.
        addresses: gives the URLs of the adapters that have one, by name, for one that talks to another.
        figures: the metrics.
    """

    settings: Any
    inquire: Inquire
    ready: Callable[[], str]
    options: Mapping[str, Any] = field(default_factory=dict)
    records: Records = field(default_factory=Records)
    webhooks: Callable[[], Mapping[str, Any]] = dict
    addresses: Callable[[], Mapping[str, str]] = dict
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether an adapter hears and reaches its platform now, and if not, why: one sentence without texts or secrets."""

    is_up: bool
    reason: str = ""


class Adapter(ABC):
    """One front door. A subclass supplies `start`, `send`, `edit` and `stop`; the rest where its platform has it."""

    name: str
    limits: Limits = Limits()
    address: str = ""
    """The URL under which it is reached, once it is started; empty where it has none."""

    @property
    def health(self) -> Health:
        """Whether it works now; asked often, so it looks nothing up."""
        return Health(True)

    @property
    def welcome(self) -> str:
        """Where people find it and what it can hear there, for the line that is printed at start; may be empty."""
        return ""

    @property
    def webhooks(self) -> Mapping[str, Any]:
        """ASGI applications to be served over HTTP, by path (``/slack``); each checks by itself who calls."""
        return {}

    @abstractmethod
    async def start(self, accept: Accept) -> None:
        """Open the door; from here on every event is handed to `accept`.

        Raises:
            AdapterError: the door cannot be opened; the sentence says why and what to do.
        """

    @abstractmethod
    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Deliver a reply, or one of its `parts`, and give the platform's name for it.

        Retries are the caller's; the same key delivers once, as far as the platform helps (see `find`).

        Raises:
            RateLimitedError: the platform says how long to wait.
            DeliveryRefusedError: trying again is useless; the log has the missing permission's name.
            Exception: whatever else the platform's library raises.
        """

    @abstractmethod
    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        """Put `reply` in the stead of what `send` delivered as `sent_id`. Raises what `send` does."""

    @abstractmethod
    async def stop(self) -> None:
        """Close the door, leaving no task and no socket."""

    def parts(self, reply: Reply) -> Sequence[Reply]:
        """Cut a reply into parts that the platform takes, each whole in itself; most often it is one."""
        return (reply,)

    async def delete(self, place: Place, sent_id: str) -> None:
        """Take back what `send` delivered; what is gone already is no error."""
        raise NotImplementedError(f"{self.name} cannot take back what it sent")

    async def find(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Look for what an earlier `send` under this key may have delivered; give its name, or nothing.

        Asked only where it is unclear whether that `send` came through: it failed half-way, or the process died.
        """
        return ""

    def working(self, message: IncomingMessage) -> contextlib.AbstractAsyncContextManager[None]:
        """Show the asker, for the while of the body, that the bot is at work (typing …); must not raise."""
        return contextlib.nullcontext()

    async def roles(self, message: IncomingMessage) -> frozenset[str]:
        """Look up what the platform vouches for about the author; asked where a decision hangs on it.

        On any doubt or failure give what is certain: an unknown role is none.
        """
        return message.author.roles

    def spelled(self, command: str) -> str:
        """Give a command as people write it here."""
        return f"/{command}"

    async def link(self, place: Place, message_id: str) -> str:
        """Give the address under which people find a message; empty where it has none."""
        return ""

    def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Yield a file's bytes as they arrive; the caller stops when it is enough.

        Raises:
            AttachmentError: it cannot be fetched.
        """
        raise AttachmentError(f"{self.name} brings no files.")

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
