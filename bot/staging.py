"""Files on their way into the library: on the disk beside it, until they are taken or refused."""

import asyncio
import contextlib
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bot.messages import Attachment

_SCHEME = "staged:"
_ADDRESS = re.compile(rf"{_SCHEME}([0-9a-f]{{16}})/([0-9]{{1,4}})")
_LEFT_SECONDS = 3600.0
"""A batch that nobody touched for so long was left by a process that died."""


class Batch:
    """The files of one request, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def next_file(self) -> Path:
        """Say where the next file is to be written."""
        self._number += 1
        return self._folder / str(self._number)

    def attachment(self, path: Path, filename: str, media_type: str) -> Attachment:
        """Give what a message says of a file of this batch."""
        return Attachment(filename, media_type, path.stat().st_size, f"{_SCHEME}{self._folder.name}/{path.name}")


class Staging:
    """Lends room for files, and finds them again by the addresses in a message."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.asynccontextmanager
    async def batch(self) -> AsyncIterator[Batch]:
        """Lend room for the while of the context; what is in it at the end goes.

        Raises:
            OSError: the folder cannot be made.
        """
        folder = self._folder / secrets.token_hex(8)
        try:
            await asyncio.to_thread(self._make, folder)
            yield Batch(folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def files(self, attachments: Sequence[Attachment]) -> list[tuple[str, Path]]:
        """Give the name of each file and where it lies; what has no address of ours is passed over."""
        found = ((one.name, _ADDRESS.fullmatch(one.url)) for one in attachments)
        return [(name, self._folder / address[1] / address[2]) for name, address in found if address]

    def _make(self, folder: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        folder.mkdir(mode=0o700)

    def _sweep(self) -> None:
        for folder in self._folder.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _LEFT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
