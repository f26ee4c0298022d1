"""Discord under the contract: unpatched discord.py connected to a Discord on this machine."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract import AdapterContract, Opening, Seen, Stage, contract_settings, kept_conversation
from loopback_discord import Channel, Guild, LoopbackDiscord, Member, Message, Permission, Upload

from bot.application import Application
from bot.settings import Settings


@dataclass
class _DiscordStage(Stage):
    discord: LoopbackDiscord
    guild: Guild
    settings: Settings
    people: dict[str, Member]
    channels: dict[str, Channel]

    lacks: ClassVar[Mapping[str, str]] = {}
    longest: ClassVar[int | None] = 2_000

    async def asks(self, who: str, text: str, channel: str = "general", file: tuple[str, bytes] | None = None) -> Any:
        files = (Upload(*file),) if file else ()
        return await self.people[who].says(self.channels[channel], text, mentions_bot=True, attachments=files)

    async def follows_up(self, question: Any, who: str, text: str) -> Any:
        return await self.people[who].says(question.channel, text, reply_to=self._standing(question)[0])

    async def answer(self, question: Any) -> Seen:
        return await self.answer_becomes(question, lambda seen: seen.texts)

    async def answer_becomes(self, question: Any, holds: Callable[[Seen], Any]) -> Seen:
        await self.discord.until(lambda: bool(holds(self._seen(question))), within=20)
        await self.discord.calm(0.5)
        return self._seen(question)

    def _seen(self, question: Message) -> Seen:
        return Seen(tuple(message.text for message in self._standing(question)), question.channel.name)

    def _standing(self, question: Message) -> list[Message]:
        """Give the message that refers to the question, and the parts that follow it."""
        found: list[Message] = []
        for message in question.channel.bot_messages:
            if message.reference is question or (found and message.reference is None):
                found.append(message)
            elif found:
                break
        return found

    async def conversation(self, question: Any) -> str:
        return await kept_conversation(self.settings, f"discord/{question.id}")

    async def edits(self, question: Any, text: str) -> None:
        await question.author.edits(question, f"{self.discord.bot_user.mention} {text}")

    async def deletes(self, question: Any) -> None:
        await question.author.deletes(question)

    async def shows_again(self, question: Any) -> None:
        await self.discord.redeliver(question)

    async def forbids_writing(self, channel: str) -> None:
        self.channels[channel].deny(self.guild.bot, Permission.SEND_MESSAGES)

    async def told_privately(self, who: str) -> str:
        told = (await self.people[who].dm.next_message(10)).text
        for name, channel in self.channels.items():
            told = told.replace(channel.mention, name)
        return told

    async def limits_the_rate(self, seconds: float) -> None:
        self.discord.rate_limit("POST /channels/*/messages", seconds)

    async def loses_the_connection(self) -> None:
        await self.discord.drop_connection()

    async def sends_something_new(self) -> None:
        await self.discord.sends("MESSAGE_TELEPATHY_CREATE", {"thought": "42"})

    async def count_of_answers(self, channel: str = "general") -> int:
        return len(self.channels[channel].bot_messages)


class TestDiscord(AdapterContract):
    """The Discord adapter."""

    @pytest.fixture
    def open_stage(self, tmp_path: Path) -> Opening:
        @contextlib.asynccontextmanager
        async def _open() -> AsyncIterator[Stage]:
            async with LoopbackDiscord() as discord:
                guild = discord.guild("Lab")
                people = {name: guild.member(name) for name in ("Ada", "Grace")}
                settings = contract_settings(
                    tmp_path, discord={"enabled": True, "token": discord.token, "base_url": discord.rest_url}
                )
                application = Application(settings)
                stage = _DiscordStage(discord, guild, settings, people, {"general": guild.channel("general")})
                async with application.running([application.adapter("discord")]):
                    await discord.connected()
                    await discord.calm()
                    yield stage

        return _open
