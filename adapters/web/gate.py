"""Stands before the pages: lets in what they are made of and nothing else, and nobody who has yet to sign in."""

import html
import http
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.page_settings import COOKIE, PageSettings, token_in

PAGE = re.compile(r"/(?:[a-z][a-z0-9_-]{0,63})?")
"""The paths of pages, as Streamlit makes them of names; those of sign-in and sign-out are among them."""

_OPEN = re.compile(r"/sign-in|/sign-out|/favicon\.png|/manifest\.json|/static/.*|/_stcore/(?:health|host-config)")
"""What everybody may have: it tells nothing."""

_STREAMLIT = re.compile(r"/media/[^/]+|/_stcore/(?:stream|upload_file/[^/]+/[^/]+)")
"""What else Streamlit's page needs; its interfaces for agents and metrics, its sign-in and what may come are not."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": under that, browsers hide where a form came from even from where it came from.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cache-Control": "no-store",
}
"""Sent with every response that does not say otherwise itself."""


@dataclass(frozen=True, slots=True)
class Gate:
    """ASGI middleware, for requests and WebSockets.

    Args:
        app: what gets those that pass.
        settings: under which names the pages are reached, and whether it takes a session.
    """

    app: ASGIApp
    settings: PageSettings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        response = self._refusal(scope, headers, signed_in=bool(token_in(cookie)))
        if scope["type"] == "websocket":
            await self._stream(scope, receive, send, response)
            return
        answer = _Answer(send, expired_cookie(self.settings) if cookie and not token_in(cookie) else "")
        await (response or self.app)(scope, receive, answer.send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, refusal: Response | None) -> None:
        if refusal is None:
            await self.app(scope, receive, send)
            return
        await refuse_stream(receive, send)

    def _refusal(self, scope: Scope, headers: Headers, *, signed_in: bool) -> Response | None:
        host, origin, path = headers.get("host", "").lower(), headers.get("origin"), scope["path"]
        if not _knows(host, self.settings.allowed_hosts):
            return _said(421, "I am not known under this name. The setting web.allowed_hosts lists more names.")
        if origin is not None and origin.lower().partition("://")[2] != host:
            return _said(403, "A page of another site made this request.")
        if _OPEN.fullmatch(path):
            return None
        is_page = PAGE.fullmatch(path) is not None
        if not is_page and not _STREAMLIT.fullmatch(path):
            return _said(404, "There is nothing at this address.")
        if signed_in or not self.settings.needs_key:
            return None
        if not is_page or scope["type"] == "websocket":
            return _said(401, "This takes somebody who is signed in.")
        query = scope["query_string"].decode("latin-1")
        wanted = f"{path}?{query}" if query else path
        if headers.get("sec-fetch-site") == "cross-site":
            return _once_more(wanted)
        return RedirectResponse("/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted)}", 303)


async def refuse_stream(receive: Receive, send: Send) -> None:
    """Refuse a WebSocket that was not accepted yet: closing it is an answer with 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1008, "reason": ""})


def expired_cookie(settings: PageSettings) -> str:
    """Give the header that has a browser forget the session."""
    return session_cookie(settings, "", 0)


def session_cookie(settings: PageSettings, token: str, seconds: int) -> str:
    """Give the header that has a browser keep a session, out of reach for scripts and for other sites."""
    secure = "; Secure" if settings.https else ""
    return f"{COOKIE}={token}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}"


class _Answer:
    """Sends a response under the gate's headers."""

    def __init__(self, send: Send, cookie: str) -> None:
        self._send = send
        self._cookie = cookie

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            # Streamlit offers its uploads to other origins; nobody else's pages have any business here.
            for name in [name for name in headers if name.lower().startswith("access-control-")]:
                del headers[name]
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._cookie and COOKIE not in headers.get("set-cookie", ""):
                headers.append("Set-Cookie", self._cookie)
        await self._send(message)


def _once_more(wanted: str) -> Response:
    """Have the browser ask again, from here: it shows a strict cookie to nobody who follows another site's link."""
    text = f'<!DOCTYPE html><title>One moment</title><meta http-equiv="refresh" content="0;url={html.escape(wanted)}">'
    return HTMLResponse(text, headers={"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"})


def _said(status: int, sentence: str) -> Response:
    return PlainTextResponse(f"{http.HTTPStatus(status).phrase}. {sentence}\n", status)


def _knows(host: str, allowed: Iterable[str]) -> bool:
    """Say whether a Host header names this machine; an address does, as nobody can let one point elsewhere."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return False
    if name in {"localhost", *(one.lower() for one in allowed)}:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
