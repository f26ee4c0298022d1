"""Lets people ask a real Preceptor on a Slack of this machine, and shows what that Slack got from it."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.application import Application
from drawing import club
from drawing.markup import of_slack, of_streamed
from drawing.page import Entry, Picture, between
from tests.adapters.loopback_slack import Channel, LoopbackSlack, Message, User, UserGroup

_ONLY_YOU = "Only visible to you"
_PERSON = "Not helpful? Ask a person"
_APP = "Preceptor"


@dataclass(frozen=True, slots=True)
class _Workspace:
    """A workspace with the bot in it: Ada asks, Grace is on call, Marie is its admin."""

    slack: LoopbackSlack
    physics: Channel
    ada: User
    grace: User
    marie: User
    on_call: UserGroup
    folder: Path

    def entry(self, message: Message) -> Entry:
        """Show a message."""
        is_app = bool(message.bot_id)
        said = of_streamed(message.text) if message.stream else self._said(message.blocks) or self._html(message.text)
        return Entry(
            author=_APP if is_app else self.slack.workspace.users[message.user].name,
            html=said,
            is_app=is_app,
            buttons=tuple(message.labels),
            sources=tuple(self._html(source) for source in _sources(message.blocks)),
            note=_ONLY_YOU if message.ephemeral_for else "",
            in_thread=bool(message.thread_ts),
            reactions=tuple("✅" for name in message.reactions if name == "white_check_mark"),
        )

    def _said(self, blocks: list[dict[str, Any]]) -> str:
        return "".join(self._html(block["text"]["text"]) for block in blocks if block["type"] == "section")

    def _html(self, text: str) -> str:
        people = {user.id: user.name for user in self.slack.workspace.users.values()}
        return of_slack(text, people | {self.slack.bot_user: _APP, self.on_call.id: self.on_call.handle})

    def home(self, blocks: list[dict[str, Any]]) -> Entry:
        """Show the Home tab, which is one page."""
        return Entry(_APP, "".join(self._chapter(block) for block in blocks), is_app=True)

    def _chapter(self, block: dict[str, Any]) -> str:
        if block["type"] == "header":
            return f"<h3>{block['text']['text']}</h3>"
        if block["type"] == "actions":
            labels = (element["text"]["text"] for element in block["elements"])
            return f'<div class="buttons">{"".join(f"<button>{label}</button>" for label in labels)}</div>'
        shown = (block,) if "text" in block else block["elements"]
        kind = "source" if block["type"] == "context" else "said"
        html = "".join(self._html(one["text"]["text"] if one is block else one["text"]) for one in shown)
        return f'<div class="{kind}">{html}</div>'

    async def asks(self, question: str, thread: str = "") -> tuple[Message, Message]:
        """Have Ada ask; gives the question and the whole answer."""
        mention = "" if thread else "<@BOT> "
        asked = await self.ada.says(self.physics, f"{mention}{question}", thread=thread)
        answer = await self.physics.next_message()
        return asked, await answer.becomes(lambda one: bool(one.labels))


def _sources(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if block["type"] == "context":
            yield from (element["text"] for element in block["elements"])


@contextlib.asynccontextmanager
async def _workspace(folder: Path) -> AsyncIterator[_Workspace]:
    async with LoopbackSlack() as slack:
        ada, grace, marie = slack.user("Ada"), slack.user("Grace"), slack.user("Marie", admin=True)
        section = {
            "enabled": True,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "base_url": slack.base_url,
        }
        settings = club.settings(folder, slack=section, access={"admin_roles": ("slack:admin",)})
        application = Application(settings)
        physics, on_call = slack.channel("physics"), slack.usergroup("on-call", [grace])
        async with application.running([application.adapter("slack")]):
            await slack.connected()
            yield _Workspace(slack, physics, ada, grace, marie, on_call, folder)


async def pictures(folder: Path) -> list[Picture]:
    """Play all scenes with a Preceptor whose data lie in `folder`; gives what came of them."""
    async with _workspace(folder) as workspace:
        return [
            Picture("slack-answer", "slack", "# physics", await _answer(workspace)),
            Picture("slack-private", "slack", "# physics", await _private(workspace)),
            Picture("slack-declined", "slack", "# physics", await _declined(workspace)),
            Picture("slack-person", "slack", "# physics", await _person(workspace)),
            Picture("slack-reload", "slack", "# physics", await _reload(workspace)),
            Picture("slack-home", "slack", "Preceptor · Home", await _home(workspace)),
        ]


async def _answer(workspace: _Workspace) -> tuple[Entry, ...]:
    question, answer = await workspace.asks(club.QUESTION)
    more = await workspace.asks(club.FOLLOW_UP, question.ts)
    return tuple(map(workspace.entry, (question, answer, *more)))


async def _private(workspace: _Workspace) -> tuple[Entry, ...]:
    await workspace.ada.commands(workspace.physics, "/ask", club.PRIVATE_QUESTION)
    answer = await workspace.physics.next_message()
    typed = between(f"Ada typed: /ask {club.PRIVATE_QUESTION}")
    await workspace.ada.presses(answer, "Share with everyone")
    shared = await workspace.physics.next_message()
    pressed = between("after Ada pressed “Share with everyone”")
    return typed, workspace.entry(answer), pressed, workspace.entry(shared)


async def _declined(workspace: _Workspace) -> tuple[Entry, ...]:
    return tuple(map(workspace.entry, await workspace.asks(club.UNKNOWN)))


async def _person(workspace: _Workspace) -> tuple[Entry, ...]:
    await workspace.marie.commands(workspace.physics, "/preceptor", f"people {workspace.on_call.mention}")
    await workspace.physics.next_message()
    said = tuple(map(workspace.entry, await workspace.asks(club.HARD_QUESTION)))
    answer = workspace.physics.from_bot[-1]
    await workspace.ada.presses(answer, _PERSON)
    call = await workspace.physics.next_message()
    called = workspace.entry(call)
    await workspace.grace.presses(call, "Solved")
    await call.becomes("Solved by")
    return (*said, called, between("the same message after Grace pressed “Solved”"), workspace.entry(call))


async def _reload(workspace: _Workspace) -> tuple[Entry, ...]:
    club.add_files(workspace.folder)
    await workspace.marie.commands(workspace.physics, "/preceptor", "reload")
    return between("Marie typed: /preceptor reload"), workspace.entry(await workspace.physics.next_message(10))


async def _home(workspace: _Workspace) -> tuple[Entry, ...]:
    await workspace.ada.opens_home()
    view = await workspace.slack.until(lambda: workspace.ada.home)
    return (workspace.home(view.blocks if view else []),)
