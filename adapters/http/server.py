"""Runs uvicorn inside the bot's own event loop: it neither handles signals nor writes an access log."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from bot.errors import AdapterError

_GRACE_SECONDS = 3
"""How long a stop waits for clients to take the last bytes; the answers themselves were finished before."""

_KEEP_ALIVE_SECONDS = 15
_HEADER_BYTES = 32 * 1024


class Server:
    """One listening server. `start` returns once it listens; after `stop` no task and no socket is left."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            h11_max_incomplete_event_size=_HEADER_BYTES,
        )
        self._server = _Uvicorn(config)
        self._serving: asyncio.Task[None] | None = None

    @property
    def is_serving(self) -> bool:
        """Whether requests are answered now."""
        return self._serving is not None and not self._serving.done()

    async def start(self, opened: socket.socket) -> None:
        """Serve on a socket that is taken already, and close it in the end.

        Raises:
            AdapterError: uvicorn gave up.
        """
        self._serving = asyncio.create_task(self._serve(opened), name="http server")
        listening = asyncio.create_task(self._server.listening.wait(), name="http listening")
        try:
            await asyncio.wait((self._serving, listening), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.stop()
            raise
        finally:
            listening.cancel()
        if self._serving.done():
            reason = self._serving.exception()
            raise AdapterError("The HTTP server could not be started.", "The log says why.") from reason

    async def ended(self) -> None:
        """Wait until the server is no longer running, for whatever reason."""
        if self._serving is not None:
            await asyncio.wait((self._serving,))

    async def stop(self) -> None:
        """Let running responses end, then close what is still open."""
        self._server.should_exit = True
        await self.ended()

    async def _serve(self, opened: socket.socket) -> None:
        with opened:
            try:
                await self._server.serve(sockets=[opened])
            finally:
                await self._clear()

    async def _clear(self) -> None:
        """Cut off those who did not take their answer in time: uvicorn cancels them without waiting."""
        state = self._server.server_state
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the application, which finishes the answers before it stops the server."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()
