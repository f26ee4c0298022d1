"""A source file's bytes and text: opened without being led astray, decoded as UTF-8 or refused in words."""

import codecs
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from knowledge.loaders.cleaning import clean
from knowledge.loaders.limits import LoadLimits
from knowledge.loaders.problem_log import NOWHERE, Position, ProblemLog

_SAMPLE = 4096
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE_AS_UTF8 = "Save the file as UTF-8 (in Excel: “CSV UTF-8”)."


class FileRefusedError(Exception):
    """A whole file, or all of it after a place, cannot be used.

    Attributes:
        message: what is wrong, one sentence.
        fix: what to do about it, one sentence.
        position: where, as far as that is known.
    """

    def __init__(self, message: str, fix: str, position: Position = NOWHERE) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.position = position


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file being read: what a loader is given.

    Attributes:
        name: the file as its owner would find it.
        stream: its bytes, from the start.
        limits: the bounds to keep.
        log: where problems go.
    """

    name: str
    stream: BinaryIO
    limits: LoadLimits
    log: ProblemLog

    def text(self) -> str:
        """Return the whole text, a byte order mark removed.

        Raises:
            FileRefusedError: it is not UTF-8, or there is nothing in it.
            OSError: it cannot be read.
        """
        data = self.stream.read(self.size() + 1)
        refuse_other_encodings(data)
        return _not_blank(decoded(data))

    def plain_text(self) -> str:
        """Return the whole text with ``\\n`` line ends and without control characters, which are logged.

        Raises:
            FileRefusedError: as `text` does.
            OSError: as `text` does.
        """
        cleaned = clean(self.text())
        for note in cleaned.notes:
            self.log.add(note.message, note.fix, position_in(cleaned.source, note.offset))
        return _not_blank(cleaned.text)

    def size(self) -> int:
        """Return the file's size in bytes."""
        return os.fstat(self.stream.fileno()).st_size


def _not_blank(text: str) -> str:
    if not text or text.isspace():
        raise FileRefusedError("The file holds nothing but blank space.", "Write something into it, or remove it.")
    return text


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file, never following a link nor waiting for a pipe's other end.

    Raises:
        FileRefusedError: the path is a pipe, a socket, a device or a folder.
        OSError: it cannot be opened; a symbolic link raises this too.
    """
    # Without O_NONBLOCK, opening a pipe that has taken the file's place would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileRefusedError("This is not a regular file.", "Put an ordinary file in its place.")
        yield stream


def refuse_other_encodings(start: bytes) -> None:
    """Check a file's first bytes for UTF-16 and UTF-32, with or without a byte order mark.

    Raises:
        FileRefusedError: they look like one of these.
    """
    sample = start[:_SAMPLE]
    if sample.startswith(_UTF16_MARKS) or _every_other_byte_is_zero(sample):
        message = "The file is saved as UTF-16 or UTF-32, not as UTF-8."
        raise FileRefusedError(message, _SAVE_AS_UTF8, Position(1, 1))


def _every_other_byte_is_zero(sample: bytes) -> bool:
    """Tell whether zeros are common at the even or at the odd places, and not at both."""
    fewer, more = sorted((sample[::2].count(0), sample[1::2].count(0)))
    common = len(sample) * 0.3
    return fewer < common < more


def decoded(data: bytes, first_line: int = 1) -> str:
    """Return `data` as text, without a byte order mark.

    Args:
        data: bytes that should be UTF-8.
        first_line: the number of the line with which they start.

    Raises:
        FileRefusedError: they are not UTF-8; the position is that of the first bad byte.
    """
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        return str(memoryview(data)[start:], "utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(data, start, start + error.start, first_line) from error


def _not_utf8(data: bytes, start: int, bad: int, first_line: int) -> FileRefusedError:
    line = data.count(b"\n", start, bad) + first_line
    line_start = max(data.rfind(b"\n", start, bad) + 1, start)
    column = len(str(memoryview(data)[line_start:bad], "utf-8", "replace")) + 1
    message = f"The byte 0x{data[bad]:02X} is not UTF-8."
    return FileRefusedError(message, _SAVE_AS_UTF8, Position(line, column))


def position_in(text: str, offset: int) -> Position:
    """Return the line and column of the character at `offset` of a file's text."""
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
