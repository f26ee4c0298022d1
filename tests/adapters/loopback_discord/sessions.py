"""Gateway sessions: what a connection asked for, what it was sent under which number, and what it missed."""

from __future__ import annotations

import asyncio
import json
import secrets
import zlib
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp import web

KEPT_EVENTS = 5_000
"""How many events a session replays at most; who missed more has to identify anew."""


FINAL_CODES = {1000, 1001}
"""A session that is closed with one of these cannot be resumed."""


class Op(IntEnum):
    """Gateway operation codes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Intent(IntFlag):
    """Gateway intents."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for every session that wants it.

    Attributes:
        name: as the gateway calls it (``MESSAGE_CREATE``).
        data: what it carries.
        intent: what a session must have asked for; None where every session is told.
        guild: the id of the guild that decides the shard; None for direct messages, which go to shard 0.
        bare: what it carries for a session without the message content intent, where that differs.
    """

    name: str
    data: dict[str, Any]
    intent: Intent | None = None
    guild: int | None = None
    bare: dict[str, Any] | None = None


class Connection:
    """One open websocket: what is to be sent waits in its outbox for the task that sends."""

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self.socket = socket
        self.silent = False
        self.withholds_acks = False
        self._dropped = False
        self._compressor = zlib.compressobj() if compressed else None
        self._outbox: asyncio.Queue[str] = asyncio.Queue()

    def put(self, text: str) -> None:
        """Send a payload after those that wait; a silent connection lets it fall."""
        if not (self.silent or self.socket.closed):
            self._outbox.put_nowait(text)

    async def send_all(self) -> None:
        """Send what is put, until cancelled."""
        while True:
            text = await self._outbox.get()
            try:
                await self._send(text)
            except ConnectionError:
                self.silent = True  # the other side is gone; what it misses is in its session
            finally:
                self._outbox.task_done()

    async def drained(self) -> None:
        """Wait until all that was put is sent."""
        await self._outbox.join()

    async def close(self, code: int, reason: str = "") -> None:
        """Close it from the gateway's side."""
        self._dropped = True
        await self.socket.close(code=code, message=reason.encode())

    @property
    def left_for_good(self) -> bool:
        """Whether the bot closed it with a code that ends its session."""
        return not self._dropped and self.socket.close_code in FINAL_CODES

    async def _send(self, text: str) -> None:
        if self.socket.closed:
            return
        if self._compressor is None:
            await self.socket.send_str(text)
            return
        compressed = self._compressor.compress(text.encode()) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        await self.socket.send_bytes(compressed)


@dataclass(slots=True, eq=False)
class Session:
    """What lasts from an IDENTIFY over all its RESUMEs.

    Attributes:
        shard: its number and how many there are.
        connection: the open connection; None between two.
        sequence: the number of the last event.
        resumed: how often it was resumed.
    """

    intents: Intent
    shard: tuple[int, int]
    identified_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    connection: Connection | None = None
    sequence: int = 0
    resumed: int = 0
    kept: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))

    @property
    def connected(self) -> bool:
        """Whether a connection is open."""
        return self.connection is not None and not self.connection.socket.closed

    def wants(self, event: Event) -> bool:
        """Whether the event is for this session: for its shard and among its intents."""
        number, count = self.shard
        here = (event.guild >> 22) % count == number if event.guild is not None else number == 0
        return here and (event.intent is None or event.intent in self.intents)

    def tell(self, event: Event) -> None:
        """Send an event in the form that this session may see, and keep it for a replay."""
        bare = event.bare is not None and Intent.MESSAGE_CONTENT not in self.intents
        self.dispatch(event.name, event.bare if bare and event.bare is not None else event.data)

    def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Send an event under the next number."""
        self.sequence += 1
        text = json.dumps({"op": Op.DISPATCH, "t": name, "s": self.sequence, "d": data})
        self.kept.append((self.sequence, text))
        if self.connection:
            self.connection.put(text)

    def can_resume(self, sequence: int) -> bool:
        """Whether everything after `sequence` is still there."""
        return sequence <= self.sequence and (not self.kept or self.kept[0][0] <= sequence + 1)

    def resume(self, connection: Connection, sequence: int) -> None:
        """Go on over a new connection: all that was missed, in order, then RESUMED."""
        self.connection = connection
        self.resumed += 1
        for number, text in self.kept:
            if number > sequence:
                connection.put(text)
        self.dispatch("RESUMED", {"_trace": []})
