"""Photographs the web pages into this folder: ``python docs/pictures/draw_pages.py`` (needs Chromium).

A real Preceptor runs on this machine with the starter knowledge base and a month of invented talk; a real browser
looks at each of its pages.
"""

import asyncio
import io
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parents[1] / "tests" / "pages")]

import httpx  # noqa: E402 - what follows lies where the line above says
from drawing.month import answerable, talks  # noqa: E402
from kept_talk import keep  # noqa: E402
from page_process import PreceptorProcess, chromium  # noqa: E402
from PIL import Image, ImageDraw  # noqa: E402
from playwright.async_api import Browser, async_playwright  # noqa: E402
from visiting import Visitor, visiting  # noqa: E402

_KEY = "the-key-of-the-pictures"
_SYMPTOMS = "crushing chest pain that spreads into my left arm, I sweat and feel sick"
_PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
_DARK = {"color_scheme": "dark"}
_PATHS = ("now", "questions", "knowledge", "people")
_COLOURS = 128
_HANDED_IN = "# Lab rules\n\n## Lasers\n\nWear the goggles of the wavelength that is on the laser's label.\n"


class _Picture(NamedTuple):
    name: str
    pose: Callable[[Visitor], Awaitable[None]]
    options: dict[str, Any]


async def _empty(visitor: Visitor) -> None:
    await visitor.open()


async def _answered(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.ask("What is Newton's third law?")
    await visitor.first_source().click()
    await visitor.settled()


async def _on_a_phone(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.ask("What is Ohm's law?")


async def _diagnosis(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.describe_symptoms(_SYMPTOMS)


async def _picture(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.drop("sunset.png", _sunset(), "image/png")


async def _page(visitor: Visitor, path: str) -> None:
    await visitor.sign_in(_KEY)
    await visitor.open(path)
    await visitor.drawn()


async def _report(visitor: Visitor) -> None:
    await _page(visitor, "/reports")
    await visitor.unfold()
    await visitor.drawn()


async def _not_answered(visitor: Visitor) -> None:
    await _page(visitor, "/questions")
    head = visitor.page.get_by_test_id("stExpander").locator("summary").filter(has_text="?").first
    await head.click()
    await visitor.drawn()
    await head.evaluate("head => head.scrollIntoView({block: 'center'})")


async def _explained(visitor: Visitor) -> None:
    await _page(visitor, "/knowledge")
    await visitor.page.get_by_label("What would be found for").fill("why does a rocket fly in empty space?")
    await visitor.page.get_by_role("button", name="Search", exact=True).click()
    await visitor.sees("What each word adds to the score")
    await visitor.page.get_by_role("heading", name="Try a question").scroll_into_view_if_needed()
    await visitor.page.get_by_role("heading", name="Try a question").evaluate("head => head.scrollIntoView()")


async def _sign_in(visitor: Visitor) -> None:
    await visitor.page.goto(f"{visitor.url}/sign-in")


_CHAT = (
    _Picture("page-empty", _empty, {}),
    _Picture("page-answer", _answered, {}),
    _Picture("page-answer-dark", _answered, _DARK),
    _Picture("page-phone", _on_a_phone, _PHONE),
    _Picture("page-symptoms", _diagnosis, {}),
    _Picture("page-picture", _picture, {}),
)
_ADMIN = (
    _Picture("page-sign-in", _sign_in, {}),
    *(_Picture(f"page-{name}", partial(_page, path=f"/{name}"), {}) for name in _PATHS),
    _Picture("page-reports", _report, {}),
    _Picture("page-questions-dark", partial(_page, path="/questions"), _DARK),
    _Picture("page-unanswered", _not_answered, {}),
    _Picture("page-search", _explained, {}),
)


def _sunset() -> bytes:
    """Draw a picture to show to the bot."""
    sunset = Image.new("RGB", (960, 600))
    draw = ImageDraw.Draw(sunset)
    for y in range(600):
        warm = y / 600
        draw.line([(0, y), (960, y)], (int(60 + 190 * warm), int(50 + 90 * warm), int(120 - 60 * warm)))
    draw.ellipse((400, 250, 560, 410), (255, 214, 120))
    draw.rectangle((0, 400, 960, 600), (24, 52, 92))
    file = io.BytesIO()
    sunset.save(file, "PNG")
    return file.getvalue()


async def _photograph(browser: Browser, url: str, picture: _Picture) -> None:
    async with visiting(browser, url, **picture.options) as visitor:
        await picture.pose(visitor)
        shot = await visitor.page.screenshot(animations="disabled", caret="hide")
    target = _HERE / f"{picture.name}.png"
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    sys.stdout.write(f"{target.name}: {target.stat().st_size // 1024} KiB\n")


async def _prepare(process: PreceptorProcess) -> None:
    """Have a month behind it: talk, what admins did, an evaluation."""
    await process.start()
    await process.until_up()
    async with httpx.AsyncClient(base_url=process.api, timeout=60, trust_env=False) as api:
        uploaded = [("file", ("lab-rules.md", _HANDED_IN.encode(), "text/markdown"))]
        taught = {"question": "Which textbook do we use this term?", "answer": "Tipler, *Physics*, from chapter 21."}
        (await api.post("/v1/knowledge/files", files=uploaded)).raise_for_status()
        (await api.post("/v1/knowledge/answers", json=taught)).raise_for_status()
        for change in ("deny discord:80351110224678912 in discord to ask", "deny everyone in slack/T0LAB to diagnose"):
            (await api.post("/v1/access", json={"change": change})).raise_for_status()
        kept = {"place": "slack/T0LAB", "name": "retention", "value": "90"}
        (await api.post("/v1/places", json=kept)).raise_for_status()
    await process.stop()
    keep(process.folder / "data", talks(datetime.now(UTC)))
    asked = process.folder / "asked.jsonl"
    asked.write_text(answerable(), encoding="utf-8")
    report = process.folder / "data" / "reports" / "physics"
    await process.start(
        "evaluate", "answers", "--data", str(asked), "--report", str(report), "--generator", "extractive"
    )
    await process.ended()


async def _draw(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        process = PreceptorProcess(Path(folder), [], knowledge={"sources": ["starter"]})
        try:
            await _prepare(process)
            await _look(process, wanted)
        finally:
            await process.stop()


async def _look(process: PreceptorProcess, wanted: list[str]) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for pictures, keys in ((_CHAT, []), (_ADMIN, [_KEY])):
            await process.start(http={"admin_keys": keys})
            await process.until_up()
            for picture in pictures:
                if not wanted or picture.name in wanted:
                    await _photograph(browser, process.url, picture)
            await process.stop()
        await browser.close()


if __name__ == "__main__":
    asyncio.run(_draw(sys.argv[1:]))
