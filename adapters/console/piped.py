"""Reads questions from standard input that is no terminal: a pipe another program writes to, or a file."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from typing import TextIO

from bot.errors import QuestionTooLongError

_LONGEST_LINE = 64 << 20
"""Bytes; what is longer is no line that a person wrote, and ends the conversation with a sentence."""


async def piped_lines(stream: TextIO) -> AsyncIterator[str]:
    """Yield lines as they come; a pipe that stays open holds up neither the answers nor the end of the process."""
    kind = os.fstat(stream.fileno()).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
        # A file or /dev/null: never waits.
        with os.fdopen(stream.fileno(), "rb", closefd=False) as file:
            for raw in file:
                yield raw.decode(errors="replace")
        return
    reader = asyncio.StreamReader(_LONGEST_LINE)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    try:
        while read := await _line(reader):
            yield read.decode(errors="replace")
    finally:
        transport.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:
        raise QuestionTooLongError(
            f"A line on standard input is longer than {_LONGEST_LINE:,} bytes.", "Put one question on a line."
        ) from None
