"""Files that come with messages: fetched within a limit, and known by their content, not by their name."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

from bot.adapter import Adapter
from bot.errors import AttachmentError, NotSetUpError
from bot.messages import Attachment, IncomingMessage, Reply

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff"})
"""Media types that pass as pictures."""

_FETCH_SECONDS = 60.0
"""How long one file may take to arrive."""

_HEAD = 4096
"""Bytes at the beginning in which a file's kind is looked for."""

_MEBIBYTE = 1 << 20
_LONGEST_NAME = 80
_SAME: dict[str, str] = {"image/x-ms-bmp": "image/bmp"}
"""Media types that the library spells in its own way."""

_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it arrived; `media_type` says what its content is, whatever it was claimed to be."""

    content: bytes
    media_type: str


async def fetch(
    adapter: Adapter, attachment: Attachment, megabytes: int, *, seconds: float = _FETCH_SECONDS
) -> Fetched:
    """Fetch a file of `megabytes` MiB at the most, within `seconds`; of a larger one no more than that is read.

    Raises:
        AttachmentError: it is empty or too large, does not arrive in time, or the platform does not give it.
    """
    limit = megabytes * _MEBIBYTE
    if attachment.size > limit:
        raise _too_large(attachment, f"has {attachment.size / _MEBIBYTE:,.1f} MiB", megabytes)
    content = bytearray()
    try:
        async with asyncio.timeout(seconds), _closing(adapter.download(attachment)) as chunks:
            async for chunk in chunks:
                content += chunk
                if len(content) > limit:
                    raise _too_large(attachment, "is larger", megabytes)
    except TimeoutError as error:
        raise AttachmentError(
            f"{_name(attachment)} did not arrive within {seconds:g} seconds.", "Send it once more."
        ) from error
    if not content:
        raise AttachmentError(f"{_name(attachment)} is empty.", "Send it once more.")
    return Fetched(bytes(content), await asyncio.to_thread(media_type, bytes(content[:_HEAD])))


@contextlib.asynccontextmanager
async def _closing(chunks: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Let go of the connection behind a download that is left half-way."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


def media_type(head: bytes) -> str:
    """Tell what a file is by its first bytes; ``application/octet-stream`` where they do not say. Blocking."""
    from puremagic import PureError, from_string

    is_text = _is_text(head)
    try:
        known = from_string(head, mime=True)
    except (PureError, ValueError):
        known = ""
    known = _SAME.get(known, known)
    # Two letters are enough for some kinds of picture, and a text may begin with them.
    if not known or (is_text and known in PICTURES):
        return "text/plain" if is_text else "application/octet-stream"
    return known


def _is_text(head: bytes) -> bool:
    if _NOT_IN_TEXT.search(head):
        return False
    try:
        # A character may be cut at the end, but no more than three bytes of it.
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end == len(head) and error.reason == "unexpected end of data"
    return True


class Describing:
    """The capability that says what is in a picture.

    Args:
        adapter_of: gives the adapter of a platform.
        megabytes: the largest file that is fetched, in MiB.
    """

    def __init__(self, adapter_of: Callable[[str], Adapter], megabytes: int) -> None:
        self._adapter_of = adapter_of
        self._megabytes = megabytes

    async def describe(self, message: IncomingMessage) -> Reply:
        """Look at the pictures that came with a message.

        Raises:
            AttachmentError: none came, one cannot be fetched, or one is no picture.
            NotSetUpError: they are pictures; nothing that describes them is there yet.
        """
        if not message.attachments:
            raise AttachmentError("I see no picture with your message.", "Attach one and send it once more.")
        adapter = self._adapter_of(message.place.platform)
        for attachment in message.attachments:
            _require_picture(attachment, await fetch(adapter, attachment, self._megabytes))
        raise NotSetUpError("Describing pictures is not set up yet.", "A later version of Preceptor has it.")


def _require_picture(attachment: Attachment, fetched: Fetched) -> None:
    if fetched.media_type not in PICTURES:
        raise AttachmentError(
            f"{_name(attachment)} is no picture: its content is {fetched.media_type}.",
            "PNG, JPEG, GIF, WebP, BMP and TIFF are.",
        )


def _too_large(attachment: Attachment, how: str, megabytes: int) -> AttachmentError:
    return AttachmentError(
        f"{_name(attachment)} {how}; I fetch {megabytes:,} MiB at the most.",
        "Send a smaller one; the setting attachments.megabytes holds the limit.",
    )


def _name(attachment: Attachment) -> str:
    """Give a file's name with nothing in it that could be taken for markup."""
    return re.sub(r"[^\w .()+-]", "_", attachment.name)[:_LONGEST_NAME].strip() or "The file"
