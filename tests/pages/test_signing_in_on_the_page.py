"""Where keys are set, the pages open to those who show one, for as long as their session and their key hold."""

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
import pytest_asyncio
from page_process import PreceptorProcess
from playwright.async_api import Browser, expect
from visiting import Visit, Visitor, visiting

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ADMIN, _USER, _LATER = "the-admin-key-of-tests", "the-user-key-of-tests", "another-admin-key-of-tests"
_COOKIE = "preceptor_session"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def preceptor(running: Callable[..., PreceptorProcess]) -> AsyncIterator[PreceptorProcess]:
    """Give a Preceptor that asks for keys."""
    process = running(http={"admin_keys": [_ADMIN, _LATER], "user_keys": [_USER]})
    await process.start()
    try:
        await process.until_up()
        yield process
    finally:
        await process.stop()


@pytest.fixture
def visit(browser: Browser, preceptor: PreceptorProcess) -> Visit:
    """Let somebody in with a browser of their own."""
    return partial(visiting, browser, preceptor.url, preceptor.api)


async def _is_at_the_door(visitor: Visitor) -> None:
    await expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_wrong_key_is_refused_in_words(visit: Visit) -> None:
    async with visit() as mallory:
        await mallory.page.goto(f"{mallory.url}/now")
        await _is_at_the_door(mallory)
        await mallory.sign_in("a-key-that-nobody-gave-out")
        await expect(mallory.page.get_by_role("alert")).to_contain_text("not valid")
        assert "a-key-that-nobody-gave-out" not in mallory.page.url
        assert await mallory.page.context.cookies() == []


async def test_the_right_key_opens_the_page_that_was_wanted(visit: Visit) -> None:
    async with visit() as ada:
        await ada.page.goto(f"{ada.url}/now")
        await ada.enter(_ADMIN)
        await expect(ada.page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
        assert ada.page.url == f"{ada.url}/now"
        assert _ADMIN not in await ada.page.content()


async def test_no_script_can_read_the_session(visit: Visit) -> None:
    async with visit() as ada:
        await ada.sign_in(_ADMIN)
        await ada.settled()
        (cookie,) = [one for one in await ada.page.context.cookies() if one["name"] == _COOKIE]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert cookie["value"] not in await ada.page.evaluate("document.cookie")
        assert cookie["value"] not in await ada.page.content()


async def test_whoever_signs_out_is_out(visit: Visit) -> None:
    async with visit() as ada:
        await ada.sign_in(_ADMIN)
        await ada.settled()
        (session,) = [one for one in await ada.page.context.cookies() if one["name"] == _COOKIE]
        await ada.page.goto(f"{ada.url}/sign-out")
        await ada.page.get_by_role("button", name="Sign out").click()
        await _is_at_the_door(ada)
        # Whoever kept a copy of the session has nothing any more.
        await ada.page.context.add_cookies([{"name": _COOKIE, "value": session["value"], "url": ada.url}])
        await ada.open()
        await expect(ada.page.get_by_role("link", name="Sign in")).to_be_visible()


async def test_a_user_sees_no_admin_page(visit: Visit) -> None:
    async with visit() as emil:
        await emil.sign_in(_USER)
        await emil.settled()
        for path in ("/now", "/questions", "/knowledge", "/people", "/reports"):
            await emil.open(path)
            await emil.sees("For admins")
            await expect(emil.page.get_by_test_id("stMetric")).to_have_count(0)


@pytest.mark.parametrize("cookie", ["", "ps_", "ps_" + "A" * 43, "x" * 3_000, "%00%FF,", 'ps_"<script>'])
async def test_a_corrupt_cookie_is_no_session_and_no_trouble(visit: Visit, cookie: str) -> None:
    async with visit() as ada:
        await ada.page.context.add_cookies([{"name": _COOKIE, "value": cookie, "url": ada.url}])
        response = await ada.page.goto(ada.url)
        assert response is not None
        assert response.status == 200
        await expect(ada.page.get_by_role("link", name="Sign in").or_(ada.page.get_by_label("Key"))).to_be_visible()


async def test_two_people_at_once_see_each_their_own(visit: Visit) -> None:
    async with visit() as ada, visit() as emil:
        await ada.sign_in(_ADMIN)
        await emil.sign_in(_USER)
        await ada.settled()
        await emil.settled()
        await ada.ask("What is Ohm's law?")
        await emil.ask("What is Newton's third law?")
        await ada.ask("What is Newton's first law?")
        assert await ada.answers.count() == 2
        assert await emil.answers.count() == 1
        assert "Ohm" not in await emil.page.locator("body").inner_text()
        await emil.page.reload()
        await emil.settled()
        assert "Ohm" not in await emil.page.locator("body").inner_text()
        # A conversation of somebody else is none, also for who knows its address.
        await emil.page.goto(ada.page.url)
        await emil.settled()
        await emil.sees("no such conversation")


@pytest.mark.slow
async def test_a_session_ends_with_its_key_and_with_its_time(visit: Visit, preceptor: PreceptorProcess) -> None:
    async with visit() as ada, visit() as ines:
        await ada.sign_in(_ADMIN)
        await ada.settled()
        await preceptor.stop()
        await preceptor.start(http={"admin_keys": [_LATER], "session_hours": 0.002})
        await preceptor.until_up()
        await ada.open()
        await expect(ada.page.get_by_role("link", name="Sign in")).to_be_visible()
        await ines.sign_in(_LATER)
        await ines.until_signed_out()
