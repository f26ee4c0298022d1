"""The gateway: HELLO, IDENTIFY, READY, heartbeats and RESUME over real websockets, and what can go wrong there."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from . import payloads
from .sessions import FINAL_CODES, PRIVILEGED, Connection, Event, Intent, Op, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .world import World

Json = dict[str, Any]

UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED = 4001, 4002, 4003
AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED = 4004, 4005
INVALID_SEQUENCE, SESSION_TIMED_OUT = 4007, 4009
INVALID_SHARD, INVALID_INTENTS, DISALLOWED_INTENTS = 4010, 4013, 4014

SESSION_ENDS = FINAL_CODES | {INVALID_SEQUENCE, SESSION_TIMED_OUT}
"""After a close with one of these the session cannot be resumed."""

_LARGEST_PAYLOAD = 4096


class GatewayClose(Exception):  # noqa: N818 - it is a close, with its code
    """The gateway closes a connection with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Gateway:
    """The sessions of one application and the connections that carry them.

    Attributes:
        allowed_intents: what the application may ask for; a privileged intent beyond it is refused with 4014.
        heartbeat_interval: how often the bot shall beat, in seconds.
        session_starts_left: how many IDENTIFYs are left for the day; without any the token is refused.
        identify_window: seconds within which a second IDENTIFY of the same concurrency key is turned away with
            opcode 9; Discord's is 5, and the loopback's 0 unless a test sets it.
        sessions: all sessions that can still be resumed, oldest first.
        identified: all sessions that ever were, in order.
        heartbeats: how many came.
        presences: what the bot showed as its presence.
    """

    def __init__(self, world: World, token: str, shards: int, max_concurrency: int) -> None:
        self._world = world
        self.token = token
        self.shards = shards
        self.max_concurrency = max_concurrency
        self.allowed_intents = ~PRIVILEGED
        self.heartbeat_interval = 41.25
        self.session_starts_left = 1000
        self.identify_window = 0.0
        self.sessions: list[Session] = []
        self.identified: list[Session] = []
        self.heartbeats = 0
        self.presences: list[Json] = []
        self._connections: set[Connection] = set()
        self._open = asyncio.Event()
        self._open.set()

    def publish(self, event: Event) -> None:
        """Tell every session that wants the event."""
        for session in self.sessions:
            if session.wants(event):
                session.tell(event)
        self._world.notify()

    async def delivered(self) -> None:
        """Wait until all that was published is sent."""
        for connection in list(self._connections):
            await connection.drained()

    @property
    def live(self) -> list[Session]:
        """The sessions that have an open connection."""
        return [session for session in self.sessions if session.connected]

    async def close_all(self, code: int) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            await connection.close(code)

    def forget_sessions(self) -> None:
        """Let no session be resumed."""
        self.sessions.clear()

    def tell_all(self, op: Op, data: object) -> None:
        """Send an operation without a number to every connection."""
        for connection in self._connections:
            connection.put(json.dumps({"op": op, "d": data}))

    def go_silent(self) -> None:
        """Let the open connections die without a word: they stay open and nothing more comes."""
        for connection in self._connections:
            connection.silent = True

    def withhold_acks(self) -> None:
        """Answer no heartbeat of the open connections any more; events still come."""
        for connection in self._connections:
            connection.withholds_acks = True

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Let every new connection wait at the door for as long as this lasts."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        await self._open.wait()
        compression = request.query.get("compress")
        if request.query.get("encoding", "json") != "json" or compression not in (None, "zlib-stream"):
            return web.Response(status=400, text="the loopback speaks JSON, plain or as zlib-stream")
        socket = web.WebSocketResponse(timeout=1.0, max_msg_size=_LARGEST_PAYLOAD, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, compressed=compression is not None)
        sending = asyncio.create_task(connection.send_all())
        self._connections.add(connection)
        try:
            await self._converse(connection)
        finally:
            self._connections.discard(connection)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    async def _converse(self, connection: Connection) -> None:
        hello = {"heartbeat_interval": int(self.heartbeat_interval * 1000), "_trace": []}
        connection.put(json.dumps({"op": Op.HELLO, "d": hello}))
        session: Session | None = None
        try:
            async for frame in connection.socket:
                if frame.type is WSMsgType.TEXT:
                    session = self._receive(connection, session, frame.data) or session
                    self._world.notify()
        except GatewayClose as close:
            await connection.drained()
            await connection.close(close.code, close.reason)
        finally:
            self._part(session, connection)

    def _part(self, session: Session | None, connection: Connection) -> None:
        if session and session.connection is connection:
            session.connection = None
            if connection.left_for_good and session in self.sessions:
                self.sessions.remove(session)
        self._world.notify()

    def _receive(self, connection: Connection, session: Session | None, text: str) -> Session | None:
        try:
            payload = json.loads(text)
            operation, data = payload["op"], payload.get("d")
        except (ValueError, KeyError, TypeError) as error:
            raise GatewayClose(DECODE_ERROR, "Error while decoding payload.") from error
        if operation == Op.HEARTBEAT:
            self._beat(connection)
        elif operation in (Op.IDENTIFY, Op.RESUME):
            if session:
                raise GatewayClose(ALREADY_AUTHENTICATED, "Already authenticated.")
            return self._identify(connection, data) if operation == Op.IDENTIFY else self._resume(connection, data)
        elif session is None:
            raise GatewayClose(NOT_AUTHENTICATED, "Not authenticated.")
        elif operation == Op.REQUEST_MEMBERS:
            self._send_members(session, data)
        elif operation == Op.PRESENCE:
            self.presences.append(data)
        elif operation != Op.VOICE_STATE:
            raise GatewayClose(UNKNOWN_OPCODE, "Unknown opcode.")
        return None

    def _beat(self, connection: Connection) -> None:
        self.heartbeats += 1
        if not connection.withholds_acks:
            connection.put(json.dumps({"op": Op.HEARTBEAT_ACK}))

    def _identify(self, connection: Connection, data: Json) -> Session | None:
        if data["token"] != self.token or self.session_starts_left <= 0:
            raise GatewayClose(AUTHENTICATION_FAILED, "Authentication failed.")
        number, count = data.get("shard") or (0, 1)
        if not 0 <= number < count:
            raise GatewayClose(INVALID_SHARD, "Invalid shard.")
        intents = Intent(_intents(data))
        if intents & PRIVILEGED & ~self.allowed_intents:
            raise GatewayClose(DISALLOWED_INTENTS, "Disallowed intent(s).")
        if self._too_soon(number):
            connection.put(json.dumps({"op": Op.INVALID_SESSION, "d": False}))
            return None
        self.session_starts_left -= 1
        session = Session(intents, (number, count), self._world.clock.now(), data.get("properties") or {})
        session.connection = connection
        self.sessions.append(session)
        self.identified.append(session)
        if data.get("presence"):
            self.presences.append(data["presence"])
        self._make_ready(session)
        return session

    def _too_soon(self, shard: int) -> bool:
        key = shard % self.max_concurrency
        now = self._world.clock.now()
        return any(
            session.shard[0] % self.max_concurrency == key
            and (now - session.identified_at).total_seconds() < self.identify_window
            for session in self.identified
        )

    def _make_ready(self, session: Session) -> None:
        number, count = session.shard
        guilds = [guild for guild in self._world.guilds.values() if (guild.id >> 22) % count == number]
        ready = {
            "v": 10,
            "user": payloads.user(self._world.bot)
            | {"verified": True, "mfa_enabled": False, "email": None, "flags": 0},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self._world.base_url.replace("http", "ws", 1) + "/gateway",
            "shard": [number, count],
            "application": {"id": str(self._world.application_id), "flags": application_flags(self)},
        }
        session.dispatch("READY", ready)
        if Intent.GUILDS in session.intents:
            for guild in guilds:
                session.dispatch("GUILD_CREATE", payloads.created_guild(guild))

    def _resume(self, connection: Connection, data: Json) -> Session | None:
        if data["token"] != self.token:
            raise GatewayClose(AUTHENTICATION_FAILED, "Authentication failed.")
        session = next((one for one in self.sessions if one.id == data["session_id"]), None)
        if session and (data["seq"] or 0) > session.sequence:
            raise GatewayClose(INVALID_SEQUENCE, "Invalid seq.")
        if session is None or not session.can_resume(data["seq"] or 0):
            connection.put(json.dumps({"op": Op.INVALID_SESSION, "d": False}))
            return None
        session.resume(connection, data["seq"] or 0)
        return session

    def _send_members(self, session: Session, data: Json) -> None:
        guild = self._world.guilds.get(int(data["guild_id"]))
        if guild is None:
            return
        wanted = {int(number) for number in data.get("user_ids") or ()}
        query = (data.get("query") or "").lower()
        found = [
            member
            for member in guild.members.values()
            if (member.id in wanted if wanted else member.name.lower().startswith(query))
        ]
        chunk = {"guild_id": str(guild.id), "chunk_index": 0, "chunk_count": 1, "nonce": data.get("nonce")}
        chunk["members"] = [payloads.full_member(member) for member in found]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)


def application_flags(gateway: Gateway) -> int:
    """Give the application's flags: which privileged intents it has, in the form for small bots."""
    presences, members, content = 1 << 13, 1 << 15, 1 << 19
    flags = 0
    for intent, flag in (
        (Intent.GUILD_PRESENCES, presences),
        (Intent.GUILD_MEMBERS, members),
        (Intent.MESSAGE_CONTENT, content),
    ):
        if intent in gateway.allowed_intents:
            flags |= flag
    return flags


def _intents(data: Json) -> int:
    value = data.get("intents")
    if not isinstance(value, int) or value < 0 or value >> 27:
        raise GatewayClose(INVALID_INTENTS, "Invalid intent(s).")
    return value
