"""A Preceptor on the loopback Slack: a workspace with a channel, Ada who asks, and the bot that answers."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from contract import contract_settings
from loopback_slack import Channel, LoopbackSlack, Message, User

from adapters.http import HttpAdapter
from adapters.slack import SlackAdapter
from adapters.slack.manifest import bot_scopes
from bot.adapter import Adapter
from bot.application import Application
from bot.messages import Place, Reply
from bot.settings import Settings
from bot.settings.tree import SlackSettings

Mode = Literal["socket", "http"]

OPENING = "When does the office open?"
PARKING = "Where do visitors park?"


@dataclass
class Lab:
    """What a test sees of the platform, and the running bot."""

    slack: LoopbackSlack
    general: Channel
    ada: User
    settings: Settings
    application: Application | None = None
    adapter: SlackAdapter | None = None
    http: HttpAdapter | None = None

    async def ask(self, text: str = OPENING, channel: Channel | None = None, **how: Any) -> Message:
        """Have Ada ask with a mention, and give the answer."""
        await self.ada.says(channel or self.general, f"<@BOT> {text}", **how)
        return await (channel or self.general).next_message()

    @property
    def bot(self) -> SlackAdapter:
        """The running adapter."""
        if self.adapter is None:
            raise RuntimeError("the lab's bot is not running")
        return self.adapter

    @property
    def accepted(self) -> int:
        """How many messages are committed."""
        with contextlib.closing(sqlite3.connect(self.settings.database_file)) as connection:
            return int(connection.execute("SELECT count(*) FROM inbox").fetchone()[0])

    async def calm(self) -> None:
        """Wait until everything that was accepted is answered, and what Slack still has to say has arrived."""
        await self.slack.settle()
        async with asyncio.timeout(10):
            while self._open_messages:  # noqa: ASYNC110 - the database has no event
                await asyncio.sleep(0.01)

    @property
    def _open_messages(self) -> int:
        with contextlib.closing(sqlite3.connect(self.settings.database_file)) as connection:
            return int(connection.execute("SELECT count(*) FROM inbox WHERE is_open").fetchone()[0])

    def place(self, channel: Channel | None = None, thread: str = "") -> Place:
        """The place that a channel, or a thread in it, is to the core."""
        return Place("slack", self.slack.team, (channel or self.general).id, thread)

    def stands(self, name: str) -> Message:
        """The message that the adapter gave this name."""
        channel, ts = name.split(":")
        return self.slack.workspace.channels[channel].by_ts[ts]

    def alone(self, text: str, **fields: Any) -> Reply:
        """A reply to Ada, as the core would give it."""
        return Reply(text, **({"route": self.ada.id, "generator": "extractive"} | fields))

    def application_without_slack(self) -> Application:
        """A Preceptor with the same data that is not on Slack."""
        return Application(self.settings.model_copy(update={"slack": SlackSettings()}))

    def application_of(self) -> Application:
        """A Preceptor with these settings, not yet running."""
        return Application(self.settings)

    def doors(self, application: Application) -> list[Adapter]:
        """The front doors of an application: Slack, and in HTTP mode the API that Slack calls."""
        self.adapter = cast("SlackAdapter", application.adapter("slack"))
        if self.settings.slack.mode != "http":
            return [self.adapter]
        self.http = cast("HttpAdapter", application.adapter("http"))
        return [self.adapter, self.http]

    def deliver(self) -> None:
        """Tell Slack where the bot is, in HTTP mode."""
        if self.http is not None:
            root = f"{self.http.address}/slack"
            self.slack.deliver_to(f"{root}/events", commands=f"{root}/commands", interactivity=f"{root}/interactivity")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the bot for the while of the body; a second time is a restart with the same data."""
        self.application = self.application_of()
        async with self.application.running(self.doors(self.application)):
            self.deliver()
            if self.http is None:
                await self.slack.connected()
            yield


@contextlib.asynccontextmanager
async def lab(folder: Path, mode: Mode = "socket", **slack: Any) -> AsyncIterator[Lab]:
    """Open the platform; `slack` are settings of that section, or whole sections by their names."""
    sections = {name: slack.pop(name) for name in list(slack) if name in Settings.model_fields}
    async with LoopbackSlack() as platform:
        section = {
            "enabled": True,
            "mode": mode,
            "bot_token": platform.bot_token,
            "app_token": platform.app_token,
            "signing_secret": platform.signing_secret,
            "base_url": platform.base_url,
            **slack,
        }
        sections["http"] = {"enabled": mode == "http", "port": 0} | sections.get("http", {})
        settings = contract_settings(folder, slack=section, **sections)
        platform.scopes.intersection_update(bot_scopes(settings))
        yield Lab(platform, platform.channel("general"), platform.user("Ada"), settings)


@contextlib.asynccontextmanager
async def running_lab(folder: Path, mode: Mode = "socket", **options: Any) -> AsyncIterator[Lab]:
    """Open the platform with the bot on it."""
    async with lab(folder, mode, **options) as opened, opened.running():
        yield opened
