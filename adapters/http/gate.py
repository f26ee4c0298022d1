"""Stands before every route: who may come in, with what in their hands, and what goes out if something breaks."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.forms import FormPath
from adapters.http.hosts import Hosts
from adapters.http.keys import Keys, shows_session
from adapters.http.multipart import FORM_DATA
from adapters.http.negotiation import JSON
from adapters.http.problems import Problem, of_error
from bot.errors import PreceptorError

log = structlog.get_logger(__name__)

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/v1/sessions"})
"""What is answered without a key: whether the process lives, whether it can answer, and signing in."""

_BODY_SECONDS = 20.0
"""How long a body may take to arrive; one with files has more time."""

_SLOWEST = 64 << 10
"""Bytes a second at which files have to arrive."""

_ASKED_FOR = {"WWW-Authenticate": 'Bearer realm="preceptor"'}

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Sent with every response that does not say otherwise itself."""


@dataclass(frozen=True, slots=True)
class Gate:
    """ASGI middleware. It leaves the author in ``scope["state"]`` for the routes.

    Args:
        app: what gets the requests that pass.
        keys: who has a key.
        hosts: the names under which the API is reached.
        body_bytes: the largest body, where it is JSON.
        forms: where bodies are forms with files, and larger, by path.
    """

    app: ASGIApp
    keys: Keys
    hosts: Hosts
    body_bytes: int
    forms: Mapping[str, FormPath]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it with what is wrong with it."""
        response = _Response(send)
        try:
            problem = await self._refusal(scope)
            if problem is not None:
                await problem.response()(scope, receive, response.send)
            else:
                await self.app(scope, self._bounded(scope, receive), response.send)
        # The request's boundary: a defect of ours is logged with its traceback and told under a number.
        except Exception:
            problem = Problem("internal_error", "Something went wrong on my side.", "Try again.")
            log.exception("defect", instance=problem.instance, method=scope["method"])
            if not response.started:
                await problem.response()(scope, receive, response.send)
            else:
                raise

    async def _refusal(self, scope: Scope) -> Problem | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            return await self._stranger(scope, headers) or self._burden(scope["path"], headers)
        # Whose session it is could not be looked up.
        except PreceptorError as error:
            return of_error(error)

    async def _stranger(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Problem | None:
        """Say what is wrong with where a request comes from.

        Where no key is needed a web page must not be able to ask in its visitor's name: neither under a name of its
        own that it lets point here (the Host header tells), nor from its own pages (the Origin header tells).
        """
        if not self.keys:
            problem = self.hosts.refusal(headers)
            if problem is not None:
                return problem
        is_open = scope["path"] in OPEN_PATHS
        author = None if is_open and self.keys else await self.keys.author(headers)
        if author is None and not is_open:
            return _signed_out() if shows_session(headers) else _no_key()
        scope["state"]["author"] = author
        return None

    def _burden(self, path: str, headers: Mapping[bytes, bytes]) -> Problem | None:
        """Say what is wrong with the body that a request announces."""
        length = headers.get(b"content-length", b"")
        if int(length or 0) > self._largest(path):
            return too_large(path, self.forms)
        if length in (b"", b"0") and b"transfer-encoding" not in headers:
            return None
        media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        plain = headers.get(b"content-encoding", b"identity") == b"identity"
        if form := self.forms.get(path):
            return None if plain and media == FORM_DATA.encode() else form.no_form()
        if media != JSON.encode() or not plain:
            return Problem("media_type_unsupported", f"A body must be plain {JSON}.", f"Send `Content-Type: {JSON}`.")
        return None

    def _largest(self, path: str) -> int:
        form = self.forms.get(path)
        return form.largest if form else self.body_bytes

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        largest = self._largest(scope["path"])
        if scope["path"] not in self.forms:
            return bounded(receive, largest)
        announced = dict(scope["headers"]).get(b"content-length", b"")
        return bounded(receive, largest, _BODY_SECONDS + int(announced or largest) / _SLOWEST)


def _no_key() -> Problem:
    return Problem(
        "key_missing",
        "This needs a key that is valid here.",
        "Send it as `Authorization: Bearer KEY`.",
        headers=_ASKED_FOR,
    )


def _signed_out() -> Problem:
    return Problem(
        "session_ended",
        "You were signed out: the session is over, or its key is no longer valid here.",
        "Sign in again.",
        headers=_ASKED_FOR,
    )


def too_large(path: str, forms: Mapping[str, FormPath]) -> Problem:
    """Give the problem of a body that is larger than what is read there."""
    if form := forms.get(path):
        return form.too_large()
    fix = "Send less, or raise the setting http.body_kilobytes."
    return Problem("body_too_large", "The body is larger than what is read here.", fix)


class _Response:
    """Sends a response under the gate's headers, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def bounded(receive: Receive, body_bytes: int, seconds: float = _BODY_SECONDS) -> Receive:
    """Limit a request's body in size and time; what comes after it, the client's leaving, may take for ever.

    What it gives raises `HTTPException`: 413 when the body is larger than `body_bytes`, 408 when it takes longer than
    `seconds` from now.
    """
    left = body_bytes
    end: float | None = asyncio.get_running_loop().time() + seconds

    async def _receive() -> Message:
        nonlocal left, end
        try:
            async with asyncio.timeout_at(end):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        if not message.get("more_body", False):
            end = None
        return message

    return _receive
