"""Reads multipart/form-data (RFC 7578): the parts of a body that has arrived whole, files and fields alike."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import python_multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FORM_DATA = "multipart/form-data"

# It would warn of every body that is no form, and quote it.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


class MultipartError(ValueError):
    """The body is not what its head says; the message is a sentence of ours and repeats nothing of it."""


class TooManyPartsError(MultipartError):
    """There are more parts than are taken."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form.

    Attributes:
        name: the field's name.
        filename: what the file is called; None where it is no file.
        media_type: as it is claimed; empty where it is not.
        pieces: its bytes, as they arrived; never joined, for that would hold up the event loop.
    """

    name: str
    filename: str | None
    media_type: str
    pieces: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(map(len, self.pieces))

    @property
    def text(self) -> str:
        """Its content as text; what is no UTF-8 becomes replacement characters."""
        return b"".join(self.pieces).decode("utf-8", "replace")


def read(content_type: str, body: Sequence[bytes], most: int) -> list[Part]:
    """Read the parts, in their order. Blocking.

    Args:
        content_type: the header of that name, with the boundary.
        body: the whole body, in pieces.
        most: how many parts there may be.

    Raises:
        TooManyPartsError: there are more.
        MultipartError: the boundary is missing, a part has no name, or the body breaks off or is no form at all; or it
            was made so that reading it takes long.
    """
    reading = _Reading(most)
    _Parsing(content_type, reading).feed_all(body)
    return reading.parts


class StoredPart(NamedTuple):
    """One part of a form, on the disk: the field's name, the file's name (None where it is none), its media type."""

    name: str
    filename: str | None
    media_type: str
    path: Path


class StoredForm:
    """Reads a form as it arrives, its parts into files; nothing of it stays in memory.

    Args:
        content_type: the header of that name, with the boundary.
        most: how many parts there may be.
        next_file: says where the next part is to be written.

    Raises:
        MultipartError: the boundary is missing.
    """

    def __init__(self, content_type: str, most: int, next_file: Callable[[], Path]) -> None:
        self._reading = _StoredReading(most, next_file)
        self._parsing = _Parsing(content_type, self._reading)

    def write(self, piece: bytes) -> None:
        """Read the next piece of the body. Blocking.

        Raises:
            MultipartError: as `read` does.
            OSError: the disk does not take it.
        """
        self._parsing.feed(piece)

    def parts(self) -> list[StoredPart]:
        """Give the parts, after the last piece. Raises MultipartError where the body breaks off."""
        self._parsing.end()
        return self._reading.stored

    def close(self) -> None:
        """Close what is still open, wherever the body broke off."""
        self._reading.close()


class _Parsing:
    """Feeds a parser, and gives up on a body that was made to take long."""

    def __init__(self, content_type: str, reading: "_Reading") -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise MultipartError("The header Content-Type names no boundary.")
        self._reading = reading
        self._seconds = 0.0
        with _translated():
            self._parser = python_multipart.MultipartParser(boundary, reading.callbacks())

    def feed_all(self, body: Sequence[bytes]) -> None:
        for piece in body:
            self.feed(piece)
        self.end()

    def feed(self, piece: bytes) -> None:
        started = monotonic()
        with _translated():
            self._parser.write(piece)
        self._seconds += monotonic() - started
        if self._seconds > self._reading.patience:
            raise MultipartError("The body takes too long to be read.")

    def end(self) -> None:
        if not self._reading.is_whole:
            raise MultipartError("The body breaks off: its last boundary is missing.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FormParserError as error:
        raise MultipartError("The body is no form of the kind that its head says.") from error


class _Reading:
    """Collects what the parser comes upon."""

    patience = 5.0
    """Seconds that reading may take; the largest body that is no trick takes a tenth of one."""

    def __init__(self, most: int) -> None:
        self.parts: list[Part] = []
        self.is_whole = False
        self._most = most
        self._count = -1
        self._begin()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._whole,
        }

    def _begin(self) -> None:
        if self._count == self._most:
            raise TooManyPartsError(f"The form has more than {self._most:,} parts.")
        self._count += 1
        self._name, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise MultipartError("A part of the form has no name.")
        filename = _text(options, b"filename") if b"filename" in options else None
        media_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self._keep(_text(options, b"name"), filename, media_type)

    def _keep(self, name: str, filename: str | None, media_type: str) -> None:
        self.parts.append(Part(name, filename, media_type, tuple(self._pieces)))

    def _whole(self) -> None:
        self.is_whole = True


class _StoredReading(_Reading):
    """Writes what the parser comes upon into files."""

    patience = 60.0
    """The disk's share is in it."""

    def __init__(self, most: int, next_file: Callable[[], Path]) -> None:
        self.stored: list[StoredPart] = []
        self._next_file = next_file
        self._file: BinaryIO | None = None
        super().__init__(most)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> BinaryIO:
        if self._file is None:
            self._file = self._next_file().open("xb")
        return self._file

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._open().write(memoryview(data)[start:end])

    def _keep(self, name: str, filename: str | None, media_type: str) -> None:
        # A part without any content has a file all the same.
        path = Path(self._open().name)
        self.close()
        self.stored.append(StoredPart(name, filename, media_type, path))


def _text(options: Mapping[bytes, bytes], name: bytes) -> str:
    return options[name].decode("utf-8", "replace")
