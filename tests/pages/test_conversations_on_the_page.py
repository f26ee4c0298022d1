"""What was asked is listed, named, searched, taken along and deleted; ten thousand conversations are no trouble."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest
from kept_talk import Talk, keep
from page_process import PreceptorProcess
from playwright.async_api import expect
from visiting import Visit

from bot.messages import Place

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_conversation_is_there_again_after_a_reload(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("What is Ohm's law?")
        await ada.page.reload()
        await ada.settled()
        await expect(ada.answer).to_contain_text("V = I R")


async def test_a_conversation_gets_a_name_and_is_found_by_it(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("What is Newton's second law?")
        await ada.rename("Forces for Friday")
        await expect(ada.history).to_contain_text("Forces for Friday")
        await ada.open()
        await ada.search_history("friday")
        await expect(ada.history.get_by_role("button")).to_have_count(1)
        await ada.history.get_by_role("button", name="Forces for Friday").click()
        await expect(ada.answer).to_contain_text("force equals mass")


async def test_a_conversation_is_taken_along_as_a_file(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("What is Newton's third law?")
        assert "equal reaction" in await ada.exported("Markdown")
        kept = json.loads(await ada.exported("JSON"))
        assert "equal reaction" in json.dumps(kept)


async def test_a_conversation_is_deleted_for_good_once_that_is_confirmed(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("Where do visitors park?")
        address = ada.page.url
        await ada.delete_conversation()
        await expect(ada.history).not_to_contain_text("Where do visitors park?")
        await ada.page.goto(address)
        await ada.settled()
        await ada.sees("no such conversation")


@pytest.mark.slow
async def test_ten_thousand_conversations_are_listed_at_once(visit: Visit, preceptor: PreceptorProcess) -> None:
    await preceptor.stop()
    keep(Path(preceptor.folder) / "data", map(_talk, range(10_000)))
    await preceptor.start()
    await preceptor.until_up()
    async with visit() as ada:
        # The first visitor after a start waits for Python's imports.
        await ada.open("/now")
        began = perf_counter()
        await ada.open()
        await expect(ada.history.get_by_role("button").first).to_be_visible()
        sys.stdout.write(f"10,000 conversations: the page is there after {perf_counter() - began:.2f} s\n")
        assert await ada.history.get_by_role("button").count() < 200
        await ada.search_history("question 4321")
        await expect(ada.history).to_contain_text("question 4321")


def _talk(number: int) -> Talk:
    at = datetime.now(UTC) - timedelta(hours=number)
    return Talk(at, Place("http"), "local", "local user", f"question {number}", "An answer.")
