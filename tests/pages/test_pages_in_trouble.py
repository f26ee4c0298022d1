"""What the pages say while the API is away, slow or stuck, and that they recover by themselves."""

import re
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
import pytest_asyncio
from page_process import PreceptorProcess
from playwright.async_api import Browser, expect
from visiting import Visit, visiting

from tests.models.loopback_openai import MODEL, LoopbackOpenAI
from tests.models.loopback_server import Writes

pytestmark = pytest.mark.asyncio(loop_scope="module")

_AWAY = "does not answer just now"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[LoopbackOpenAI]:
    """Give a server with a language model that is as slow as a test says."""
    async with LoopbackOpenAI() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(running: Callable[..., PreceptorProcess], model: LoopbackOpenAI) -> AsyncIterator[PreceptorProcess]:
    """Give a Preceptor without pages whose answers that model writes."""
    process = running(
        web={"enabled": False},
        generation={"chain": ["openai", "extractive"]},
        openai={"base_url": model.base_url, "model": MODEL},
    )
    await process.start()
    try:
        await process.until_up(f"{process.api}/readyz")
        yield process
    finally:
        await process.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages(api: PreceptorProcess, running: Callable[..., PreceptorProcess]) -> AsyncIterator[PreceptorProcess]:
    """Give the pages alone, a process of their own, for that API."""
    process = running()
    await process.start("web", "--api", api.api)
    try:
        await process.until_up(f"{process.url}/_stcore/health")
        yield process
    finally:
        await process.stop()


@pytest.fixture
def visit(browser: Browser, pages: PreceptorProcess) -> Visit:
    """Let somebody in with a browser of their own."""
    return partial(visiting, browser, pages.url, pages.api)


async def test_an_api_that_went_away_is_told_of_and_waited_for(visit: Visit, api: PreceptorProcess) -> None:
    async with visit() as ada, visit() as emil:
        await ada.open()
        await ada.ask("What is Ohm's law?")
        await api.stop()
        await emil.open()
        await emil.sees(_AWAY)
        await ada.send("What is Newton's third law?")
        await ada.sees(_AWAY)
        await api.start()
        await api.until_up(f"{api.api}/readyz")
        # Nobody has to do anything: what waited goes on.
        await expect(emil.page.get_by_test_id("stChatInputTextArea")).to_be_visible()
        await ada.open()
        await ada.ask("What is Newton's third law?")
        await expect(ada.answer).to_contain_text("equal reaction")


@pytest.mark.slow
async def test_an_api_that_hangs_is_told_of(visit: Visit, api: PreceptorProcess) -> None:
    async with visit() as ada:
        api.freeze()
        try:
            await ada.page.goto(ada.url)
            await ada.sees(_AWAY)
        finally:
            api.thaw()
        await expect(ada.page.get_by_test_id("stChatInputTextArea")).to_be_visible()


async def test_who_does_not_want_to_wait_for_a_slow_answer_stops_it(visit: Visit, model: LoopbackOpenAI) -> None:
    async with visit() as ada:
        await ada.open()
        model.script(Writes(pieces=(), finish="", then="silence"))
        await ada.send("What is Newton's first law?")
        stop = ada.page.get_by_role("button", name="Stop")
        await expect(stop).to_be_visible()
        # The page counts the seconds, so that nobody thinks that nothing happens.
        await expect(ada.page.get_by_text(re.compile(r"Looking it up … \d+ s"))).to_be_visible()
        await stop.click()
        await ada.sees("Stopped.")
        await ada.ask("What is Newton's second law?")
        await expect(ada.answer).to_contain_text("force equals mass")
