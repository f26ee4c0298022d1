"""Somebody asks on the page, sees where the answer stands, and says what they think of it."""

import io
import re

import httpx
import pytest
from PIL import Image
from playwright.async_api import expect
from visiting import Visit

pytestmark = pytest.mark.asyncio(loop_scope="module")

_CHEST_PAIN = "crushing chest pain that spreads into my left arm, I sweat and feel sick"


async def test_a_question_is_answered_with_its_sources_and_the_words_that_matched(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("What is Ohm's law?")
        await expect(ada.answer).to_contain_text("V = I R")
        await expect(ada.answer).to_contain_text(re.compile(r"extractive · .*sure \(.* %\) · [\d.,]+ m?s"))
        await ada.first_source().click()
        await expect(ada.answer).to_contain_text("physics.json")
        marked = {word.lower() for word in await ada.answer.locator("mark").all_inner_texts()}
        assert "law" in " ".join(marked)


async def test_a_stranger_is_told_what_this_is_and_given_examples_to_press(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.sees("says so when it does not know")
        example = ada.page.locator(".st-key-examples").get_by_role("button").first
        question = (await example.inner_text()).strip()
        await example.click()
        await expect(ada.answers).to_have_count(1)
        await ada.settled()
        await ada.sees(question)
        await expect(ada.answer.get_by_test_id("stExpander").first).to_be_visible()


async def test_what_cannot_be_answered_comes_with_questions_that_can(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("first law of the marathon")
        await ada.sees("Did you mean")
        await ada.answer.get_by_role("button").filter(has_text="Newton").first.click()
        await expect(ada.answers).to_have_count(2)
        await ada.settled()
        await expect(ada.answer).to_contain_text("Newton's")


async def test_who_scrolled_up_sees_what_they_ask_next(visit: Visit) -> None:
    async with visit(viewport={"width": 1280, "height": 500}) as ada:
        await ada.open()
        for law in ("Ohm's law", "Newton's second law"):
            await ada.ask(f"What is {law}?")
        await ada.page.mouse.move(800, 200)
        await ada.page.mouse.wheel(0, -5_000)
        await expect(ada.answers.first).to_be_in_viewport()
        await ada.ask("What is Newton's third law?")
        await expect(ada.answer.get_by_text("equal reaction").first).to_be_in_viewport()
        # It holds nobody there.
        await ada.page.mouse.wheel(0, -5_000)
        await expect(ada.answers.first).to_be_in_viewport()


async def test_what_is_written_from_the_right_stands_on_the_right(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("متى يفتح المكتب؟")
        said = ada.page.locator(".said")
        # How far from its box's left edge the line begins; the box is far wider.
        begins = """box => {
            const line = document.createRange();
            line.selectNodeContents(box);
            return line.getBoundingClientRect().left - box.getBoundingClientRect().left;
        }"""
        assert await said.evaluate(begins) > 200
        await ada.ask("When does the office open?")
        assert await said.last.evaluate(begins) < 1


async def test_what_comes_next_continues_the_conversation(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("What is Newton's first law?")
        address = ada.page.url
        await ada.ask("and the third?")
        await expect(ada.answer).to_contain_text("equal reaction")
        assert ada.page.url == address


async def test_a_thumb_and_a_comment_are_kept(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.ask("What is Newton's second law?")
        await ada.answer.get_by_role("radio", name="Thumbs up").click()
        comment = ada.answer.get_by_label("What was good about it?")
        await comment.fill("short & <b>right</b>")
        await ada.answer.get_by_role("button", name="Send").click()
        await ada.sees("your words are noted")
        conversation = ada.page.url.partition("c=")[2]
        async with httpx.AsyncClient(base_url=ada.api, trust_env=False) as client:
            kept = (await client.get(f"/v1/conversations/{conversation}")).raise_for_status().json()
        answer = kept["messages"][-1]
        assert (answer["verdict"], answer["comment"]) == ("up", "short & <b>right</b>")


async def test_one_source_is_chosen_and_the_others_are_left_out(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.choose("Answer from", "office")
        await ada.ask("What is Ohm's law?")
        await expect(ada.answer).not_to_contain_text("V = I R")
        await ada.ask("Where do visitors park?")
        await expect(ada.answer).to_contain_text("north side")


async def test_a_picture_is_told_of_as_far_as_it_can_be_without_a_model(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.drop("square.png", _picture(), "image/png")
        await expect(ada.answer).to_contain_text("320 × 200")
        await expect(ada.page.get_by_role("img", name="You sent: square.png")).to_be_visible()


async def test_a_file_that_is_no_picture_is_refused_in_words(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.drop("notes.png", b"these are notes", "image/png")
        await expect(ada.answer).to_contain_text("which I cannot look at")


async def test_two_hundred_megabytes_are_refused_before_they_are_sent(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        sent: list[str] = []
        ada.page.on("request", lambda request: sent.append(request.method))
        await ada.offer("huge.png", 200 << 20)
        await expect(ada.page.get_by_test_id("stChatInput")).to_contain_text(re.compile("must be .*MB or smaller"))
        assert "PUT" not in sent


async def test_symptoms_lead_to_what_to_do_at_once_on_top_and_the_disclaimer(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.describe_symptoms(_CHEST_PAIN)
        alarm = ada.answer.get_by_test_id("stAlert").first
        await expect(alarm).to_be_visible()
        await expect(ada.answer).to_contain_text(re.compile("no (substitute|diagnosis)|not a doctor", re.IGNORECASE))
        # What is likely besides comes second, and only for who opens it.
        rest = ada.answer.get_by_test_id("stExpander").locator("summary").first
        assert await ada.is_above(alarm, rest)
        await expect(ada.answer.get_by_role("list", name="How likely each is")).not_to_be_visible()


async def test_symptoms_are_judged_with_bars_and_the_words_that_spoke_for_it(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        await ada.describe_symptoms("itchy red patches with silvery scales on my elbows and knees for months")
        await expect(ada.answer.get_by_role("list", name="How likely each is")).to_be_visible()
        await expect(ada.answer).to_contain_text("because of “")


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 200), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()
