"""Reads multipart/form-data (RFC 7578): the parts of a body that has arrived whole, files and fields alike."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import python_multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FORM_DATA = "multipart/form-data"

# It would warn of every body that is no form, and quote it.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

_SECONDS = 5.0
"""How long reading may take; the largest body that is no trick takes a tenth of one."""


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
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        raise MultipartError("The header Content-Type names no boundary.")
    try:
        parser = python_multipart.MultipartParser(boundary, reading.callbacks())
        end = monotonic() + _SECONDS
        for piece in body:
            parser.write(piece)
            if monotonic() > end:
                raise MultipartError("The body takes too long to be read.")
    except FormParserError as error:
        raise MultipartError("The body is no form of the kind that its head says.") from error
    if not reading.is_whole:
        raise MultipartError("The body breaks off: its last boundary is missing.")
    return reading.parts


class _Reading:
    """Collects what the parser comes upon."""

    def __init__(self, most: int) -> None:
        self.parts: list[Part] = []
        self.is_whole = False
        self._most = most
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
        if len(self.parts) == self._most:
            raise TooManyPartsError(f"The form has more than {self._most:,} parts.")
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
        self.parts.append(Part(_text(options, b"name"), filename, media_type, tuple(self._pieces)))

    def _whole(self) -> None:
        self.is_whole = True


def _text(options: Mapping[bytes, bytes], name: bytes) -> str:
    return options[name].decode("utf-8", "replace")
