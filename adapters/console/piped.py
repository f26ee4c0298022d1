"""Reads questions from standard input that is no terminal: a pipe another program writes to, or a file."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from typing import TextIO

_LONGEST_LINE = 64 << 20
"""Bytes; a longer line is refused by the question's own limit long before."""


async def piped_lines(stream: TextIO) -> AsyncIterator[str]:
    """Yield lines as they come; a pipe that stays open holds up neither the answers nor the end of the process."""
    kind = os.fstat(stream.fileno()).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
        for line in stream:
            yield line
        return
    reader = asyncio.StreamReader(_LONGEST_LINE)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    try:
        while read := await reader.readline():
            yield read.decode(errors="replace")
    finally:
        transport.close()
