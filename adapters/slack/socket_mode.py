"""Socket Mode: bolt over a websocket that the bot opens; slack_sdk reconnects it, mended where it would get stuck."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from adapters.slack.errands import FAILURES, reason
from adapters.slack.web import Web
from bot.adapter import Health
from bot.errors import RateLimitedError

log = structlog.get_logger(__name__)

PING_SECONDS = 5.0
"""How often the line is tested; so soon it is noticed that it was cut."""

GAP_SECONDS = 60.0
"""What Slack could not deliver it repeats at once, after a minute and after five; so long it may be lost."""

_CONNECT_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_CLOSE_SECONDS = 2.0

_silent = logging.getLogger("slack_sdk.preceptor")
"""For slack_sdk's client, whose errors show addresses that hold a ticket; what matters of them is logged here."""
_silent.setLevel(logging.CRITICAL + 1)

_random = SystemRandom()


class Pauses:
    """Pauses in seconds, each twice the last up to half a minute, and none as long as it says: up to half less."""

    def __init__(self) -> None:
        self._next = 1.0

    def longer(self) -> float:
        """Give the next pause."""
        pause, self._next = self._next, min(self._next * 2, _LONGEST_PAUSE)
        return pause * _random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin anew."""
        self._next = 1.0


class _Client(SocketModeClient):
    """slack_sdk's client. It would try an address that Slack no longer takes for ever; here each try has a new one."""

    def __init__(self, web: Web, ping_seconds: float, back: Callable[[], None], gap_seconds: float) -> None:
        super().__init__(app_token="", logger=_silent, web_client=web.client, ping_interval=ping_seconds)
        self._web = web
        self._pauses = Pauses()
        self._back = back
        self._gap_seconds = gap_seconds
        self._alive_at = time.time()

    def go_to(self, address: str) -> str:
        """Set the address of the next connection, and the proxy on the way there."""
        self.wss_uri = address
        self.proxy = self._web.proxy or _proxy_of_environment(address)
        return address

    async def issue_new_wss_url(self) -> str:
        try:
            return self.go_to(await self._web.socket_address())
        except RateLimitedError as error:
            await asyncio.sleep(min(error.seconds, _LONGEST_PAUSE))
            raise
        except FAILURES as error:
            log.warning("slack not reached", reason=reason(error))
            await asyncio.sleep(self._pauses.longer())
            raise

    async def connect(self) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await super().connect()  # type: ignore[no-untyped-call]
            self._pauses.reset()
            log.info("slack connected")
            # By the wall clock: the other one stands still while a machine sleeps.
            if time.time() - self._alive_at > self._gap_seconds:
                self._back()
            self._alive_at = time.time()
        finally:
            # It is off while a connection is being made, and stays off when that fails.
            self.auto_reconnect_enabled = not self.closed

    @property
    def health(self) -> Health:
        """Whether the line stands, and if not, when Slack was last heard."""
        session = self.current_session
        if not self.closed and not self.stale and session is not None and not session.closed:
            return Health(True)
        alive = datetime.fromtimestamp(max(self._alive_at, self.last_ping_pong_time or 0.0), UTC)
        when = f"{alive:%Y-%m-%d %H:%M} UTC"
        return Health(False, f"The line to Slack is down; it was last heard at {when}. I keep trying.")

    async def is_ping_pong_failing(self) -> bool:
        """Keep when Slack was last heard, which slack_sdk forgets before it connects anew; slack_sdk calls this."""
        self._alive_at = max(self._alive_at, self.last_ping_pong_time or 0.0)
        return await super().is_ping_pong_failing()


class SocketMode:
    """One app's line to Slack. `connect` opens it, and it reconnects by itself until `close`.

    Args:
        app: what envelopes go to.
        web: gives the addresses of connections.
        back: told when the line is there again after it was not for longer than Slack surely repeats.
        ping_seconds: how often the line is tested.
        gap_seconds: after so long without a line what Slack had to say may be lost.
    """

    def __init__(
        self,
        app: AsyncApp,
        web: Web,
        back: Callable[[], None],
        *,
        ping_seconds: float = PING_SECONDS,
        gap_seconds: float = GAP_SECONDS,
    ) -> None:
        self._app = app
        self._handling: set[asyncio.Task[Any]] = set()
        self._client = _Client(web, ping_seconds, back, gap_seconds)
        self._client.socket_mode_request_listeners.append(self._handle)

    @property
    def health(self) -> Health:
        """Whether the line stands now."""
        return self._client.health

    async def connect(self, address: str) -> None:
        """Connect to an address that `Web.socket_address` gave.

        Raises:
            TimeoutError: it does not answer.
        """
        self._client.go_to(address)
        await self._client.connect()

    async def _handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Hand an envelope to bolt, and acknowledge it where bolt says that it was taken."""
        self._own(asyncio.current_task())
        began = time.time()
        response = await run_async_bolt_app(self._app, request)
        await send_async_response(client, request, response, began)

    def _own(self, task: asyncio.Task[Any] | None) -> None:
        """Keep hold of the task that slack_sdk started and forgot."""
        if task is not None:
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)

    async def close(self) -> None:
        """Close the line, leaving no task and no socket."""
        client = self._client
        client.closed, client.auto_reconnect_enabled = True, False
        if self._handling:
            await asyncio.wait(self._handling, timeout=_CLOSE_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await client.disconnect()  # type: ignore[no-untyped-call]
        tasks = [client.message_processor, client.current_session_monitor, client.message_receiver, *self._handling]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await client.aiohttp_client_session.close()


def _proxy_of_environment(address: str) -> str | None:
    """Give the proxy for a websocket; aiohttp would ask for a WSS_PROXY, and slack_sdk takes no account of NO_PROXY."""
    parts = urlsplit(address)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get("https" if parts.scheme == "wss" else "http")
