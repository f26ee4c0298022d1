"""Socket Mode: websockets on which envelopes go out and acknowledgements come back."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import WSMsgType, web

from .deliveries import Attempt, Delivery, Retry
from .wire import ApiError, Json

Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]

CONNECTIONS = 10
"""How many connections one app may hold."""

_HOST = "applink-loopback"


@dataclass(slots=True, eq=False)
class Connection:
    """One websocket of the bot's.

    Attributes:
        opened_at, closed_at: when, in seconds since the epoch; closed_at is 0.0 while it is open.
        going: whether Slack said that it will close it, and so sends nothing more on it.
        sent, acknowledged: how many envelopes.
    """

    socket: web.WebSocketResponse
    request: web.Request
    opened_at: float = field(default_factory=time.time)
    closed_at: float = 0.0
    going: bool = False
    sent: int = 0
    acknowledged: int = 0

    @property
    def is_open(self) -> bool:
        return not self.closed_at and not self.going and not self.socket.closed

    async def send(self, message: Json) -> bool:
        """Send a message; False where the bot is gone."""
        try:
            await self.socket.send_json(message)
        except (ConnectionError, RuntimeError):
            return False
        return True

    def drop(self) -> None:
        """Cut the line without a word, as a lost network does."""
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass(slots=True, eq=False)
class Envelope:
    """One sending of a delivery: what an acknowledgement's envelope_id refers to."""

    delivery: Delivery
    attempt: Attempt
    connection: Connection
    settled: asyncio.Future[None]


class SocketRoad:
    """Carries deliveries over the bot's websockets; an event that was not acknowledged goes to the next connection."""

    def __init__(self, app: str, ack_seconds: float, changed: Callable[[], None]) -> None:
        self.connections: list[Connection] = []
        self.pending: list[Delivery] = []
        self.refuses = False
        self._app = app
        self._ack_seconds = ack_seconds
        self._changed = changed
        self._tickets: set[str] = set()
        self._envelopes: dict[str, Envelope] = {}
        self._turn = 0

    @property
    def open_connections(self) -> list[Connection]:
        return [connection for connection in self.connections if connection.is_open]

    def ticket(self) -> str:
        """A ticket for one connection.

        Raises:
            ApiError: there are ten connections already.
        """
        if len(self.open_connections) >= CONNECTIONS:
            raise ApiError("too_many_websockets")
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request, connected: Callable[[], None]) -> web.StreamResponse:
        """Hold one websocket until it closes; `connected` is called once it can take envelopes."""
        ticket = request.query.get("ticket", "")
        if self.refuses or ticket not in self._tickets:
            raise web.HTTPForbidden(text="the ticket is not valid")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._tickets.discard(ticket)
        connection = Connection(socket, request)
        self.connections.append(connection)
        await connection.send(self._hello())
        connected()
        self._changed()
        try:
            await self._listen(connection)
        finally:
            self._close(connection)
        return socket

    async def carry(self, delivery: Delivery, retry: Retry | None = None) -> Attempt:
        """Send it once and wait for the acknowledgement; without one an event is kept for the next connection."""
        attempt = Attempt(retry=retry)
        delivery.attempts.append(attempt)
        connection = self._next_connection()
        if connection is None:
            attempt.failure = "connection_failed"
        else:
            await self._send(Envelope(delivery, attempt, connection, asyncio.get_running_loop().create_future()))
        if not delivery.acknowledged and delivery.kind == "events_api" and delivery not in self.pending:
            self.pending.append(delivery)
        return attempt

    def take_pending(self) -> list[Delivery]:
        """What was never acknowledged, to be sent again."""
        pending, self.pending = [delivery for delivery in self.pending if not delivery.acknowledged], []
        return pending

    async def say_goodbye(self, reason: Reason) -> None:
        """Tell the bot on every connection that Slack will close it; but for a warning nothing more comes on it."""
        self.refuses = self.refuses or reason == "link_disabled"
        for connection in self.open_connections:
            connection.going = reason != "warning"
            await connection.send({"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}})

    async def close(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            if not connection.closed_at:
                await connection.socket.close()

    def drop(self) -> int:
        """Cut every connection without a word and give their number."""
        alive = [connection for connection in self.connections if not connection.closed_at]
        for connection in alive:
            connection.drop()
        return len(alive)

    async def _send(self, envelope: Envelope) -> None:
        delivery, retry = envelope.delivery, envelope.attempt.retry
        name = str(uuid.uuid4())
        message: Json = {"envelope_id": name, "type": delivery.kind, "payload": delivery.payload}
        message["accepts_response_payload"] = delivery.kind != "events_api"
        if delivery.kind == "events_api":
            message["retry_attempt"] = retry.number if retry else 0
            message["retry_reason"] = retry.reason if retry else ""
        self._envelopes[name] = envelope
        envelope.connection.sent += 1
        if not await envelope.connection.send(message):
            envelope.attempt.failure = "connection_failed"
            return
        await asyncio.wait([envelope.settled], timeout=self._ack_seconds)
        if not envelope.attempt.acknowledged:
            envelope.attempt.failure = envelope.attempt.failure or "timeout"

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.TEXT:
                self._acknowledged(json.loads(message.data), connection)

    def _acknowledged(self, message: Json, connection: Connection) -> None:
        envelope = self._envelopes.pop(str(message.get("envelope_id")), None)
        if envelope is None:
            return
        connection.acknowledged += 1
        envelope.attempt.acknowledge(message.get("payload"))
        if not envelope.settled.done():
            envelope.settled.set_result(None)
        self._changed()

    def _close(self, connection: Connection) -> None:
        connection.closed_at = time.time()
        lost = [name for name, envelope in self._envelopes.items() if envelope.connection is connection]
        for name in lost:
            envelope = self._envelopes.pop(name)
            envelope.attempt.failure = "connection_failed"
            if not envelope.settled.done():
                envelope.settled.set_result(None)
        self._changed()

    def _next_connection(self) -> Connection | None:
        alive = self.open_connections
        self._turn += 1
        return alive[self._turn % len(alive)] if alive else None

    def _hello(self) -> Json:
        debug = {"host": _HOST, "build_number": 1, "approximate_connection_time": 18_060}
        connections = {"num_connections": len(self.open_connections), "connection_info": {"app_id": self._app}}
        return {"type": "hello", "debug_info": debug} | connections
