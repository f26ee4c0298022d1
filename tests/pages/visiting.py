"""Somebody in front of a browser: what they do on the pages, and everything that went on behind their back."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    FilePayload,
    Locator,
    Page,
    Request,
    WebSocket,
    expect,
)

expect.set_options(timeout=20_000)

_PATIENCE_MS = 20_000
_MOST_TABS = 80
_SERIOUS = {"serious", "critical"}
_WITHOUT_NETWORK = {"data", "blob", "about"}

BOOBY_TRAP = "window.sprung = []; for (const name of ['alert', 'confirm', 'prompt', 'print']) "
BOOBY_TRAP += "window[name] = () => window.sprung.push(name);"
"""What runs before any page: whatever a text smuggles in reports here."""


@dataclass
class Visitor:
    """One browser of its own: no cookie, no cache shared with another one.

    Attributes:
        page: the page that is open.
        url: where the pages are.
        api: where the API is, for those who read back what the pages wrote.
        foreign: addresses elsewhere that the page asked for; there must be none.
        errors: what the page complained of in the console, and what it threw.
    """

    page: Page
    url: str
    api: str = ""
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note from now on what the page asks for and complains of."""
        self.page.on("request", self._on_request)
        self.page.on("websocket", self._on_socket)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def open(self, path: str = "/") -> None:
        """Open a page and wait until it is whole."""
        await self.page.goto(self.url + path)
        await self.settled()

    async def settled(self) -> None:
        """Wait until the page's script has run to its end."""
        idle = self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
        await expect(idle).to_be_visible(timeout=_PATIENCE_MS)

    async def ask(self, text: str) -> None:
        """Type a question, send it and wait for the whole answer."""
        before = await self.answers.count()
        await self.send(text)
        await expect(self.answers).to_have_count(before + 1, timeout=_PATIENCE_MS)
        await expect(self.page.get_by_role("button", name="Stop")).to_have_count(0, timeout=_PATIENCE_MS)
        await self.settled()

    async def send(self, text: str) -> None:
        """Type a question and send it."""
        box = self.page.get_by_test_id("stChatInputTextArea")
        await box.fill(text)
        await box.press("Enter")

    async def tab_to(self, wanted: Locator, *, backwards: bool = False) -> None:
        """Press the tabulator until an element has the focus."""
        for _ in range(_MOST_TABS):
            if await wanted.evaluate("element => element.contains(document.activeElement)"):
                return
            await self.page.keyboard.press("Shift+Tab" if backwards else "Tab")
        raise AssertionError("The tabulator does not lead there.")

    async def describe_symptoms(self, text: str) -> None:
        """Say how one feels, and wait for what it may point to."""
        await self.page.get_by_text("Symptoms", exact=True).first.click()
        await expect(self.page.get_by_test_id("stChatInputTextArea")).to_have_count(1)
        await expect(self.page.get_by_role("textbox", name="Describe how you feel")).to_be_visible()
        await self.settled()
        await self.ask(text)

    async def drop(self, name: str, content: bytes, media_type: str, question: str = "") -> None:
        """Give a file with the next question, send both and wait for the whole answer."""
        field = self.page.get_by_test_id("stChatInput").locator("input[type=file]")
        await field.set_input_files([FilePayload(name=name, mimeType=media_type, buffer=content)])
        await expect(self.page.get_by_test_id("stChatInputSubmitButton")).to_be_enabled()
        await self.ask(question)

    def first_source(self) -> Locator:
        """Give the head of the first source of the last answer."""
        return self.answer.get_by_test_id("stExpander").locator("summary").first

    async def drawn(self) -> None:
        """Wait until every part of the page, charts too, is drawn."""
        await self.settled()
        await expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        for chart in await self.page.get_by_test_id("stVegaLiteChart").all():
            await expect(chart.locator("canvas, svg").first).to_be_visible()

    async def unfold(self) -> None:
        """Open whatever can be opened on the page."""
        for head in await self.page.get_by_test_id("stExpander").locator("summary").all():
            if await head.is_visible():
                await head.click()
        await self.settled()

    async def offer(self, name: str, size: int) -> None:
        """Give a file of so many bytes with the next question; it is made in the browser, as none can be sent there."""
        await (
            self.page.get_by_test_id("stChatInput")
            .locator("input[type=file]")
            .evaluate(
                """(field, [name, size]) => {
                const given = new DataTransfer();
                given.items.add(new File([new Uint8Array(size)], name, {type: 'image/png'}));
                field.files = given.files;
                field.dispatchEvent(new Event('change', {bubbles: true}));
            }""",
                [name, size],
            )
        )

    async def choose(self, label: str, option: str) -> None:
        """Choose one of a list."""
        await self.page.get_by_role("combobox", name=re.compile(label)).click()
        await self.page.get_by_role("option", name=option).click()
        await self.settled()

    async def choose_files(self, name: str, content: bytes) -> None:
        """Hand a file to the page's field for files."""
        field = self.page.get_by_test_id("stFileUploader").locator("input[type=file]")
        await field.set_input_files([FilePayload(name=name, mimeType="application/octet-stream", buffer=content)])

    @property
    def history(self) -> Locator:
        """The list of conversations."""
        return self.page.locator(".st-key-conversations")

    async def search_history(self, words: str) -> None:
        """Look for a conversation."""
        field = self.page.get_by_label("Search conversations")
        await field.fill(words)
        await field.press("Enter")
        await self.settled()

    async def open_menu(self) -> Locator:
        """Open what can be done with the conversation, and give it."""
        await self.page.get_by_role("button", name="Conversation", exact=True).click()
        menu = self.page.get_by_test_id("stPopoverBody")
        await expect(menu).to_be_visible()
        return menu

    async def rename(self, name: str) -> None:
        """Give the conversation a name."""
        menu = await self.open_menu()
        await menu.get_by_label("Name").fill(name)
        await menu.get_by_role("button", name="Rename").click()
        await self.settled()

    async def exported(self, form: str) -> str:
        """Give what is saved of the conversation, as "Markdown" or "JSON"."""
        menu = await self.open_menu()
        async with self.page.expect_download() as downloading:
            await menu.get_by_role("button", name=f"Save as {form}").click()
        path = await (await downloading.value).path()
        await self.page.keyboard.press("Escape")
        return await asyncio.to_thread(path.read_text, encoding="utf-8")

    async def delete_conversation(self) -> None:
        """Delete the conversation, and say that it is meant."""
        menu = await self.open_menu()
        await menu.get_by_role("button", name="Delete …").click()
        await self.page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
        await expect(self.page.get_by_role("dialog")).to_have_count(0)
        await self.settled()

    @property
    def answers(self) -> Locator:
        """The answers on the page, first to last."""
        said_by_it = self.page.locator("[aria-label='Chat message from assistant']")
        return self.page.get_by_test_id("stChatMessage").filter(has=said_by_it)

    @property
    def answer(self) -> Locator:
        """The answer that came last."""
        return self.answers.last

    async def sees(self, text: str) -> None:
        """Wait until the page shows a text."""
        await expect(self.page.get_by_text(text).first).to_be_visible(timeout=_PATIENCE_MS)

    async def sign_in(self, key: str) -> None:
        """Show a key at the door."""
        await self.page.goto(f"{self.url}/sign-in")
        await self.enter(key)

    async def enter(self, key: str) -> None:
        """Type a key into the form that is there."""
        await self.page.get_by_label("Key").fill(key)
        await self.page.get_by_role("button", name="Sign in").click()

    async def until_signed_out(self) -> None:
        """Come back again and again until the session is over."""
        door = self.page.get_by_role("link", name="Sign in").or_(self.page.get_by_label("Key"))
        async with asyncio.timeout(_PATIENCE_MS / 1000):
            while not await door.is_visible():
                await self.page.goto(self.url)
                # A session that ends while the page is being built leaves it half built.
                with contextlib.suppress(AssertionError):
                    await expect(door.or_(self.page.get_by_test_id("stChatInputTextArea"))).to_be_visible(timeout=3_000)

    async def violations(self) -> list[str]:
        """Name what axe-core finds on the page that keeps people out, with the element."""
        found = await Axe().run(self.page)
        return [
            f"{one['id']}: {node['target']} {node['html'][:160]}"
            for one in found.response["violations"]
            if one["impact"] in _SERIOUS
            for node in one["nodes"]
        ]

    async def is_above(self, one: Locator, other: Locator) -> bool:
        """Say whether one thing stands over another."""
        upper, lower = await one.bounding_box(), await other.bounding_box()
        return upper is not None and lower is not None and upper["y"] + upper["height"] <= lower["y"]

    async def overflow(self) -> int:
        """Give how many pixels the page is wider than the window."""
        return int(
            await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )

    async def sprung(self) -> list[str]:
        """Name the traps that were sprung: nothing that anybody writes may run."""
        return list(await self.page.evaluate("window.sprung"))

    def _on_request(self, request: Request) -> None:
        self._note(request.url)

    def _on_socket(self, socket: WebSocket) -> None:
        self._note(socket.url)

    def _note(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in _WITHOUT_NETWORK and parts.netloc != urlsplit(self.url).netloc:
            self.foreign.append(address)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


@contextlib.asynccontextmanager
async def visiting(browser: Browser, url: str, api: str = "", **options: Any) -> AsyncIterator[Visitor]:
    """Let somebody in; `options` are those of Playwright's `new_context` (``color_scheme="dark"``).

    Raises:
        AssertionError: when they leave: a page asked somebody else than us, or ran what it was only to show.
    """
    context: BrowserContext = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
    try:
        await context.add_init_script(BOOBY_TRAP)
        page = await context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        visitor = Visitor(page, url, api)
        visitor.watch()
        try:
            yield visitor
        except (AssertionError, Error) as error:
            error.add_note(f"The page showed:\n{await page.locator('body').inner_text()}\n{visitor.errors}")
            raise
        assert visitor.foreign == []
        assert await visitor.sprung() == []
    finally:
        await context.close()


Visit = Callable[..., AbstractAsyncContextManager[Visitor]]
"""Lets somebody in, as `visiting` does, with the options given."""
