"""The pages on a phone, by keyboard, for a screen reader, in light and dark."""

from typing import Any

import pytest
from page_process import PreceptorProcess
from playwright.async_api import Browser, expect
from visiting import Visit, visiting

pytestmark = pytest.mark.asyncio(loop_scope="module")

_PATHS = ("/", "/now", "/questions", "/knowledge", "/people", "/reports")
_PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
async def test_axe_finds_nothing_serious(visit: Visit, scheme: str) -> None:
    async with visit(color_scheme=scheme) as ada:
        await ada.open()
        await ada.ask("What is Ohm's law?")
        await ada.unfold()
        found = {"/ with an answer": await ada.violations()}
        for path in _PATHS:
            await ada.open(path)
            await ada.drawn()
            found[path] = await ada.violations()
        assert {path: violations for path, violations in found.items() if violations} == {}


async def test_a_phone_never_scrolls_sideways(visit: Visit) -> None:
    async with visit(**_PHONE) as ada:
        await ada.open()
        await ada.ask("What is Ohm's law?")
        await ada.unfold()
        wide = {"/ with an answer": await ada.overflow()}
        for path in _PATHS:
            await ada.open(path)
            await ada.drawn()
            wide[path] = await ada.overflow()
        assert {path: pixels for path, pixels in wide.items() if pixels > 0} == {}


async def test_a_question_is_asked_and_its_source_read_by_keyboard_alone(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        keyboard = ada.page.keyboard
        await ada.tab_to(ada.page.get_by_test_id("stChatInputTextArea"))
        await keyboard.type("What is Newton's third law?")
        await keyboard.press("Enter")
        await expect(ada.answers).to_have_count(1)
        await ada.settled()
        await ada.tab_to(ada.first_source(), backwards=True)
        await keyboard.press("Enter")
        await expect(ada.answer.locator("mark").first).to_be_visible()


async def test_the_page_speaks_a_language_and_has_a_name(visit: Visit) -> None:
    async with visit() as ada:
        await ada.open()
        assert await ada.page.locator("html").get_attribute("lang") == "en"
        assert await ada.page.title() == "Preceptor"
        await expect(ada.page.locator("h1")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
async def test_the_door_is_for_everybody_too(browser: Browser, preceptor: PreceptorProcess, scheme: str) -> None:
    await preceptor.stop()
    await preceptor.start(http={"admin_keys": ["the-key-of-the-door"]})
    await preceptor.until_up()
    async with visiting(browser, preceptor.url, color_scheme=scheme, viewport={"width": 390, "height": 844}) as ada:
        await ada.page.goto(f"{ada.url}/sign-in")
        assert await ada.violations() == []
        assert await ada.overflow() <= 0
        await ada.sign_in("a-key-that-is-none")
        await expect(ada.page.get_by_role("alert")).to_be_visible()
        assert await ada.violations() == []
