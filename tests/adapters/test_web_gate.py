"""What the pages' process serves, to whom, under which headers: a real process, asked over a real socket."""

import contextlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from signed_in import KEYS, pages_of
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bot.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

_NOBODY = "http://127.0.0.1:9"
_SESSION = {"Cookie": f"preceptor_session=ps_{'a' * 43}"}
_STREAM = "/_stcore/stream"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """Give the client of pages for which no key is needed."""
    folder = tmp_path_factory.mktemp("pages")
    web = {"port": 0, "title": "Ask <us> & more", "allowed_hosts": ("Pages.Example",)}
    async with pages_of(Settings(data_directory=folder, web=web, attachments={"megabytes": 1}), _NOBODY) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def locked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """Give the client of pages for which one signs in."""
    settings = Settings(data_directory=tmp_path_factory.mktemp("locked"), web={"port": 0}, http=KEYS)
    async with pages_of(settings, _NOBODY) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/ask", "/now", "/questions?days=7", "/no-such-page"])
async def test_every_page_is_served_under_our_title(pages: httpx.AsyncClient, path: str) -> None:
    response = await pages.get(path)
    assert response.status_code == 200
    assert "<title>Ask &lt;us&gt; &amp; more</title>" in response.text
    assert '<html lang="en">' in response.text
    assert "Streamlit</title>" not in response.text
    assert response.headers["cache-control"] == "no-store"


async def test_a_page_lets_nothing_in_from_elsewhere(pages: httpx.AsyncClient) -> None:
    response = await pages.get("/")
    directives = {
        name: set(sources)
        for name, *sources in (part.split() for part in response.headers["content-security-policy"].split(";"))
    }
    assert directives["default-src"] == directives["frame-ancestors"] == directives["base-uri"] == {"'none'"}
    named = {source for own in directives.values() for source in own if not source.startswith("'sha256-")}
    assert named == {"'self'", "'none'", "'unsafe-inline'", "data:", "blob:"}
    assert "'unsafe-inline'" not in directives["script-src"]
    assert "'unsafe-eval'" not in directives["script-src"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    for address in re.findall(r'(?:src|href)="([^"]+)"', response.text):
        assert address.startswith("./")


async def test_what_the_page_loads_is_there_and_may_be_kept(pages: httpx.AsyncClient) -> None:
    page = (await pages.get("/")).text
    script = re.findall(r'<script type="module"[^>]* src="\.([^"]+)"', page)[0]
    loaded = await pages.get(script)
    assert loaded.status_code == 200
    assert "immutable" in loaded.headers["cache-control"]
    assert loaded.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/mcp",
        "/_stcore/script-health-check",
        "/auth/login",
        "/auth/logout",
        "/oauth2callback/x",
        "/component/some/index.html",
        "/app/static/secret.txt",
        "/.streamlit/secrets.toml",
        "//evil.example/",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../../etc/passwd",
        "/main.py",
    ],
)
async def test_nothing_else_is_served(pages: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        response = await pages.request(method, str(pages.base_url).rstrip("/") + path)
        assert response.status_code in (400, 404), (method, response.text)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::", ""])
async def test_a_foreign_name_is_refused(pages: httpx.AsyncClient, host: str) -> None:
    for path in ("/", "/sign-in", "/_stcore/health", "/static/x.js"):
        assert (await pages.get(path, headers={"Host": host})).status_code == 421


@pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST.", "[::1]:8322", "192.168.1.20:8322", "pages.example"])
async def test_own_names_addresses_and_allowed_names_are_known(pages: httpx.AsyncClient, host: str) -> None:
    assert (await pages.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3000", "file://", ""])
async def test_a_foreign_page_is_refused(pages: httpx.AsyncClient, origin: str) -> None:
    for method, path in (("GET", "/"), ("POST", "/sign-in"), ("PUT", "/_stcore/upload_file/a/b")):
        response = await pages.request(method, path, headers={"Origin": origin})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers


async def test_a_websocket_of_our_own_page_is_taken_and_a_foreign_ones_is_refused(pages: httpx.AsyncClient) -> None:
    own = str(pages.base_url).rstrip("/")
    assert await _stream(own, origin=own) == 101
    assert await _stream(own, origin="http://evil.example") == 403
    assert await _stream(own, origin="http://localhost:1") == 403
    port = own.rpartition(":")[2]
    foreign = f"http://evil.example:{port}"
    assert await _stream(foreign, origin=foreign, to=int(port)) == 403


async def test_who_has_yet_to_sign_in_gets_the_form_and_no_session_of_streamlit(locked: httpx.AsyncClient) -> None:
    own = str(locked.base_url).rstrip("/")
    sent = await locked.get("/questions?days=7")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/questions%3Fdays%3D7")
    assert (await locked.get("/")).headers["location"] == "/sign-in"
    assert await _stream(own, origin=own) == 403
    assert (await locked.put("/_stcore/upload_file/a/b")).status_code == 401
    assert (await locked.get("/media/a.png")).status_code == 401
    assert (await locked.get("/_stcore/health")).status_code == 200
    # Whether that session still holds the API says, page by page.
    assert (await locked.get("/questions", headers=_SESSION)).status_code == 200
    assert await _stream(own, origin=own, **_SESSION) == 101


async def test_who_follows_a_link_of_another_site_is_asked_for_the_cookie_once_more(locked: httpx.AsyncClient) -> None:
    response = await locked.get("/ask?c=1", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/ask?c=1">' in response.text
    injected = await locked.get('/ask?"><script>alert(1)</script>', headers={"Sec-Fetch-Site": "cross-site"})
    assert "<script>" not in injected.text


@pytest.mark.parametrize(
    "cookie",
    [
        "preceptor_session=nonsense",
        f"preceptor_session=ps_{'a' * 44}",
        f"preceptor_session={'a' * 20_000}",
        'preceptor_session="ps_\\"',
        "preceptor_session=\xff\xfe",
        "preceptor_session=ps_%0d%0aSet-Cookie:x",
    ],
)
async def test_a_cookie_that_is_none_is_no_session_and_is_cleared(locked: httpx.AsyncClient, cookie: str) -> None:
    response = await locked.get("/", headers=[(b"Cookie", cookie.encode("latin-1"))])
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
    assert response.headers["set-cookie"].startswith("preceptor_session=; Max-Age=0; Path=/; HttpOnly")
    assert await _stream(str(locked.base_url).rstrip("/"), Cookie=cookie.encode("latin-1").decode("latin-1")) == 403


@pytest.mark.parametrize("name", ["_streamlit_session", "_streamlit_xsrf", "_streamlit_user", "_streamlit_user_tokens"])
@pytest.mark.parametrize("value", ["%%%", "a.b.c", "\xff", "2|x|y|z", "a" * 4_000, '{"'])
async def test_corrupt_cookies_of_streamlit_break_nothing(pages: httpx.AsyncClient, name: str, value: str) -> None:
    cookie = f"{name}={value}".encode("latin-1")
    for path in ("/", "/_stcore/health", "/_stcore/host-config"):
        assert (await pages.get(path, headers=[(b"Cookie", cookie)])).status_code == 200
    own = str(pages.base_url).rstrip("/")
    assert await _stream(own, origin=own, Cookie=cookie.decode("latin-1")) == 101


async def test_where_no_key_is_needed_there_is_nothing_to_sign_in_to(pages: httpx.AsyncClient) -> None:
    assert (await pages.get("/sign-in?next=/now")).headers["location"] == "/now"


async def test_without_the_api_the_form_says_so_and_signing_out_is_forgetting(locked: httpx.AsyncClient) -> None:
    refused = await locked.post("/sign-in", data={"key": "some-key-0123456789"})
    assert refused.status_code == 503
    assert "Preceptor does not answer just now." in refused.text
    leaving = await locked.post("/sign-out", headers=_SESSION)
    assert leaving.headers["set-cookie"].startswith("preceptor_session=; Max-Age=0")


async def test_where_guests_are_not_let_in_nobody_is_offered_it(locked: httpx.AsyncClient) -> None:
    assert "guest" not in (await locked.get("/sign-in")).text


async def test_an_upload_that_is_too_large_is_refused_before_it_is_read(pages: httpx.AsyncClient) -> None:
    token = (await pages.get("/_stcore/health")).cookies["_streamlit_xsrf"]
    headers = {"X-Xsrftoken": token, "Cookie": f"_streamlit_xsrf={token}"}
    file = {"file": ("huge.bin", bytes(200 << 20))}
    response = await _sent(pages, headers, file)
    assert response is None or response.status_code in (400, 413)
    assert (await pages.get("/_stcore/health")).status_code == 200


async def _sent(pages: httpx.AsyncClient, headers: dict[str, str], file: object) -> httpx.Response | None:
    """Send an upload; None where the connection was closed while it went on."""
    with contextlib.suppress(httpx.WriteError, httpx.ReadError):
        return await pages.put("/_stcore/upload_file/a/b", headers=headers, files=file)  # type: ignore[arg-type]
    return None


async def _stream(own: str, origin: str | None = None, to: int | None = None, **headers: str) -> int:
    """Try to open the WebSocket that a page speaks over; give the status of the answer."""
    address = own.replace("http:", "ws:") + _STREAM
    there = {"host": "127.0.0.1", "port": to} if to else {}
    try:
        async with connect(address, origin=origin, additional_headers=headers, **there):  # type: ignore[arg-type]
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code
