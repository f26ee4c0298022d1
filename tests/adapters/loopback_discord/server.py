"""The loopback Discord itself: starts, stops, and offers a test everything that it can do and see."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from . import posting, rest_application, rest_interactions, rest_messages, rest_places
from .control import Control
from .faults import ANY, Faults, Planned, RequestRecord, matches
from .gateway import SESSION_ENDS, Gateway
from .permissions import EVERYDAY, NOTHING, Permission
from .rest import API, Rest, settled
from .sessions import PRIVILEGED, Intent, Op, Session
from .world import BOT_ID, World

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import AsyncIterator, Callable

    from .interactions import Interaction
    from .messages import Message
    from .people import User
    from .places import Guild

Json = dict[str, Any]

TOKEN = f"{base64.b64encode(str(BOT_ID).encode()).decode().rstrip('=')}.Loopbk.{'0123456789' * 3}abcdefgh"
"""A token in the shape of a real one: the bot's id in base64, a time, a signature."""
NO_INTENTS = Intent(0)
_FILE_CHUNK = 64 * 1024


class LoopbackDiscord:
    """A Discord with one application and one bot; an async context manager that listens while it is entered.

    Args:
        intents: the privileged intents that the application has; asking for another one closes with 4014.
        token: the bot's token.
        shards: how many shards GET /gateway/bot recommends.
        max_concurrency: how many shards may identify at a time.
        host: where to listen.
        port: where to listen; 0 for any free port.
    """

    def __init__(
        self,
        *,
        intents: Intent = NO_INTENTS,
        token: str = TOKEN,
        shards: int = 1,
        max_concurrency: int = 1,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.token = token
        self.world = World()
        self.gateway = Gateway(self.world, token, shards, max_concurrency)
        self.gateway.allowed_intents = ~PRIVILEGED | intents
        self.faults = Faults()
        self.world.publish = self.gateway.publish
        self.world.delivered = self.gateway.delivered
        self._address = host, port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        await self.stop()
        if kind is None and self.world.own_faults:
            raise ExceptionGroup(
                "the loopback itself failed, or was asked what it does not understand", self.world.own_faults
            )

    async def start(self) -> None:
        """Listen."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, *self._address)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.world.base_url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        await self.gateway.close_all(1001)
        if self._runner:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.router.add_get("/gateway", self.gateway.handle)
        application.router.add_get("/gateway/", self.gateway.handle)
        application.router.add_get("/cdn/attachments/{channel_id}/{file_id}/{filename}", self._download)
        Control(self).mount(application)
        groups = (rest_application.ROUTES, rest_places.ROUTES, rest_messages.ROUTES, rest_interactions.ROUTES)
        Rest(self.world, self.gateway, self.faults).mount(application, [route for group in groups for route in group])
        return application

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.world.files.get(int(request.match_info["file_id"]))
        await self.faults.released(f"GET {request.path}")
        if file is None:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers={"Content-Type": file.media_type or "application/octet-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # a reader may leave when it has had enough
            for start in range(0, len(file.data), _FILE_CHUNK):
                await response.write(file.data[start : start + _FILE_CHUNK])
            await response.write_eof()
        return response

    # --- addresses and identity ---

    @property
    def rest_url(self) -> str:
        """The REST API's base, in the stead of ``https://discord.com/api/v10``."""
        return self.world.base_url + API

    @property
    def gateway_url(self) -> str:
        """The gateway's address, in the stead of ``wss://gateway.discord.gg/``."""
        return self.world.base_url.replace("http", "ws", 1) + "/gateway"

    @property
    def bot_user(self) -> User:
        """The bot."""
        return self.world.bot

    @property
    def application_id(self) -> int:
        """The application's id."""
        return self.world.application_id

    # --- building ---

    def guild(self, name: str, *, everyone: Permission = EVERYDAY, bot: Permission = NOTHING) -> Guild:
        """Add a guild; `everyone` is what all may do there, `bot` what the bot may do beyond that."""
        return self.world.add_guild(name, everyone, bot)

    def user(self, name: str) -> User:
        """Add a user who shares no guild with the bot."""
        return self.world.add_user(name)

    # --- looking ---

    @property
    def guilds(self) -> list[Guild]:
        """The guilds."""
        return list(self.world.guilds.values())

    @property
    def messages(self) -> list[Message]:
        """All messages that there are or were, oldest first."""
        return list(self.world.messages.values())

    @property
    def interactions(self) -> list[Interaction]:
        """All interactions, oldest first."""
        return list(self.world.interactions.values())

    @property
    def requests(self) -> deque[RequestRecord]:
        """The requests that were answered, oldest first; the latest 20,000 are kept."""
        return self.world.requests

    @property
    def unknown_requests(self) -> list[RequestRecord]:
        """The requests for paths that the loopback does not have."""
        return [request for request in self.requests if request.route.startswith(ANY)]

    def requests_to(self, route: str) -> list[RequestRecord]:
        """Give the requests of a route (``"PUT /applications/*/commands"``), oldest first."""
        return [one for one in self.requests if matches(route, f"{one.method} {one.path}", one.route)]

    def commands(self, guild: Guild | None = None) -> list[Json]:
        """Give the registered commands, global ones or a guild's."""
        return self.world.commands.get(guild.id if guild else rest_application.GLOBAL, [])

    @property
    def sessions(self) -> list[Session]:
        """Every gateway session that was ever identified, in order."""
        return self.gateway.identified

    @property
    def live_sessions(self) -> list[Session]:
        """The sessions with an open connection."""
        return self.gateway.live

    @property
    def open_connections(self) -> int:
        """How many sockets are open to the loopback, websockets and others."""
        server = self._runner.server if self._runner else None
        return len(server.connections) if server else 0

    # --- waiting ---

    async def until(self, predicate: Callable[[], bool], within: float = 20.0) -> None:
        """Wait until `predicate` holds; raises TimeoutError after `within` seconds."""
        await self.world.until(predicate, within)

    async def connected(self, shards: int = 1, within: float = 10.0) -> None:
        """Wait until so many sessions have an open connection."""
        await self.until(lambda: len(self.live_sessions) >= shards, within)

    async def calm(self, quiet: float = 0.3) -> None:
        """Wait until the bot has asked for nothing for `quiet` seconds."""
        await settled(self.world, quiet)

    # --- the gateway's troubles ---

    async def drop_connection(self, code: int = 4000, *, resumable: bool = True) -> None:
        """Close every connection with a code.

        Where it is not `resumable`, and after 1000, 1001, 4007 and 4009, the session is forgotten and a RESUME of it is
        turned away with opcode 9.
        """
        if not resumable or code in SESSION_ENDS:
            self.gateway.forget_sessions()
        await self.gateway.close_all(code)

    @contextlib.asynccontextmanager
    async def outage(self, code: int = 4000) -> AsyncIterator[None]:
        """Close every connection and let none in for as long as this lasts; what happens meanwhile is replayed."""
        with self.gateway.shut():
            await self.gateway.close_all(code)
            yield

    async def request_reconnect(self) -> None:
        """Ask the bot to reconnect (opcode 7)."""
        self.gateway.tell_all(Op.RECONNECT, None)
        await self.gateway.delivered()

    async def invalidate_session(self, *, resumable: bool = False) -> None:
        """Tell the bot that its session is invalid (opcode 9)."""
        self.gateway.tell_all(Op.INVALID_SESSION, resumable)
        await self.gateway.delivered()
        if not resumable:
            self.gateway.forget_sessions()

    def go_silent(self) -> None:
        """Let the open connections stay open and carry nothing more, neither events nor heartbeat acknowledgements."""
        self.gateway.go_silent()

    def withhold_acks(self) -> None:
        """Answer no heartbeat of the open connections any more; events still come."""
        self.gateway.withhold_acks()

    async def redeliver(self, message: Message) -> None:
        """Send a message's MESSAGE_CREATE once more."""
        posting.redeliver(self.world, message)
        await self.gateway.delivered()

    async def unfurl(self, message: Message, title: str = "A page") -> None:
        """Show a link's preview under a message: a MESSAGE_UPDATE without an edit."""
        posting.unfurl(self.world, message, {"type": "link", "title": title, "url": "https://example.org/"})
        await self.gateway.delivered()

    async def sends(self, event: str, data: Json) -> None:
        """Send any event to every session, one that discord.py does not know as well."""
        for session in self.gateway.sessions:
            session.dispatch(event, data)
        await self.gateway.delivered()

    # --- the API's troubles ---

    def rate_limit(
        self, route: str, retry_after: float, *, times: int = 1, everywhere: bool = False, banned: bool = False
    ) -> None:
        """Answer the next requests of a route with 429; `everywhere` is the global limit, `banned` the proxy's ban."""
        self.faults.plan(Planned(route, times, 429, retry_after, everywhere, banned))

    def fail_next(self, times: int = 1, *, status: int = 500, route: str = ANY) -> None:
        """Answer the next requests of a route with a server error; they are not carried out."""
        self.faults.plan(Planned(route, times, status))

    def lose_answer(self, route: str, *, times: int = 1) -> None:
        """Carry the next requests of a route out and cut the connection before the answer."""
        self.faults.plan(Planned(route, times, lost=True))

    def hold(self, route: str) -> contextlib.AbstractContextManager[None]:
        """Let every request of a route wait, not yet carried out, for as long as the context lasts."""
        return self.faults.hold(route)

    def slow(self, route: str, seconds: float) -> None:
        """Let every request of a route, or download (``"GET /cdn/*"``), wait so long before it is carried out."""
        self.faults.slow(route, seconds)

    def limit(self, route: str, requests: int, seconds: float) -> None:
        """Enforce a rate limit of so many requests in so many seconds on a route."""
        self.faults.limit(route, requests, seconds)

    def realistic_limits(self) -> None:
        """Enforce about what Discord enforces on messages, edits, reactions and follow-ups."""
        self.faults.realistic()

    # --- time ---

    def advance(self, seconds: float) -> None:
        """Put the clock forward: for nonces, interactions' three seconds and their tokens' fifteen minutes."""
        self.world.clock.advance(seconds)

    def expire(self, interaction: Interaction) -> None:
        """Let an interaction's token be too old."""
        interaction.expired = True
