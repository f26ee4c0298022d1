"""Fixtures of the pages' tests: a Preceptor that really runs, and a browser, each shared by a module."""

import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from page_knowledge import knowledge_in
from page_process import PreceptorProcess, chromium
from playwright.async_api import Browser, async_playwright
from visiting import Visit, visiting


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., PreceptorProcess]:
    """Make a Preceptor that is not started yet; what it is given are settings, by section."""

    def _make(**sections: dict[str, Any]) -> PreceptorProcess:
        folder = tmp_path_factory.mktemp("preceptor")
        return PreceptorProcess(folder, knowledge_in(folder), **sections)

    return _make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def preceptor(running: Callable[..., PreceptorProcess]) -> AsyncIterator[PreceptorProcess]:
    """Give a Preceptor that runs, without keys: whoever comes is the local admin."""
    process = running()
    await process.start()
    try:
        await process.until_up()
        yield process
    finally:
        await process.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Give a Chromium without a window."""
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium(), args=[*as_root, "--disable-gpu"])
        yield opened
        await opened.close()


@pytest.fixture
def visit(browser: Browser, preceptor: PreceptorProcess) -> Visit:
    """Let somebody in with a browser of their own."""
    return partial(visiting, browser, preceptor.url, preceptor.api)
