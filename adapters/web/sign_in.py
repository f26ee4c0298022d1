"""The pages on which people sign in and out: plain forms, no script; the session goes into a cookie alone."""

import base64
import hashlib
import html
import re
from pathlib import Path
from string import Template
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.web import serving_log
from adapters.web.gate import PAGE, expired_cookie, session_cookie
from adapters.web.page_settings import COOKIE, PageSettings, token_in
from bot.tries import Tries

_BODY_BYTES = 4 << 10

_WRONG_KEYS_A_MINUTE = 5

_GUESTS_A_MINUTE = 20
"""From one address: fewer than the API opens sessions, so that one visitor does not take them all."""

_API_SECONDS = 10.0

_QUERY = re.compile(r"[A-Za-z0-9=&%+._~-]{0,512}")

_TEMPLATE = Template((Path(__file__).parent / "sign_in.html").read_text(encoding="utf-8"))

_STYLE = re.search(r"<style>(.*?)</style>", _TEMPLATE.template, re.DOTALL)
_STYLE_DIGEST = base64.b64encode(hashlib.sha256((_STYLE[1] if _STYLE else "").encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; img-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)

_KEY_FORM = Template("""<form method="post" action="/sign-in">
<input type="text" autocomplete="username" value="$title" hidden readonly>
<label for="key">Key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus$described>
<p class="hint" id="hint">The key itself, not its digest; whoever runs $title here gives it to you.</p>
<input type="hidden" name="next" value="$next">
<button type="submit">Sign in</button>
</form>""")

_GUEST_FORM = Template("""<form method="post" action="/sign-in">
<input type="hidden" name="guest" value="yes">
<input type="hidden" name="next" value="$next">
<button type="submit" class="quiet">Go on as a guest</button>
</form>""")

_OUT_FORM = """<form method="post" action="/sign-out">
<p class="hint">What you asked is kept for you, and is there when you sign in with the same key.</p>
<button type="submit">Sign out</button>
</form>"""

_IN_THE_CLEAR = (
    "You opened this page at an http address, and the session is sent by https alone (the setting web.https):"
    " open it at its https address."
)

_UNREACHABLE = "Preceptor does not answer just now. It may be starting: try again in a moment."


class _Opened(NamedTuple):
    """What the API said to a wish for a session: the session, or what is wrong."""

    token: str = ""
    status: int = 200
    trouble: str = ""
    wait: str = ""


class SignIn:
    """The routes of sign-in and sign-out.

    Args:
        settings: what the pages were told.
    """

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings
        self._keys = Tries(_WRONG_KEYS_A_MINUTE)
        self._guests = Tries(_GUESTS_A_MINUTE)
        self._told = Tries(1)

    @property
    def routes(self) -> list[Route]:
        """Give the routes, for the pages' application."""
        return [
            Route("/sign-in", self.ask, methods=["GET"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self.ask_again, methods=["GET"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """Ask for a key; where none is needed, go on."""
        wanted = local_path(request.query_params.get("next", ""))
        if not self._settings.needs_key:
            return RedirectResponse(wanted, 303)
        return self._page(wanted)

    async def sign_in(self, request: Request) -> Response:
        """Open a session with the key that was typed, or as a guest, and go to the page that was wanted."""
        form = await _form(request)
        if form is None:
            return self._page("/", "That form cannot be read. Type the key once more.", 400)
        wanted = local_path(form.get("next", ""))
        if self._settings.https and request.headers.get("origin", "").lower().startswith("http://"):
            return self._page(wanted, _IN_THE_CLEAR, 400)
        address = request.client.host if request.client else ""
        is_guest = self._settings.guests and form.get("guest") == "yes"
        # Counted before it is known whether the key is right, as many tries may come at the same time.
        wait = (self._guests if is_guest else self._keys).take(address)
        if wait:
            return self._page(wanted, f"Those were many tries. Try again in {wait} seconds.", 429, str(wait))
        opened = await self._opened({"guest": True} if is_guest else {"key": form.get("key", "").strip()})
        if not is_guest and opened.status != httpx.codes.UNAUTHORIZED:
            self._keys.give_back(address)
        elif not is_guest and self._keys.wait(address) and not self._told.take(address):
            serving_log.tell("wrong keys", level="warning", tries=str(_WRONG_KEYS_A_MINUTE), of="one address")
        if opened.trouble:
            return self._page(wanted, opened.trouble, opened.status, opened.wait)
        cookie = session_cookie(self._settings, opened.token, int(self._settings.session_hours * 3600))
        return RedirectResponse(wanted, 303, {"Set-Cookie": cookie})

    async def ask_again(self, request: Request) -> Response:
        """Ask whether to sign out: a link alone must not do it, as another site could hold one."""
        return self._shown("Sign out", _OUT_FORM)

    async def sign_out(self, request: Request) -> Response:
        """End the session, also where the API does not answer: the browser forgets it either way."""
        token = token_in(request.cookies.get(COOKIE))
        if token:
            await self._asked("DELETE", "/v1/sessions/current", headers={"Authorization": f"Bearer {token}"})
        return RedirectResponse("/sign-in", 303, {"Set-Cookie": expired_cookie(self._settings)})

    async def _opened(self, body: dict[str, Any]) -> _Opened:
        response = await self._asked("POST", "/v1/sessions", json=body)
        if response is None:
            return _Opened(status=503, trouble=_UNREACHABLE)
        if response.status_code == httpx.codes.CREATED and (token := token_in(response.json()["token"])):
            return _Opened(token)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            wait = response.headers.get("retry-after", "60")
            return _Opened(status=429, trouble=f"Those were many tries. Try again in {wait} seconds.", wait=wait)
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.UNPROCESSABLE_ENTITY):
            return _Opened(status=401, trouble="That key is not valid here.")
        return _Opened(status=503, trouble=_UNREACHABLE)

    async def _asked(self, method: str, path: str, **request: Any) -> httpx.Response | None:  # noqa: ANN401 - httpx's
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=_API_SECONDS) as client:
                return await client.request(method, self._settings.api + path, **request)
        except httpx.HTTPError:
            return None

    def _page(self, wanted: str, trouble: str = "", status: int = 200, wait: str = "") -> Response:
        told = ' aria-describedby="trouble hint" aria-invalid="true"' if trouble else ' aria-describedby="hint"'
        words = {"next": html.escape(wanted), "title": html.escape(self._settings.title), "described": told}
        forms = _KEY_FORM.substitute(words)
        if self._settings.guests:
            forms += _GUEST_FORM.substitute(words)
        return self._shown("Sign in", forms, trouble, status, wait)

    def _shown(self, heading: str, forms: str, trouble: str = "", status: int = 200, wait: str = "") -> Response:
        alert = f'<p role="alert" id="trouble">{html.escape(trouble)}</p>' if trouble else ""
        title = html.escape(self._settings.title)
        text = _TEMPLATE.substitute(heading=heading, title=title, trouble=alert, forms=forms)
        headers = {"Content-Security-Policy": _POLICY} | ({"Retry-After": wait} if wait else {})
        return HTMLResponse(text, status, headers)


def local_path(wanted: str) -> str:
    """Give the page that somebody wanted, where it is one of these pages; else the first one.

    Who made a link with it is not known, so that it must not lead elsewhere.
    """
    path, _, query = wanted.partition("?")
    is_ours = PAGE.fullmatch(path) and path not in ("/sign-in", "/sign-out") and _QUERY.fullmatch(query)
    return wanted if is_ours else "/"


async def _form(request: Request) -> dict[str, str] | None:
    """Read a small form; None where it is none, or too large."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _BODY_BYTES:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=8)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}
