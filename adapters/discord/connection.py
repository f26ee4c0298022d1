"""Keeps the bot on Discord: logs in, connects, begins again after trouble, and knows when it is over for good."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route as RestRoute

from adapters.discord.client import Client
from adapters.discord.endings import content_not_allowed, ending
from adapters.discord.presence import moment
from adapters.failures import told
from bot.adapter import Health
from bot.errors import AdapterError
from bot.settings.tree import DiscordSettings

log = structlog.get_logger(__name__)

_TROUBLE = (AdapterError, discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)

_OPEN_SECONDS = 0.8
"""How long a start waits for the login; where Discord takes longer, it goes on in the background."""

_SERVER_ERROR, _TOO_MANY_REQUESTS = 500, 429
_LOGIN_SECONDS = 30.0
_REACH_SECONDS = 10.0
_ATTEND_SECONDS = 1.0
_CLOSE_SECONDS = 2.0
_CANCEL_SECONDS = 0.5


class NotDiscordError(ConnectionError):
    """Something answers where Discord should, and not as Discord does."""

    def __init__(self, said: str) -> None:
        super().__init__(
            f"What answers at discord.base_url does not speak Discord's API ({said}): see whether the address is right,"
            " and what stands between; I keep trying."
        )


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before another attempt: longer each time, and not at the same moment as everybody else."""

    first: float = 1.0
    longest: float = 60.0
    factor: float = 2.0
    jitter: float = 0.3

    def delay(self, attempt: int) -> float:
        """Give the seconds to wait after failed attempt number `attempt`, counted from 0."""
        longest = min(self.longest, self.first * self.factor ** min(attempt, 16))
        return longest * random.uniform(1 - self.jitter, 1)  # noqa: S311 - it spreads load, it keeps no secret


class Connection:
    """The bot's presence on Discord. A client lives for one login; after trouble another takes its place.

    Args:
        settings: where, and as whom.
        make_client: makes a client that is not logged in.
        when_logged_in: what is to be done after each login, beside hearing and answering.
        backoff: how long to wait between attempts.
    """

    def __init__(
        self,
        settings: DiscordSettings,
        make_client: Callable[[], Client],
        when_logged_in: Callable[[Client], Awaitable[None]],
        backoff: Backoff,
    ) -> None:
        self._settings = settings
        self._make_client = make_client
        self._when_logged_in = when_logged_in
        self._backoff = backoff
        self._client: Client | None = None
        self._ended: AdapterError | None = None
        self._away_since = datetime.now(UTC)
        self._trouble: Exception | None = None
        self._tried = asyncio.Event()
        self._here = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def client(self) -> Client:
        """The client that is logged in.

        Raises:
            ConnectionError: there is none at the moment.
        """
        if self._client is None:
            raise ConnectionError("not logged in to Discord")
        return self._client

    @property
    def health(self) -> Health:
        """Whether the bot hears Discord now, and if not, why and since when."""
        if self._ended is not None:
            return Health(False, f"{self._ended.sentence} {self._ended.fix}".strip())
        if self._client is None:
            return Health(False, self._why_away)
        return self._client.presence.health(self._client.shard_count or 1, self._client.latency)

    @property
    def _why_away(self) -> str:
        if isinstance(self._trouble, NotDiscordError):
            return str(self._trouble)
        # What a library says of an error may hold more than its kind.
        kind = f" ({type(self._trouble).__name__})" if self._trouble else ""
        return f"Discord is not reached since {moment(self._away_since)}{kind}; I keep trying."

    async def reached(self) -> Client:
        """Wait a while for a client that is logged in.

        Raises:
            TimeoutError, ConnectionError: there is none yet.
        """
        async with asyncio.timeout(_REACH_SECONDS):
            await self._here.wait()
        return self.client

    async def open(self) -> None:
        """Begin to connect; returns as soon as the login is through, and soon in any case.

        Raises:
            AdapterError: it is certain already that it never will be.
        """
        self._task = asyncio.create_task(self._keep(), name="discord connection")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), _OPEN_SECONDS)
        if self._ended is not None:
            raise self._ended

    async def ended(self) -> None:
        """Wait until it is over for good."""
        if self._task is None:
            raise RuntimeError("the connection is not open")
        await asyncio.shield(self._task)

    async def close(self) -> None:
        """Let what is being heard be finished, and leave."""
        if self._client is not None:
            await self._client.attendance.end(_ATTEND_SECONDS)
        if self._task is not None:
            # While it reconnects discord.py swallows a cancellation.
            while not self._task.done():
                self._task.cancel()
                await asyncio.wait((self._task,), timeout=_CANCEL_SECONDS)

    async def _keep(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._logged_in() as client:
                    attempt = 0
                    await self._stay(client)
            except _TROUBLE as error:
                self._ended = ending(error)
                if self._ended is not None:
                    log.error("discord is over", why=self._ended.sentence, fix=self._ended.fix)  # noqa: TRY400
                    break
                await self._wait(attempt, error)
            # The task's boundary: what the gateway sends may break discord.py in any way, and it must come again.
            except Exception as error:  # noqa: BLE001
                await self._wait(attempt, error)
            attempt += 1
        self._tried.set()

    async def _wait(self, attempt: int, error: Exception) -> None:
        self._trouble = error
        wait = self._backoff.delay(attempt)
        why = {"why": str(error)} if isinstance(error, NotDiscordError) else {}
        log.warning("discord not reached", again_in=round(wait, 1), **told(error), **why)
        await asyncio.sleep(wait)

    async def _stay(self, client: Client) -> None:
        beside = asyncio.ensure_future(self._when_logged_in(client))
        try:
            await client.connect()
            raise ConnectionError("the connection was closed")
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _logged_in(self) -> AsyncIterator[Client]:
        # discord.py has no other way to be told of another address than this attribute of its routes.
        RestRoute.BASE = self._settings.base_url.rstrip("/")
        client = self._make_client()
        try:
            async with asyncio.timeout(_LOGIN_SECONDS):
                with _elsewhere():
                    await client.login(self._settings.token.get_secret_value())
                    await self._check(client)
            self._client = client
            self._here.set()
            self._tried.set()
            yield client
        finally:
            self._here.clear()
            if self._client is not None:
                self._away_since = datetime.now(UTC)
            self._client = None
            await _close(client)

    async def _check(self, client: Client) -> None:
        if self._settings.message_content and not _may_read(client.application_flags):
            raise content_not_allowed()
        shards, gateway, logins = await client.http.get_bot_gateway()
        client.shard_count = client.shard_count or shards
        # After a session is lost discord.py goes back to this address, whatever server it had been sent to.
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
        if logins["remaining"] < client.shard_count:
            # Whoever tries all the same has the token revoked.
            log.warning("no logins left for today", again_in_seconds=logins["reset_after"] // 1000)
            raise ConnectionError("no logins left")


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Tell a stranger's answers from Discord's, which have a code where they say no.

    Raises:
        NotDiscordError: it was a stranger's.
    """
    try:
        yield
    except discord.HTTPException as error:
        if error.status >= _SERVER_ERROR or error.status == _TOO_MANY_REQUESTS or error.code:
            raise
        raise NotDiscordError(f"HTTP {error.status}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise NotDiscordError("an answer of another kind") from error


def _may_read(flags: discord.ApplicationFlags) -> bool:
    return flags.gateway_message_content or flags.gateway_message_content_limited


async def _close(client: Client) -> None:
    """Close a client, also where the server does not answer any more."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await client.close()
    except TimeoutError:
        await client.http.close()
