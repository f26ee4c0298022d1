"""Where an adapter looks for what was asked while it did not listen, and from when on."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.adapter import Records, Visited
from bot.errors import OverloadedError, StoppingError, StorageError
from bot.messages import Place
from bot.settings.delivery import CatchUpSettings

Result = TypeVar("Result")

_LATELY = timedelta(days=7)
"""Where nothing was asked for so long nobody is expected to have asked just now, save where the settings say so."""

_MARGIN = timedelta(minutes=1)
"""A question is older than its row, and the platform's clock another one. In a thread, where what the bot had no part
in yet could be taken for a follow-up, there is none."""

_LONGEST = timedelta(days=1)
"""The oldest that the settings let be caught up."""

_MARKS = "caught up"

_PAUSES = (0.5, 1.0, 2.0, *[5.0] * 60)
"""Seconds between two tries to hand in what is found."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is to be read of a channel or thread: all that was written there since a moment."""

    place: Place
    since: datetime


async def insist(act: Callable[[], Awaitable[Result]]) -> Result:
    """Do something as soon as the core can: again where it has no room, or its database is busy, for some minutes.

    Raises:
        StoppingError: it takes nothing any more.
        PreceptorError: it cannot for minutes.
    """
    for pause in _PAUSES:
        try:
            return await act()
        except StoppingError:
            raise
        except (OverloadedError, StorageError):
            await asyncio.sleep(pause)
    return await act()


async def stretches(platform: str, records: Records, settings: CatchUpSettings) -> list[Stretch]:
    """Give what is to be read: the places of the settings, then those where something was asked, the last one first.

    It is the whole time that the settings allow, save what was looked through before (`looked_through`), and not only
    what follows on the last question that was accepted: of two questions the earlier may have been missed. What was
    accepted is known by its key. But nothing is read from before the first question of a place: there the bot was not,
    or it was none of its business. Where it is longest ago that a place was looked through, that one comes first: a
    process that does not live long reaches all of them in the end.

    Raises:
        StorageError: it is not known where something was asked.
    """
    now = datetime.now(UTC)
    earliest = now - timedelta(minutes=settings.minutes)
    if not settings.minutes:
        return []
    visited = await records.visited(now - _LATELY)
    places = [place for place in map(_place, settings.channels) if _is_of(place, platform)]
    found = {place: Stretch(place, earliest) for place in places}
    for stretch in (*_by_channel(visited, earliest), *_by_thread(visited, earliest)):
        found.setdefault(stretch.place, stretch)
    marks = await _marks(records, now)
    by_mark = sorted(found.values(), key=lambda stretch: marks.get(stretch.place.id, earliest - _LONGEST))
    channels_first = sorted(by_mark, key=lambda stretch: bool(stretch.place.thread))
    return [_after(stretch, marks.get(stretch.place.id)) for stretch in channels_first]


async def looked_through(records: Records, place: Place, until: datetime) -> None:
    """Keep that all that was written in a place until a moment was handed in; of threads, which are many, nothing is.

    Raises:
        StorageError: it is not kept.
    """
    if place.thread:
        return
    marks = await _marks(records, datetime.now(UTC)) | {place.id: until}
    await records.keep_value(_MARKS, json.dumps({place_id: mark.timestamp() for place_id, mark in marks.items()}))


async def _marks(records: Records, now: datetime) -> dict[str, datetime]:
    """Give until when places were looked through, save what is too old to count or from a clock that was wrong."""
    kept = json.loads(await records.value(_MARKS) or "{}")
    marks = {place_id: datetime.fromtimestamp(mark, UTC) for place_id, mark in kept.items()}
    return {place_id: mark for place_id, mark in marks.items() if now - _LONGEST <= mark <= now}


def _after(stretch: Stretch, mark: datetime | None) -> Stretch:
    return stretch if mark is None else replace(stretch, since=max(stretch.since, mark - _MARGIN))


def _by_channel(visited: Sequence[Visited], earliest: datetime) -> list[Stretch]:
    """Give the channels; a question in a thread speaks for its channel, too."""
    first: dict[Place, datetime] = {}
    for one in sorted(visited, key=lambda one: one.last, reverse=True):
        channel = Place(one.place.platform, one.place.workspace, one.place.channel)
        first[channel] = min(first.get(channel, one.first), one.first)
    return [Stretch(channel, max(earliest, moment - _MARGIN)) for channel, moment in first.items()]


def _by_thread(visited: Sequence[Visited], earliest: datetime) -> list[Stretch]:
    threads = sorted((one for one in visited if one.place.thread), key=lambda one: one.last, reverse=True)
    return [Stretch(one.place, max(earliest, one.first)) for one in threads]


def _place(name: str) -> Place:
    return Place(*name.split("/", 3))


def _is_of(place: Place, platform: str) -> bool:
    return place.platform == platform and bool(place.channel)
