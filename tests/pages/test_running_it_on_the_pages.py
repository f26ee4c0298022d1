"""An admin sees how it goes and changes what the bot knows, and whoever asks next is answered from that."""

import asyncio
import json

import httpx
import pytest
from page_process import PreceptorProcess
from playwright.async_api import expect
from visiting import Visit, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TIDES = [{"title": "Tides", "context": "The tides are raised by the gravity of the Moon and of the Sun."}]


async def test_it_says_that_all_is_well_and_which_front_doors_are_open(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open("/now")
        await ada.sees("All is well")
        doors = ada.page.get_by_role("table").first
        await expect(doors).to_contain_text("http")
        await expect(doors).to_contain_text("web")
        await expect(doors).not_to_contain_text("DOWN")


async def test_where_no_key_is_set_it_says_that_everybody_is_an_admin(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open("/now")
        await ada.sees("No key is set")


async def test_a_file_that_was_changed_is_read_when_an_admin_says_so(visit: Visit, preceptor: PreceptorProcess) -> None:
    async with visit() as ada:
        await ada.open("/knowledge")
        added = [{"title": "Comet", "context": "A comet is a lump of ice and dust that grows a tail near the Sun."}]
        file = preceptor.folder / "physics" / "comets.json"
        await asyncio.to_thread(file.write_text, json.dumps(added), encoding="utf-8")
        await ada.page.get_by_role("button", name="Read the sources again").click()
        await ada.sees("1 added")
        await ada.open()
        await ada.ask("What is a comet?")
        await expect(ada.answer).to_contain_text("lump of ice")


async def test_a_file_is_looked_at_loaded_asked_about_and_taken_back(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open("/knowledge")
        await ada.choose_files("tides.json", json.dumps(_TIDES).encode())
        await ada.sees("This adds 1 passage")
        assert not await _is_answered(ada, "What raises the tides?")
        await ada.page.get_by_role("button", name="Load these").click()
        await ada.sees("1 added")
        await expect(ada.page.get_by_role("table").first).to_contain_text("tides.json")
        assert await _is_answered(ada, "What raises the tides?")
        await ada.page.get_by_role("button", name="Undo the last change").click()
        await ada.sees("is undone")
        assert not await _is_answered(ada, "What raises the tides?")


async def test_a_file_that_cannot_be_read_is_named_before_it_is_loaded(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open("/knowledge")
        await ada.choose_files("broken.json", b'[{"title": "Half')
        await expect(ada.page.get_by_test_id("stMain")).to_contain_text("broken.json")
        await expect(ada.page.get_by_test_id("stMain")).to_contain_text("line 1")


async def test_an_unanswered_question_is_taught_and_then_answered(visit: Visit) -> None:
    question = "Where is the key of room 204?"
    async with visit() as ada:
        assert not await _is_answered(ada, question)
        await ada.open("/questions")
        await ada.drawn()
        head = ada.page.get_by_test_id("stExpander").locator("summary").filter(has_text=question).first
        await head.click()
        await ada.settled()
        form = ada.page.get_by_test_id("stForm").filter(has=ada.page.get_by_role("textbox", name="Answer")).first
        await form.get_by_role("textbox", name="Answer").fill("The key of room 204 hangs behind the reception.")
        await form.get_by_role("button", name="Save the answer").click()
        await ada.sees("From now on the answer is")
        assert await _is_answered(ada, question)


async def test_the_ranking_of_a_search_is_explained(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open("/knowledge")
        await ada.page.get_by_label("What would be found for").fill("voltage and current")
        await ada.page.get_by_role("button", name="Search", exact=True).click()
        await ada.sees("What each word adds to the score")
        await expect(ada.page.locator("mark").first).to_be_visible()


async def _is_answered(visitor: Visitor, question: str) -> bool:
    api = visitor.api
    async with httpx.AsyncClient(base_url=api, trust_env=False, timeout=30) as client:
        answer = (await client.post("/v1/ask", json={"question": question})).raise_for_status().json()
    return not answer["abstained"]
