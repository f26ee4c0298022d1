"""What people and documents say is shown and never carried out, on every page."""

import json
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
import pytest_asyncio
from page_process import PreceptorProcess
from playwright.async_api import Browser, expect
from visiting import Visit, Visitor, visiting

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ELSEWHERE = "http://elsewhere.invalid"
_HOSTILE = " ".join(
    (
        '<img src=x onerror="alert(1)"><script>alert(2)</script><svg onload=alert(3)>',
        f'<iframe src="{_ELSEWHERE}/frame"></iframe><style>body{{background:url({_ELSEWHERE}/style)}}</style>',
        f"![picture]({_ELSEWHERE}/picture.png) [link](javascript:alert(4)) <javascript:alert(5)>",
        rf"$\href{{javascript:alert(6)}}{{x}}$ $$\includegraphics{{{_ELSEWHERE}/tex.png}}$$",
        ":red[red] :material/home: :streamlit: `a`</script>",
        f"\x1b]8;;{_ELSEWHERE}\x07linked\x1b]8;;\x07\x1b[2J",
        f'<a href="data:text/html,<script>alert(7)</script>" onclick="alert(8)">x</a><base href="{_ELSEWHERE}/">',
    )
)
_FILE = "<img src=x onerror=alert(9)> :red[file] $x$ [a](javascript:alert(10)).json"
_QUIETER_PAGES = ("/now", "/people", "/reports")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def preceptor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PreceptorProcess]:
    """Give a Preceptor whose knowledge, file names included, is out to do harm, and was talked to that way."""
    folder = tmp_path_factory.mktemp("hostile")
    sources = folder / "knowledge"
    sources.mkdir()
    items = [
        {"title": f"Pangolin formula {_HOSTILE}", "context": f"The pangolin formula is scales times two. {_HOSTILE}"},
        {"title": "Newton's third law", "context": "Every action has an equal and opposite reaction."},
    ]
    (sources / _FILE).write_text(json.dumps(items), encoding="utf-8")
    process = PreceptorProcess(folder, [sources], answers={"threshold": 0.0})
    await process.start()
    try:
        await process.until_up()
        await _talk(process.api)
        yield process
    finally:
        await process.stop()


async def _talk(api: str) -> None:
    """Ask, name, judge and put on the desk what means harm."""
    async with httpx.AsyncClient(base_url=api, timeout=30, trust_env=False) as client:
        for question in ("What is the pangolin formula?", f"pangolin {_HOSTILE}"):
            answer = (await client.post("/v1/ask", json={"question": question})).raise_for_status().json()
            verdict = {"verdict": "down", "comment": _HOSTILE}
            judged = await client.put(f"/v1/answers/{answer['answer_id']}/feedback", json=verdict)
            named = await client.patch(f"/v1/conversations/{answer['conversation_id']}", json={"title": _HOSTILE[:110]})
            assert (judged.status_code, named.status_code) == (200, 200)


@pytest.fixture
def visit(browser: Browser, preceptor: PreceptorProcess) -> Visit:
    """Let somebody in with a browser of their own."""
    return partial(visiting, browser, preceptor.url, preceptor.api)


async def _nothing_was_made_of_it(visitor: Visitor) -> None:
    """Look for what a text would have become, had it been taken as HTML; `visiting` looks for what would have run."""
    await visitor.settled()
    for made in ("img[src=x]", "svg[onload]", "base", "iframe[src*=elsewhere]", "a[href^=javascript]", "a[href^=data]"):
        await expect(visitor.page.locator(made)).to_have_count(0)
    assert "\x1b" not in await visitor.page.content()


async def test_an_answer_and_its_sources_are_only_shown(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("What is the pangolin formula?")
        await expect(ada.answer).to_contain_text("scales times two")
        await ada.first_source().click()
        await _nothing_was_made_of_it(ada)


async def test_a_question_is_only_shown(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask(f"pangolin formula {_HOSTILE}".replace("\x1b", "").replace("\x07", ""))
        await _nothing_was_made_of_it(ada)


@pytest.mark.parametrize(
    "path", ["/questions", "/knowledge", *(pytest.param(path, marks=pytest.mark.slow) for path in _QUIETER_PAGES)]
)
async def test_an_admin_page_only_shows_what_was_said(visit: Visit, path: str) -> None:
    async with visit() as ada:
        await ada.open(path)
        await ada.drawn()
        await ada.unfold()
        await _nothing_was_made_of_it(ada)
