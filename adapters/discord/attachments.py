"""Files that come with messages: what is known of them, and their bytes as they arrive."""

from collections.abc import AsyncIterator, Sequence

import aiohttp
import discord

from adapters.addresses import belongs_to
from bot.errors import AttachmentError
from bot.messages import Attachment

_DOMAINS = (".discordapp.com", ".discordapp.net", ".discord.com")
_CHUNK_BYTES = 64 * 1024
_OK = 200
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=20)


def files_of(message: discord.Message) -> tuple[Attachment, ...]:
    """Describe the files of a message, and of what it forwards."""
    forwarded = (file for snapshot in message.message_snapshots for file in snapshot.attachments)
    return attachments_of([*message.attachments, *forwarded])


def attachments_of(files: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
    """Describe files; their types are what Discord claims."""
    return tuple(Attachment(file.filename, file.content_type or "", file.size, file.url) for file in files)


async def bytes_of(attachment: Attachment, base_url: str, proxy: str) -> AsyncIterator[bytes]:
    """Yield a file's bytes, fetched without the bot's token from Discord's file server or the host of `base_url`.

    Raises:
        AttachmentError: it cannot be fetched.
    """
    if not belongs_to(attachment.url, _DOMAINS, base_url):
        raise AttachmentError("It does not lie at Discord.", "Upload it here instead of linking it.")
    # Not discord.py's own way: it reads a file whole before anybody can say that it is too large.
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(attachment.url, proxy=proxy or None, allow_redirects=False) as response,
        ):
            if response.status != _OK:
                raise _not_fetched()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                yield chunk
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _not_fetched() from error


def _not_fetched() -> AttachmentError:
    return AttachmentError("It could not be fetched from Discord.", "Send it again.")
