"""Events that discord.py cannot read: each is passed over, where the library would give up the whole connection."""

import re
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

import structlog

from adapters.failures import told

log = structlog.get_logger(__name__)

Read = Callable[[Any], None]  # discord.py's own annotation

_NEEDED = frozenset({"READY", "RESUMED"})
"""Without these there is no connection: one that begins so is to begin anew."""

_ID = re.compile("[0-9]{1,19}")
_TOKEN = re.compile(r"[\w.=+:-]{1,1000}", re.ASCII)
_ANY = re.compile(".*", re.DOTALL)
_MESSAGE = {"id": _ID, "channel_id": _ID, "content": _ANY}
_FORMS = {
    "MESSAGE_CREATE": _MESSAGE,
    "MESSAGE_UPDATE": _MESSAGE,
    "INTERACTION_CREATE": {"id": _ID, "channel_id": _ID, "application_id": _ID, "token": _TOKEN},
}
"""What is text of this form wherever it is there: the way back to the asker is made of it."""


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
    wanted = _FORMS.get(name, {})
    under = data.get("message")
    has_flags = not isinstance(under, dict) or isinstance(under.get("flags", 0), int)
    return has_flags and all(_has_form(data[field], form) for field, form in wanted.items() if field in data)


def _has_form(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
