"""Stands behind the gate, where visitors come to hold memory of this process: only so much, and for whom the API knows.

The gate tells a session by its look alone, which anybody can make up. Here the API is asked.
"""

import contextlib
import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterator

import httpx
from starlette.requests import Request, cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.web.gate import refuse_stream
from adapters.web.page_settings import COOKIE, PageSettings, token_in

MOST_STRANGERS = 100
"""Pages that may be open at a time whose session does not hold, or cannot be asked for: they are told so there."""

MOST_OF_ONE = 50
"""Pages that may be open at a time under one session; anybody may have one where guests are let in."""

_MOST_PAGES = 1_000
"""Pages that may be open at a time."""

_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+")

_KEPT_BYTES = 1 << 30
"""Of files of all visitors together; one page may have a quarter of it."""

_API_SECONDS = 3.0
_KNOWN_SECONDS = 5.0
_MOST_KNOWN = 1_000


class Visitors:
    """Knows which sessions hold.

    Args:
        api: the address of the API.
    """

    def __init__(self, api: str) -> None:
        self._api = api
        self._client: httpx.AsyncClient | None = None
        self._known: dict[bytes, float] = {}

    async def holds(self, token: str) -> bool | None:
        """Say whether a session holds; None where the API does not tell. One that does is remembered a while."""
        if not token:
            return False
        name, now = hashlib.sha256(token.encode()).digest(), time.monotonic()
        if self._known.get(name, 0.0) > now:
            return True
        status = await self._asked(token)
        if status == httpx.codes.UNAUTHORIZED:
            return False
        if status is None or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return None
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[name] = now + _KNOWN_SECONDS
        return True

    async def _asked(self, token: str) -> int | None:
        if self._client is None:
            # Nobody says when this process is done with it, so that no connection is left open.
            limits = httpx.Limits(max_keepalive_connections=0)
            self._client = httpx.AsyncClient(trust_env=False, timeout=_API_SECONDS, limits=limits)
        try:
            response = await self._client.get(f"{self._api}/v1/about", headers={"Authorization": f"Bearer {token}"})
        except httpx.HTTPError:
            return None
        return response.status_code


class Admission:
    """ASGI middleware, for uploads and WebSockets.

    Args:
        app: what gets those that pass.
        settings: where the API is, and whether it takes a session.
    """

    def __init__(self, app: ASGIApp, settings: PageSettings) -> None:
        self._app = app
        self._needs_key = settings.needs_key
        self._visitors = Visitors(settings.api)
        self._open: Counter[str] = Counter()
        self._arriving: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] == "websocket" and self._needs_key:
            await self._stream(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "PUT" and (upload := _UPLOAD.fullmatch(scope["path"])):
            await self._upload(upload[1], scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _token(scope)
        whose, most = (token, MOST_OF_ONE) if await self._visitors.holds(token) else ("", MOST_STRANGERS)
        if self._open[whose] >= most or self._open.total() >= _MOST_PAGES:
            await refuse_stream(receive, send)
            return
        with _counted(self._open, whose, 1):
            await self._app(scope, receive, send)

    async def _upload(self, page: str, scope: Scope, receive: Receive, send: Send) -> None:
        length = Request(scope).headers.get("content-length", "")
        refusal = await self._refusal(scope) or self._no_room(page, length)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        with _counted(self._arriving, page, int(length)):
            await self._app(scope, receive, send)

    async def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        holds = await self._visitors.holds(_token(scope)) if self._needs_key else True
        if holds is None:
            return PlainTextResponse("Preceptor does not answer just now. Try again in a moment.\n", 503)
        return None if holds else PlainTextResponse("This takes somebody who is signed in.\n", 401)

    def _no_room(self, page: str, length: str) -> PlainTextResponse | None:
        if not length.isdecimal():
            return PlainTextResponse("Say how long the file is: Content-Length.\n", 411)
        kept, own = _kept(page)
        coming = int(length)
        if own + self._arriving[page] + coming > _KEPT_BYTES // 4:
            return PlainTextResponse("This page holds many files. Open it anew, and send the file there.\n", 413)
        if kept + self._arriving.total() + coming > _KEPT_BYTES:
            return PlainTextResponse("Too many files are held here just now. Try again later.\n", 503)
        return None


@contextlib.contextmanager
def _counted(counter: Counter[str], name: str, amount: int) -> Iterator[None]:
    """Count what is there for the while of the body: many come at the same time."""
    counter[name] += amount
    try:
        yield
    finally:
        counter[name] -= amount
        if not counter[name]:
            del counter[name]


def _kept(page: str) -> tuple[int, int]:
    """Give how many bytes of files are held: for all pages, and for one."""
    from streamlit.runtime import Runtime
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

    manager = Runtime.instance().uploaded_file_mgr if Runtime.exists() else None
    if not isinstance(manager, MemoryUploadedFileManager):
        return 0, 0
    # Copied at once: scripts in their threads take files away meanwhile.
    sizes = {name: sum(len(file.data) for file in [*files.values()]) for name, files in [*manager.file_storage.items()]}
    return sum(sizes.values()), sizes.get(page, 0)


def _token(scope: Scope) -> str:
    cookies = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    return token_in(cookie_parser(cookies).get(COOKIE))
