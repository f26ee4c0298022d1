"""Signing in on the web page: a form, a cookie, and no way elsewhere."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from signed_in import ADMIN, KEYS, USER, SignedIn, api_with_sessions, bearer, pages_of
from structlog.testing import capture_logs

from adapters.web.gate import session_cookie
from adapters.web.page_settings import PageSettings
from adapters.web.sign_in import local_path

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SignedIn]:
    """Give an API that lets guests in, too."""
    async with api_with_sessions(tmp_path_factory.mktemp("signed_in"), http=KEYS | {"guests": True}) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(served: SignedIn) -> AsyncIterator[httpx.AsyncClient]:
    """Give the client of pages before that API."""
    async with pages_of(served.settings, served.adapter.address, title='Ask "us" <b>') as pages:
        yield pages


@pytest.fixture
def pages(shared: httpx.AsyncClient) -> httpx.AsyncClient:
    """Give the same client to a visitor who brings no cookie along."""
    shared.cookies.clear()
    return shared


async def test_a_key_opens_the_page_that_was_wanted(served: SignedIn, pages: httpx.AsyncClient) -> None:
    form = await pages.get("/sign-in?next=/questions?days=7")
    assert 'name="next" value="/questions?days=7"' in form.text
    assert 'type="password" autocomplete="current-password"' in form.text
    signed_in = await pages.post("/sign-in", data={"key": f" {ADMIN} ", "next": "/questions?days=7"})
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/questions?days=7")
    cookie = signed_in.headers["set-cookie"]
    assert cookie.endswith("; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict")
    assert ADMIN not in cookie
    token = signed_in.cookies["preceptor_session"]
    assert (await served.api.post("/v1/knowledge/reload", headers=bearer(token))).status_code == 200
    # From here on the client shows the cookie.
    assert (await pages.get("/questions")).status_code == 200


async def test_behind_https_the_cookie_goes_by_https_alone() -> None:
    cookie = session_cookie(PageSettings(https=True), "ps_token", 60)
    assert cookie == "preceptor_session=ps_token; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure"


async def test_where_sessions_go_by_https_alone_a_page_opened_by_http_says_so(served: SignedIn) -> None:
    async with pages_of(served.settings, served.adapter.address, https=True) as pages:
        origin = str(pages.base_url).rstrip("/")
        told = await pages.post("/sign-in", data={"key": USER, "next": "/now"}, headers={"Origin": origin})
        assert (told.status_code, "set-cookie" in told.headers) == (400, False)
        assert "web.https" in told.text
        assert 'name="next" value="/now"' in told.text
        secure = origin.replace("http:", "https:")
        assert (await pages.post("/sign-in", data={"key": USER}, headers={"Origin": secure})).status_code == 303


async def test_the_hint_says_which_of_the_two_that_new_key_gives_and_no_settings_name(pages: httpx.AsyncClient) -> None:
    form = (await pages.get("/sign-in")).text
    assert "The key itself, not its digest; whoever runs" in form
    assert "admin_keys" not in form


async def test_a_wrong_key_is_told_in_words_and_after_five_one_has_to_wait(served: SignedIn) -> None:
    with capture_logs() as logged:
        await _try_wrong_keys(served)
    told = [line for line in logged if line["event"] == "wrong keys"]
    assert told == [{"event": "wrong keys", "log_level": "warning", "tries": "5", "of": "one address"}]


async def _try_wrong_keys(served: SignedIn) -> None:
    async with pages_of(served.settings, served.adapter.address) as pages:
        for _ in range(5):
            refused = await pages.post("/sign-in", data={"key": "<script>wrong</script>"})
            assert refused.status_code == 401
            assert '<p role="alert" id="trouble">That key is not valid here.</p>' in refused.text
            assert "wrong" not in refused.text
            assert "set-cookie" not in refused.headers
        waiting = await pages.post("/sign-in", data={"key": ADMIN})
        assert waiting.status_code == 429
        assert "Try again in" in waiting.text
        assert 0 < int(waiting.headers["retry-after"]) <= 12


async def test_signing_out_ends_the_session_and_takes_a_form_of_ours(
    served: SignedIn, pages: httpx.AsyncClient
) -> None:
    token = (await pages.post("/sign-in", data={"key": USER})).cookies["preceptor_session"]
    asked = await pages.get("/sign-out")
    assert '<form method="post" action="/sign-out">' in asked.text
    assert (await served.api.get("/v1/knowledge", headers=bearer(token))).status_code == 200
    foreign = await pages.post("/sign-out", headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    done = await pages.post("/sign-out", headers={"Origin": str(pages.base_url).rstrip("/")})
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in")
    assert done.headers["set-cookie"].startswith("preceptor_session=; Max-Age=0")
    refused = await served.api.get("/v1/knowledge", headers=bearer(token))
    assert refused.json()["type"] == "urn:preceptor:error:session_ended"


async def test_a_guest_goes_on_without_a_key_where_guests_are_let_in(
    served: SignedIn, pages: httpx.AsyncClient
) -> None:
    assert "Go on as a guest" in (await pages.get("/sign-in")).text
    token = (await pages.post("/sign-in", data={"guest": "yes"})).cookies["preceptor_session"]
    assert (await served.api.get("/v1/knowledge", headers=bearer(token))).status_code == 200


async def test_a_form_that_is_none_is_refused_in_words(pages: httpx.AsyncClient) -> None:
    form = "application/x-www-form-urlencoded"
    for media, body in (
        ("application/json", b'{"key": "x"}'),
        (form, b"key=" + b"x" * 5_000),
        (form, b"key=\xff"),
        (form, b"&".join(b"key=x" for _ in range(50))),
    ):
        refused = await pages.post("/sign-in", content=body, headers={"Content-Type": media})
        assert refused.status_code == 400
        assert "That form cannot be read." in refused.text


async def test_the_form_needs_no_script_and_loads_nothing(pages: httpx.AsyncClient) -> None:
    form = await pages.get("/sign-in")
    policy = form.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "<script" not in form.text
    assert "Ask &quot;us&quot; &lt;b&gt;" in form.text
    assert "<label" in form.text
    assert '<html lang="en">' in form.text


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/ask/../..//evil.example",
        "/ask\r\nSet-Cookie: x=1",
        "/%2f%2fevil.example",
        "/ask?next=//evil.example",
        " /ask",
        "/sign-out",
        "",
    ],
)
async def test_nobody_is_led_elsewhere(wanted: str) -> None:
    assert local_path(wanted) == "/"


@given(st.text(alphabet="/\\:.?#@%&=aZ0 \t\r\n-", max_size=30))
async def test_whatever_is_wanted_it_is_a_page_of_ours(wanted: str) -> None:
    found = local_path(wanted)
    assert found.startswith("/")
    assert not set(found) & set("\\:#@ \t\r\n")
    assert "//" not in found
