"""Files that come with messages, fetched within a limit."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator

from bot.adapter import Adapter
from bot.errors import AttachmentError
from bot.messages import Attachment

_FETCH_SECONDS = 60.0
"""How long one file may take to arrive."""

_MEBIBYTE = 1 << 20
_LONGEST_NAME = 80


async def fetch(adapter: Adapter, attachment: Attachment, megabytes: int, *, seconds: float = _FETCH_SECONDS) -> bytes:
    """Fetch a file of `megabytes` MiB at the most, within `seconds`; of a larger one no more than that is read.

    Raises:
        AttachmentError: it is empty or too large, does not arrive in time, or the platform does not give it. The
            sentence does not name it.
    """
    limit = megabytes * _MEBIBYTE
    if attachment.size > limit:
        raise _too_large(f"has {attachment.size / _MEBIBYTE:,.1f} MiB", megabytes)
    content = bytearray()
    try:
        async with asyncio.timeout(seconds), _closing(adapter.download(attachment)) as chunks:
            async for chunk in chunks:
                content += chunk
                if len(content) > limit:
                    raise _too_large("is larger", megabytes)
    except TimeoutError as error:
        raise AttachmentError(f"It did not arrive within {seconds:g} seconds.", "Send it once more.") from error
    if not content:
        raise AttachmentError("It is empty.", "Send it once more.")
    return bytes(content)


@contextlib.asynccontextmanager
async def _closing(chunks: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Let go of the connection behind a download that is left half-way."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


def _too_large(how: str, megabytes: int) -> AttachmentError:
    return AttachmentError(
        f"It {how}; I fetch {megabytes:,} MiB at the most.",
        "Send a smaller one; the setting attachments.megabytes holds the limit.",
    )


def name_of(attachment: Attachment) -> str:
    """Give a file's name with nothing in it that could be taken for markup."""
    return re.sub(r"[^\w .()+-]", "_", attachment.name)[:_LONGEST_NAME].strip() or "The file"
