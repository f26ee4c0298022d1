"""Says whether all is well, from the status that the API gives."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from adapters.web.figures import counted, duration, size

_LONG_WAIT_SECONDS = 60
"""Longer than any answer may take."""

_LONG_LAG_MS = 250
"""From here on people notice that the process is held up."""

_STARTING = timedelta(minutes=2)
"""For so long after a start the event loop may lag: an index is built, models are loaded, and that is soon over."""

_LITTLE_DISK = 1_000_000_000

_RECENT = timedelta(minutes=15)

CIRCUITS: Mapping[str, str] = {
    "closed": "in order",
    "open": "left alone after failures",
    "half-open": "about to be tried again",
    "over budget": "over its budget until 00:00 UTC",
}
"""The states of a generator, in words."""


class Trouble(NamedTuple):
    """Something that is not well: in one sentence, and whether people get no answers because of it."""

    sentence: str
    is_grave: bool


def troubles(status: Mapping[str, Any], now: datetime) -> list[Trouble]:
    """Name what is not well, the gravest first.

    Args:
        status: the API's document.
        now: when it was got (UTC).
    """
    found = [
        *(_front_door(adapter) for adapter in status["adapters"] if not adapter["is_up"]),
        *_queue(status["queue"]),
        *_generators(status["generators"]),
        *_machine(status, now),
        *_cleaning(status["cleaned"]),
        *_errors(status["errors"], now),
    ]
    return sorted(found, key=lambda trouble: not trouble.is_grave)


def _front_door(adapter: Mapping[str, Any]) -> Trouble:
    reason = adapter["reason"]
    return Trouble(f"{adapter['name']} is down" + (f": {reason}" if reason else "."), is_grave=True)


def _queue(queue: Mapping[str, Any]) -> list[Trouble]:
    waited = queue["oldest_seconds"]
    if waited < _LONG_WAIT_SECONDS:
        return []
    return [Trouble(f"The oldest message has waited {duration(waited)}.", is_grave=True)]


def _generators(generators: Sequence[Mapping[str, Any]]) -> list[Trouble]:
    return [
        Trouble(f"The generator {one['name']} is {CIRCUITS.get(one['state'], one['state'])}; others answer.", False)
        for one in generators
        if one["state"] in ("open", "over budget")
    ]


def _machine(status: Mapping[str, Any], now: datetime) -> list[Trouble]:
    found = []
    is_starting = now - datetime.fromisoformat(status["running_since"]) < _STARTING
    if status["loop_lag_ms"] > _LONG_LAG_MS and not is_starting:
        found.append(Trouble(f"The event loop is held up: it lags by {status['loop_lag_ms']:,.0f} ms.", is_grave=False))
    if status["disk_free"] < _LITTLE_DISK:
        found.append(Trouble(f"The disk is nearly full: {size(status['disk_free'])} are free.", is_grave=True))
    return found


def _cleaning(cleaned: Mapping[str, Any] | None) -> list[Trouble]:
    if not cleaned or not cleaned["failed"]:
        return []
    return [Trouble(f"The last cleaning could not delete all: {', '.join(cleaned['failed'])}.", is_grave=False)]


def _errors(errors: Sequence[Mapping[str, Any]], now: datetime) -> list[Trouble]:
    recent = [
        error
        for error in errors
        if error["level"] not in ("warning", "info") and now - datetime.fromisoformat(error["at"]) < _RECENT
    ]
    if not recent:
        return []
    return [Trouble(f"{counted(len(recent), 'error')} in the last {duration(_RECENT.total_seconds())}.", False)]
