"""The process that serves the pages: Streamlit's application behind our gate, on a socket that is handed down.

Started as ``python -m adapters.web.server FD``: FD is the listening socket; the first line of standard input holds the
`PageSettings`, and its end is the end of whoever started it, and with that of this process, too.
"""

import asyncio
import functools
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import uvicorn
from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters.web import serving_log, theme
from adapters.web.admission import Admission
from adapters.web.gate import PAGE, Gate
from adapters.web.page_settings import VARIABLE, PageSettings
from adapters.web.shell import policy, shell
from adapters.web.sign_in import SignIn

_SCRIPT = Path(__file__).parent / "main.py"

_GRACE_SECONDS = 1
_LAST_SECONDS = 3.0
"""How long after the end was asked for the process ends in any case."""

_HEADER_BYTES = 64 << 10
_MESSAGE_BYTES = 32 << 20
"""The largest message of a page: what stands in its fields; files come by themselves."""


def _options(settings: PageSettings) -> dict[str, Any]:
    """Give Streamlit's settings. They stand above those of its files, so what could open a door is written out."""
    return {
        "browser.gatherUsageStats": False,
        "client.allowedOrigins": [],
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "global.developmentMode": False,
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
        "runner.magicEnabled": False,
        "secrets.files": [],
        "server.allowedHosts": [],
        "server.baseUrlPath": "",
        "server.corsAllowedOrigins": [],
        "server.enableAgentApi": False,
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": settings.upload_megabytes,
        "server.runOnSave": False,
        "server.scriptHealthCheckEnabled": False,
        "server.trustedUserHeaders": {},
        "server.xsrfCookieSameSite": "strict",
        **theme.OPTIONS,
    }


class _PageName(Convertor[str]):
    regex = PAGE.pattern.removeprefix("/")

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def build(settings: PageSettings) -> ASGIApp:
    """Build the application."""
    import streamlit
    from streamlit.web import bootstrap

    bootstrap.load_config_options(_options(settings))
    register_url_convertor("page", _PageName())
    page = shell(settings.title)
    headers = {"Content-Security-Policy": policy(page)}

    async def _show(request: Request) -> Response:
        return HTMLResponse(page, headers=headers)

    app: ASGIApp = streamlit.App(
        _SCRIPT,
        routes=[*SignIn(settings).routes, Route("/{name:page}", _show)],
        middleware=[
            Middleware(functools.partial(Gate, settings=settings)),
            Middleware(functools.partial(Admission, settings=settings)),
        ],
        on_script_error=_note,
    )
    return app


def _note(error: Exception) -> bool:
    """Log what a page's script stumbled over; the visitor sees that something went wrong, and no more."""
    serving_log.tell("page failed", **serving_log.of_error(error))
    return False


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        serving_log.tell("serving")


async def serve(settings: PageSettings, opened: socket.socket) -> None:
    """Serve on a socket until standard input ends."""
    app = build(settings)
    serving_log.set_up()
    config = uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        ws_max_size=_MESSAGE_BYTES,
    )
    server = _Server(config)
    threading.Thread(target=_watch, args=(server,), name="standard input", daemon=True).start()
    await server.serve(sockets=[opened])


def _watch(server: uvicorn.Server) -> None:
    """Wait for the end of whoever started this process, and end it, by force if need be."""
    while sys.stdin.buffer.read(1):
        pass
    server.should_exit = True
    timer = threading.Timer(_LAST_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()


def main() -> None:
    """Serve, as the command line of this process says."""
    line = sys.stdin.buffer.readline().decode()
    os.environ[VARIABLE] = line
    opened = socket.socket(fileno=int(sys.argv[1]))
    asyncio.run(serve(PageSettings.of_json(line), opened))


if __name__ == "__main__":
    main()
