"""A Preceptor on the loopback Discord: a server with a channel, Ada who asks, and the bot that answers."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from contract import contract_settings
from loopback_discord import Channel, Guild, Intent, LoopbackDiscord, Member, Message, Permission

from adapters.discord import DiscordAdapter
from adapters.discord.connection import Backoff
from bot.adapter import Receipt
from bot.application import Application
from bot.messages import IncomingMessage, Place, Reply
from bot.settings import Settings

NO_CONTENT, READS_CONTENT = Intent(0), Intent.MESSAGE_CONTENT


@dataclass
class Lab:
    """What a test sees of the platform, and the running bot."""

    discord: LoopbackDiscord
    guild: Guild
    general: Channel
    ada: Member
    settings: Settings
    application: Application | None = None
    adapter: DiscordAdapter | None = None

    async def ask(self, text: str = "When does the office open?", channel: Channel | None = None) -> Message:
        """Have Ada ask with a mention, and give the answer."""
        await self.ada.says(channel or self.general, text, mentions_bot=True)
        return await (channel or self.general).next_answer()

    async def send(self, channel: Channel, reply: Reply, key: str = "key") -> str:
        """Have the adapter send a reply, without the core."""
        if self.adapter is None:
            raise RuntimeError("the bot is not running")
        place = Place("discord", str(channel.guild.id) if channel.guild else "", str(channel.id))
        return await self.adapter.send(place, reply, key)

    def set(self, **discord: Any) -> None:
        """Change settings of the section `discord` for the next start."""
        section = self.settings.discord.model_copy(update=discord)
        self.settings = self.settings.model_copy(update={"discord": section})

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Run the bot for the while of the body, connected or not; a second time is a restart with the same data."""
        self.application = Application(self.settings)
        self.adapter = cast("DiscordAdapter", self.application.adapter("discord"))
        async with self.application.running([self.adapter]):
            yield

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The same, connected and with its commands registered."""
        async with self.started():
            await self.discord.connected()
            await self.discord.until(lambda: bool(self.discord.commands() or self.discord.commands(self.guild)))
            yield


@contextlib.asynccontextmanager
async def lab(
    folder: Path, *, intents: Intent = NO_CONTENT, shards: int = 1, max_concurrency: int = 1, **discord: Any
) -> AsyncIterator[Lab]:
    """Open the platform; `discord` are settings of that section, or of others by their names."""
    sections = {name: discord.pop(name) for name in list(discord) if name in Settings.model_fields}
    async with LoopbackDiscord(intents=intents, shards=shards, max_concurrency=max_concurrency) as platform:
        section = {"enabled": True, "token": platform.token, "base_url": platform.rest_url, **discord}
        guild = platform.guild("Lab")
        yield Lab(
            platform,
            guild,
            guild.channel("general"),
            guild.member("Ada"),
            contract_settings(folder, discord=section, **sections),
        )


@contextlib.asynccontextmanager
async def running_lab(folder: Path, **options: Any) -> AsyncIterator[Lab]:
    """Open the platform with the bot on it."""
    async with lab(folder, **options) as opened, opened.running():
        yield opened


async def nobody_hears(message: IncomingMessage) -> Receipt:
    """Stand where the core stands in a test in which nothing is to be heard."""
    raise AssertionError(f"nothing should be heard, and {message} was")


async def stays_silent(lab: Lab, message: Message) -> None:
    """See that a later question is answered, and this message is not."""
    place = message.channel
    sure = await lab.ada.says(place, "Where do visitors park?", mentions_bot=True)
    answer = await place.next_answer()
    assert answer.reference in (sure, None)
    assert all(one.reference is not message for one in place.bot_messages)


__all__ = ["READS_CONTENT", "Backoff", "Lab", "Permission", "lab", "nobody_hears", "running_lab", "stays_silent"]
