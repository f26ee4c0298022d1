"""Shows that the bot is typing, for as long as it works on an answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import discord
import structlog

log = structlog.get_logger(__name__)

_DELAY_SECONDS = 0.25
"""An answer that comes sooner needs no sign; a sign that arrives behind it would stay for ten seconds."""

_REFRESH_SECONDS = 8.0
"""Discord shows the sign for ten seconds."""


@contextlib.asynccontextmanager
async def typing_in(client: discord.Client, channel_id: int) -> AsyncIterator[None]:
    """Type in a channel for the while of the body; never raises, never delays."""
    typing = asyncio.create_task(_type(client, channel_id), name="typing")
    try:
        yield
    finally:
        typing.cancel()
        await asyncio.gather(typing, return_exceptions=True)


async def _type(client: discord.Client, channel_id: int) -> None:
    channel = client.get_partial_messageable(channel_id)
    await asyncio.sleep(_DELAY_SECONDS)
    try:
        while True:
            await channel.typing()
            await asyncio.sleep(_REFRESH_SECONDS)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        log.debug("typing not shown", channel=channel_id, error=type(error).__name__)
