"""Files that come with messages: what is known of them, and their bytes as they arrive."""

from collections.abc import AsyncIterator, Sequence

import aiohttp
import discord

from bot.errors import AttachmentError
from bot.messages import Attachment

_CHUNK_BYTES = 64 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=20)


def attachments_of(files: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
    """Describe the files of a message; their types are what Discord claims."""
    return tuple(Attachment(file.filename, file.content_type or "", file.size, file.url) for file in files)


async def bytes_of(attachment: Attachment, proxy: str) -> AsyncIterator[bytes]:
    """Yield a file's bytes, fetched from Discord's file server without the bot's token.

    Raises:
        AttachmentError: it cannot be fetched.
    """
    # Not discord.py's own way: it reads a file whole before anybody can say that it is too large.
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(attachment.url, proxy=proxy or None) as response,
        ):
            response.raise_for_status()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                yield chunk
    except (aiohttp.ClientError, TimeoutError) as error:
        raise AttachmentError("I could not fetch your file from Discord.", "Send it again.") from error
