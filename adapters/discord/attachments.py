"""Files that come with messages: what is known of them, and their bytes as they arrive."""

import contextlib
from collections.abc import AsyncIterator, Sequence

import aiohttp
import discord

from adapters.addresses import belongs_to
from adapters.fetching import LONGEST_ADDRESS, Fetcher, Fetching
from adapters.sound_text import sound
from bot.errors import AttachmentError
from bot.messages import Attachment

_DOMAINS = (".discordapp.com", ".discordapp.net", ".discord.com")
_OK = 200
_LARGEST = 1 << 40
"""Bytes that no file on Discord has."""


def files_of(message: discord.Message) -> tuple[Attachment, ...]:
    """Describe the files of a message, and of what it forwards."""
    forwarded = (file for snapshot in message.message_snapshots for file in snapshot.attachments)
    return attachments_of([*message.attachments, *forwarded])


def attachments_of(files: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
    """Describe files; their types are what Discord claims."""
    return tuple(map(_attachment, files))


def _attachment(file: discord.Attachment) -> Attachment:
    # discord.py hands on what stands in the event, whatever its type.
    size = file.size if isinstance(file.size, int) and 0 <= file.size < _LARGEST else 0
    return Attachment(sound(file.filename), sound(file.content_type or ""), size, sound(file.url, LONGEST_ADDRESS))


async def bytes_of(attachment: Attachment, fetching: Fetching) -> AsyncIterator[bytes]:
    """Yield a file's bytes, fetched without the bot's token from Discord's file server or the host of `fetching.own`.

    Raises:
        AttachmentError: it cannot be fetched.
    """

    def _is_discords(url: str) -> dict[str, str]:
        if not belongs_to(url, _DOMAINS, fetching.own):
            raise AttachmentError("It does not lie at Discord.", "Upload it here instead of linking it.")
        return {}

    # Not discord.py's own way: it reads a file whole before anybody can say that it is too large.
    pieces = Fetcher(fetching).pieces(attachment.url, _is_discords, _check)
    try:
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                yield piece
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _not_fetched() from error


def _check(response: aiohttp.ClientResponse) -> None:
    if response.status != _OK:
        raise _not_fetched()


def _not_fetched() -> AttachmentError:
    return AttachmentError("It could not be fetched from Discord.", "Send it again.")
