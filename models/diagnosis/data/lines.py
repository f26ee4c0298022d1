"""Reads the lines of a text file whatever its encoding: UTF-8, UTF-16, Windows-1252, or the first and last mixed."""

import codecs
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from models.errors import TrainingError

Told = Callable[[int, int], None]
"""Told how many bytes are read, and how many there are."""

_BEGINNING = 4_096
_LINES_BETWEEN_NEWS = 2_000
_LONGEST_LINE = 1_000_000
_SAVE_AS_CSV = "Save it as CSV (UTF-8), with the columns label and text."
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_KNOWN_BINARIES = {b"PK\x03\x04": "a workbook or another archive", b"\xd0\xcf\x11\xe0": "an old workbook"}
_KNOWN_BINARIES |= {b"%PDF": "a PDF", b"\x1f\x8b": "packed by gzip", b"PAR1": "a Parquet file"}


class Lines:
    """The lines of a file, read once, one after the other.

    A line that is not UTF-8 is read as Windows-1252, as programs write it that append to a file from elsewhere.

    Args:
        path: the file.
        told: told now and then how far it is read.

    Attributes:
        size: of the file, in bytes.
        sha256: of its bytes, as hexadecimal; right once all are read.
        not_utf8: lines that were read as Windows-1252.
        first_not_utf8: the first of them, from 1; 0 where there is none.

    Raises:
        TrainingError: it is missing, a folder, empty, or no text.
    """

    def __init__(self, path: Path, told: Told | None = None) -> None:
        self._path = path
        self._told = told
        self._hash = hashlib.sha256()
        self.not_utf8 = 0
        self.first_not_utf8 = 0
        try:
            self.size = path.stat().st_size
            with path.open("rb") as stream:
                self._encoding = _encoding(path, stream.read(_BEGINNING))
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None

    @property
    def sha256(self) -> str:
        """Of the bytes read so far, as hexadecimal."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[str]:
        read = 0
        for number, line in enumerate(self._decoded(), start=1):
            if "\0" in line:
                raise TrainingError(
                    f"{self._path}, line {number}: there is a NUL in it, so it is no text.", _SAVE_AS_CSV
                )
            read += len(line)
            if self._told and number % _LINES_BETWEEN_NEWS == 0:
                self._told(min(read, self.size), self.size)
            yield line
        if self._told:
            self._told(self.size, self.size)

    def _decoded(self) -> Iterator[str]:
        try:
            yield from self._utf16() if self._encoding else self._utf8()
        except OSError as error:
            raise _unreadable(self._path, error) from None

    def _utf8(self) -> Iterator[str]:
        with self._path.open("rb") as stream:
            number = 0
            while line := stream.readline(_LONGEST_LINE):
                number += 1
                self._hash.update(line)
                if len(line) == _LONGEST_LINE:
                    raise TrainingError(f"{self._path}, line {number} is longer than a megabyte.", _SAVE_AS_CSV)
                yield self._line(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line, number)

    def _line(self, line: bytes, number: int) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.not_utf8 += 1
            self.first_not_utf8 = self.first_not_utf8 or number
        try:
            return line.decode("cp1252")
        except UnicodeDecodeError as error:
            raise TrainingError(
                f"{self._path}, line {number}, byte {error.start + 1} is neither UTF-8 nor Windows-1252.",
                "Save the file as UTF-8.",
            ) from None

    def _utf16(self) -> Iterator[str]:
        self._hash.update(self._path.read_bytes())
        try:
            # The byte order mark says which way round; without the translation a quoted line feed stays as it is.
            with self._path.open(encoding="utf-16", newline="") as stream:
                yield from stream
        except UnicodeError:
            raise TrainingError(f"{self._path} breaks off, or is no text.", "Save the file as UTF-8.") from None


def empty(path: Path) -> TrainingError:
    """Make the error that says that there is nothing in a file."""
    return TrainingError(f"{path} is empty.", "Give a file with the columns label and text.")


def _encoding(path: Path, beginning: bytes) -> str:
    """UTF-16's name where the file says so; empty: to be decided line by line."""
    if not beginning:
        raise empty(path)
    for mark, what in _KNOWN_BINARIES.items():
        if beginning.startswith(mark):
            raise TrainingError(f"{path} is {what}, not CSV.", _SAVE_AS_CSV)
    for mark, name in _UTF_16.items():
        if beginning.startswith(mark):
            return name
    if b"\0" in beginning:
        raise TrainingError(f"{path} is a binary file, not CSV.", _SAVE_AS_CSV)
    return ""


def _unreadable(path: Path, error: OSError | ValueError) -> TrainingError:
    if isinstance(error, FileNotFoundError):
        return TrainingError(f"There is no file {path}.", "Look at the path.")
    if isinstance(error, IsADirectoryError):
        return TrainingError(f"{path} is a folder.", "Name the file in it.")
    reason = error.strerror if isinstance(error, OSError) else "no file can be called so"
    return TrainingError(f"{path} cannot be read: {reason}.", "Let this user read it.")
