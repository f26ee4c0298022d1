"""A bare discord.py client that keeps what it hears, for tests of the loopback itself."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from .pointing import pointed_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .pointing import Addressed


class ListeningClient(discord.AutoShardedClient):
    """Keeps messages, raw events and the sessions' ups and downs; answers nothing by itself."""

    def __init__(self, **options: Any) -> None:
        chosen: Any = {"intents": discord.Intents.default(), "guild_ready_timeout": 0.05} | options
        super().__init__(**chosen)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.edits: list[discord.RawMessageUpdateEvent] = []
        self.deletions: list[discord.RawMessageDeleteEvent] = []
        self.reactions: list[discord.RawReactionActionEvent] = []
        self.threads_opened: list[discord.Thread] = []
        self.resumptions = 0
        self._more_heard = asyncio.Event()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify at once: the loopback has no window to wait for."""

    async def on_message(self, message: discord.Message) -> None:
        """Keep it."""
        if message.author != self.user:
            self.heard.append(message)
            self._more_heard.set()

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Keep it."""
        self.edits.append(event)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Keep it."""
        self.deletions.append(event)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Keep it."""
        self.reactions.append(event)

    async def on_thread_create(self, thread: discord.Thread) -> None:
        """Keep it."""
        self.threads_opened.append(thread)

    async def on_resumed(self) -> None:
        """Count it."""
        self.resumptions += 1

    async def hears(self, count: int, within: float = 20.0) -> list[discord.Message]:
        """Wait until so many messages were heard, and give them; raises TimeoutError."""
        async with asyncio.timeout(within):
            while len(self.heard) < count:
                self._more_heard.clear()
                await self._more_heard.wait()
        return self.heard

    @property
    def texts(self) -> list[str]:
        """What was heard, without the mention of the bot."""
        mention = f"<@{self.user.id}> " if self.user else ""
        return [message.content.removeprefix(mention) for message in self.heard]


@contextlib.asynccontextmanager
async def listening(
    loopback: Addressed, kind: type[ListeningClient] = ListeningClient, **options: Any
) -> AsyncIterator[ListeningClient]:
    """Run a client against the loopback, from READY until the context ends."""
    with pointed_at(loopback):
        async with kind(**options) as client:
            running = asyncio.create_task(client.start(loopback.token))
            try:
                ready = asyncio.create_task(client.wait_until_ready())
                await asyncio.wait((ready, running), timeout=10, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    ready.cancel()
                    await running
                yield client
            finally:
                await client.close()
                await asyncio.wait((running,), timeout=5)
