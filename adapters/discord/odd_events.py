"""Events that discord.py cannot read: each is passed over, where the library would give up the whole connection."""

from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

import structlog

from adapters.failures import told

log = structlog.get_logger(__name__)

Read = Callable[[Any], None]  # discord.py's own annotation

_NEEDED = frozenset({"READY", "RESUMED"})
"""Without these there is no connection: one that begins so is to begin anew."""

_TEXTS = {
    "MESSAGE_CREATE": ("id", "channel_id", "content"),
    "MESSAGE_UPDATE": ("id", "channel_id", "content"),
    "INTERACTION_CREATE": ("id", "channel_id", "application_id"),
}
"""Fields that are text wherever they are there."""

_LONGEST_TOKEN = 1_000


def pass_over_odd_events(readers: MutableMapping[str, Read]) -> None:
    """Wrap what reads events, by their names, so that an event that cannot be read is a line in the log."""
    for name, read in readers.items():
        if name not in _NEEDED:
            readers[name] = partial(_read, name, read)


def _read(name: str, read: Read, data: object) -> None:
    if not _is_sound(name, data):
        log.warning("event not understood", kind=name, error="a field of another type")
        return
    try:
        read(data)
    # The boundary between the platform's data and us: nobody can say how an event that is none fails.
    except Exception as error:  # noqa: BLE001
        log.warning("event not understood", kind=name, **told(error))


def _is_sound(name: str, data: object) -> bool:
    """Say whether what discord.py hands on as it is has the type that Discord documents."""
    if not isinstance(data, dict):
        return False
    token = data.get("token", "")
    is_token = isinstance(token, str) and token.isascii() and len(token) <= _LONGEST_TOKEN
    return is_token and all(isinstance(data.get(field, ""), str) for field in _TEXTS.get(name, ()))
