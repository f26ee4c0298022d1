"""Files that came with requests: in memory, and gone once their message is answered."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence

from adapters.http.multipart import Part
from bot.errors import AttachmentError, OverloadedError
from bot.messages import Attachment

_SCHEME = "upload:"
_AT_ONCE = 8
"""How many of the largest bodies there is room for; of smaller ones there is for more."""


_BREATH = 16
"""After so many pieces others on the event loop have their turn."""


class Uploads:
    """Keeps uploads for the while that somebody waits for what is said of them.

    Args:
        body_bytes: the largest body that brings them.
    """

    def __init__(self, body_bytes: int) -> None:
        self.body_bytes = body_bytes
        self._room = body_bytes * _AT_ONCE
        self._files: dict[str, tuple[bytes, ...]] = {}

    @contextlib.contextmanager
    def room(self, announced: int | None) -> Iterator[None]:
        """Have room for a body for the while of the context; one that does not say how large it is takes the most.

        Raises:
            OverloadedError: there is none.
        """
        size = self.body_bytes if announced is None else announced
        if size > self._room:
            raise OverloadedError("As many pictures are here as I can hold at once.", "Try again in a minute.")
        self._room -= size
        try:
            yield
        finally:
            self._room += size

    @contextlib.contextmanager
    def kept(self, files: Sequence[Part]) -> Iterator[tuple[Attachment, ...]]:
        """Keep files for the while of the context, which is given what a message says of them."""
        by_address = {f"{_SCHEME}{uuid.uuid4().hex}": file for file in files}
        self._files |= {address: file.pieces for address, file in by_address.items()}
        try:
            yield tuple(
                Attachment(file.filename or "", file.media_type, file.size, address)
                for address, file in by_address.items()
            )
        finally:
            for address in by_address:
                del self._files[address]

    async def pieces(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Yield a file's bytes.

        Raises:
            AttachmentError: nobody waits for it any more.
        """
        pieces = self._files.get(attachment.url)
        if pieces is None:
            raise AttachmentError("It is gone: nobody waited for the answer any more.", "Send it once more.")
        for number, piece in enumerate(pieces):
            yield piece
            if not number % _BREATH:
                await asyncio.sleep(0)
