"""How fast the chat page is, beside the same thing written in Streamlit in a dozen lines, and beside the API alone.

    python benchmarks/pages.py

One Preceptor answers all three, from the starter knowledge base. In Chromium (which must be installed), each time in a
browser of its own: from the address to the field that takes questions, and from Enter to the last word of the answer.
Over HTTP: the answer alone, and the list of conversations with few and with many of them.
"""

import argparse
import asyncio
import functools
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.messages import Place
from tests.pages.kept_talk import Talk, keep
from tests.pages.page_process import PreceptorProcess, chromium, free_port

_QUESTION = "What is Ohm's law?"
_LAST_WORDS = "is constant. [1]"
_FIELD = "[data-testid=stChatInputTextArea]"
_MS_LONGEST = 60_000
_UNTIMED = 2
"""Rounds before those that count: caches are filled."""

_BARE = """import httpx
import streamlit as st

for role, text in (talk := st.session_state.setdefault("talk", [])):
    st.chat_message(role).markdown(text)
if question := st.chat_input("Ask"):
    st.chat_message("user").markdown(question)
    answer = httpx.post("{api}/v1/ask", json={{"question": question}}, trust_env=False).json()["answer"]
    st.chat_message("assistant").markdown(answer)
    talk += [("user", question), ("assistant", answer)]
"""


async def _median(rounds: int, once: Callable[[], Awaitable[float]]) -> float:
    """Median of what `once` gives, in milliseconds."""
    times = [await once() for _ in range(_UNTIMED + rounds)]
    return statistics.median(times[_UNTIMED:]) * 1000


async def _opened(browser: Browser, url: str) -> tuple[Page, float]:
    """Open a page in a browser of its own; give it, and how many seconds it took until it could be asked."""
    page = await (await browser.new_context()).new_page()
    started = time.perf_counter()
    await page.goto(url)
    await page.locator(_FIELD).wait_for(timeout=_MS_LONGEST)
    return page, time.perf_counter() - started


async def _seconds_to_open(browser: Browser, url: str) -> float:
    page, seconds = await _opened(browser, url)
    await page.context.close()
    return seconds


async def _seconds_to_answer(browser: Browser, url: str) -> float:
    page, _ = await _opened(browser, url)
    field = page.locator(_FIELD)
    await field.fill(_QUESTION)
    started = time.perf_counter()
    await field.press("Enter")
    await expect(page.get_by_text(_LAST_WORDS).first).to_be_visible(timeout=_MS_LONGEST)
    seconds = time.perf_counter() - started
    await page.context.close()
    return seconds


async def _seconds(client: httpx.AsyncClient, method: str, path: str, body: object = None) -> float:
    started = time.perf_counter()
    (await client.request(method, path, json=body)).raise_for_status()
    return time.perf_counter() - started


def _talks(number: int) -> list[Talk]:
    """Conversations of the local user's, one a minute."""
    now = datetime.now(UTC)
    return [
        Talk(now - timedelta(minutes=at), Place("http"), "local", "local user", f"What is number {at}?", "A number.")
        for at in range(number, 0, -1)
    ]


async def _until_up(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in itertools.repeat(None, 600):
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    sys.exit(f"{url} does not answer.")


async def _measure(rounds: int, conversations: int, folder: Path) -> None:
    ours = PreceptorProcess(folder / "preceptor", [Path("starter")])
    await ours.start()
    await ours.until_up()
    bare_port = free_port()
    (folder / "bare.py").write_text(_BARE.format(api=ours.api), encoding="utf-8")
    options = ("--server.headless=true", "--browser.gatherUsageStats=false", f"--server.port={bare_port}")
    bare = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streamlit", "run", str(folder / "bare.py"), *options),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_up(f"http://127.0.0.1:{bare_port}/_stcore/health")
        await _in_the_browser(rounds, ours.url, f"http://127.0.0.1:{bare_port}")
        _print("memory of the process, MB", _megabytes(_serving(ours.pid)), _megabytes(bare.pid))
        async with httpx.AsyncClient(base_url=ours.api, trust_env=False) as client:
            alone = await _median(5 * rounds, lambda: _seconds(client, "POST", "/v1/ask", {"question": _QUESTION}))
            few = await _median(5 * rounds, lambda: _seconds(client, "GET", "/v1/conversations"))
        print(f"{'the answer over HTTP alone, ms':<44}{alone:>10.1f}")
    finally:
        bare.terminate()
        await bare.wait()
        await ours.stop()
    keep(ours.folder / "data", _talks(conversations))
    await ours.start()
    await ours.until_up()
    async with httpx.AsyncClient(base_url=ours.api, trust_env=False) as client:
        many = await _median(5 * rounds, lambda: _seconds(client, "GET", "/v1/conversations"))
    await ours.stop()
    _print(f"list of conversations, {conversations:,} and few, ms", many, few, "many", "few")


async def _in_the_browser(rounds: int, ours: str, bare: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for what, once in (("address to field, ms", _seconds_to_open), ("Enter to last word, ms", _seconds_to_answer)):
            mine = await _median(rounds, functools.partial(once, browser, ours))
            _print(what, mine, await _median(rounds, functools.partial(once, browser, bare)))
        await browser.close()


def _serving(pid: int) -> int:
    """Give the process that serves the pages of a Preceptor."""
    return next(one.pid for one in psutil.Process(pid).children() if "adapters.web.server" in one.cmdline())


def _megabytes(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 1e6


def _print(what: str, ours: float, other: float, name: str = "ours", other_name: str = "a dozen lines") -> None:
    print(f"{what:<44}{ours:>10.1f} {name}  {other:>8.1f} {other_name}  ratio {ours / other:.2f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="of each; medians are printed")
    parser.add_argument("--conversations", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(options.rounds, options.conversations, Path(folder)))


if __name__ == "__main__":
    main()
