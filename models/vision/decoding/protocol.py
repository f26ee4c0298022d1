"""What passes between the bot and the process that decodes: lengths, JSON, bytes; and the bot believes little of it.

A request is the lengths of two parts, and the parts: JSON that says what is wanted, and the file. An answer is alike:
JSON with the facts or with a refusal, and the pixels of the views with the preview behind them.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.errors import PictureError
from models.vision.contract import Colour, PictureFacts, Pixels
from models.vision.decoding.contract import Decoded, DecodingLimits, View
from models.vision.decoding.shapes import shape

LENGTHS = struct.Struct("<IQ")
"""Lengths of the two parts."""

READY = b"ready"
"""What the process sends before it takes requests."""

MOST_HEADER = 65_536
_MOST_PREVIEW = 64 << 20
_LONGEST_TEXT = 300
_MOST_COLOURS = 5


class GarbledError(Exception):
    """An answer is not as it must be: what made it is not to be trusted any more."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of a file.

    Attributes:
        format: what it begins as.
        views: as `Decoder.decode` has them.
        preview: the longest edge of the preview; 0 for none.
        limits: what the picture may ask for.
    """

    format: str
    views: tuple[View, ...]
    preview: int
    limits: DecodingLimits

    def packed(self) -> bytes:
        """Give it as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpacked(cls, header: bytes) -> "Request":
        """Make it of JSON that comes from the bot."""
        told = json.loads(header)
        views = tuple(View(**{**view, "crop": view["crop"] and tuple(view["crop"])}) for view in told["views"])
        return cls(told["format"], views, told["preview"], DecodingLimits(**told["limits"]))


def pack_facts(facts: PictureFacts, preview: int) -> bytes:
    """Give as JSON what a file tells, and the length of the preview."""
    return json.dumps({"facts": asdict(facts), "preview": preview}).encode()


def pack_refusal(error: PictureError) -> bytes:
    """Give as JSON why there is nothing."""
    return json.dumps({"refused": [error.message, error.fix]}).encode()


@dataclass(frozen=True, slots=True)
class Promise:
    """What an answer's header says will follow: facts, the shapes of the views and the preview's length."""

    facts: PictureFacts
    shapes: tuple[tuple[int, int, int], ...]
    preview: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return sum(height * width * bands for height, width, bands in self.shapes) + self.preview

    def kept(self, body: bytearray) -> Decoded:
        """Take apart what followed; its length is right."""
        views: list[Pixels] = []
        start = 0
        for height, width, bands in self.shapes:
            pixels = np.frombuffer(body, np.uint8, height * width * bands, start)
            views.append(pixels.reshape(height, width, bands))
            start += pixels.size
        return Decoded(self.facts, tuple(views), bytes(body[start:]))


def unpack_answer(header: bytes, request: Request) -> Promise:
    """Read an answer's header.

    Raises:
        PictureError: it is a refusal.
        GarbledError: it is none of ours, or promises more than was asked for.
    """
    try:
        told = json.loads(header)
        if "refused" in told:
            raise PictureError(*(_text(part) for part in told["refused"]))
        facts = _facts(told["facts"], request)
        shapes = tuple(shape(view, facts.width, facts.height) for view in request.views)
        return Promise(facts, _bounded(shapes, request), _number(told["preview"], 0, _most_preview(request)))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise GarbledError from error


def _facts(told: dict[str, Any], request: Request) -> PictureFacts:
    most = request.limits.pixels
    return PictureFacts(
        request.format,
        _number(told["width"], 1, most),
        _number(told["height"], 1, most),
        _number(told["frames"], 1, request.limits.frames),
        _text(told["camera"]),
        _text(told["taken"]),
        tuple(
            Colour(_text(colour["name"]), _text(colour["code"]), min(1.0, max(0.0, float(colour["share"]))))
            for colour in told["colours"][:_MOST_COLOURS]
        ),
    )


def _bounded(shapes: Sequence[tuple[int, int, int]], request: Request) -> tuple[tuple[int, int, int], ...]:
    for (height, width, _), view in zip(shapes, request.views, strict=True):
        if not view.crop:
            _number(height * width, 1, request.limits.pixels)
    return tuple(shapes)


def _most_preview(request: Request) -> int:
    return _MOST_PREVIEW if request.preview else 0


def _number(told: object, least: int, most: int) -> int:
    if not isinstance(told, int) or not least <= told <= most:
        raise ValueError(told)
    return told


def _text(told: object) -> str:
    if not isinstance(told, str) or len(told) > _LONGEST_TEXT or not told.isprintable():
        raise ValueError(told)
    return told
