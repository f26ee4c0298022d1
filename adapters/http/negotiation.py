"""Decides from the Accept header whether an answer is streamed (RFC 9110, section 12.5.1)."""

from typing import NamedTuple

EVENTS = "text/event-stream"
JSON = "application/json"


class _Range(NamedTuple):
    media: str
    quality: float


def wants_events(accept: str) -> bool:
    """Say whether server-sent events are wanted more than one JSON document.

    Events must be named; a wildcard means JSON. Where both are named and equally welcome, the first one is meant.
    """
    ranges = [_range(part) for part in accept.lower().split(",")]
    named = [one.media for one in ranges if one.media in (EVENTS, JSON)]
    if EVENTS not in named:
        return False
    events, document = _quality(EVENTS, ranges), _quality(JSON, ranges)
    if events != document:
        return events > document
    return events > 0 and named[0] == EVENTS


def _quality(media: str, ranges: list[_Range]) -> float:
    """Give the quality of the most specific range that covers a media type; 0 where none does."""
    for pattern in (media, f"{media.partition('/')[0]}/*", "*/*"):
        for one in ranges:
            if one.media == pattern:
                return one.quality
    return 0.0


def _range(part: str) -> _Range:
    media, *parameters = (piece.strip() for piece in part.split(";"))
    return _Range(media, next((_weight(p[2:]) for p in parameters if p.startswith("q=")), 1.0))


def _weight(text: str) -> float:
    """Read a weight; one that is none counts as 0, so that what was not understood is not chosen."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
