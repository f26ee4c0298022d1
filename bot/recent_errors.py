"""The newest warnings and errors of the log, kept in memory for admins: what, where and when, never a text."""

import logging
import re
import sys
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from types import FrameType, TracebackType
from typing import Any

import structlog

_KEPT = 100

_LEVELS = {"warning": logging.WARNING, "error": logging.ERROR, "critical": logging.CRITICAL}

_KIND = re.compile(r"[A-Za-z_][\w.]{0,79}", re.ASCII)
"""What the name of an error, or its code, looks like; a sentence is none."""

_PLACE = re.compile(r"[\w./]{1,80}:\d{1,7}( < [\w./]{1,80}:\d{1,7}){0,9}", re.ASCII)
"""What `adapters.failures.place_of` gives."""

_OF_LOGGING = ("structlog", "logging", "bot.recent_errors", "bot.logs")


@dataclass(frozen=True, slots=True)
class RecentError:
    """One line of the log, or several that say the same of the same place.

    Attributes:
        id: the same as the ``error_id`` of the newest line.
        at: when that was (ISO 8601, UTC).
        level: "warning", "error" or "critical".
        event: what it says, in the words of our own code.
        where: the place in the code: of the error that was raised where there is one, as ``bot.answering:118``.
        kind: the error's type, or its code; empty where the line tells of none.
        times: how often it was said.
    """

    id: str
    at: str
    level: str
    event: str
    where: str
    kind: str
    times: int = 1

    @property
    def said(self) -> tuple[str, ...]:
        """What two lines have in common that say the same."""
        return self.level, self.event, self.where, self.kind


class RecentErrors:
    """A processor of structlog that remembers warnings and errors, and gives each line an id to be found by.

    Values of a line's fields are not kept, but for what is an error's type or place by its look. Of other libraries'
    lines not even the words are: they may hold what people wrote.

    Args:
        most: how many that say different things are remembered; the oldest go.
    """

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._errors: dict[tuple[str, ...], RecentError] = {}
        self._lock = Lock()

    def __call__(
        self, logger: object, method: str, event_dict: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """Remember a line, where it is one to be remembered; structlog calls this."""
        level = str(event_dict.get("level", method))
        if level not in _LEVELS:
            return event_dict
        event_dict["error_id"] = uuid.uuid4().hex[:8]
        error = _read(event_dict, level)
        with self._lock:
            self._remember(error)
        return event_dict

    def _remember(self, error: RecentError) -> None:
        earlier = self._errors.pop(error.said, None)
        self._errors[error.said] = replace(error, times=earlier.times + 1) if earlier else error
        if len(self._errors) > self._most:
            del self._errors[next(iter(self._errors))]

    def newest(self) -> list[dict[str, Any]]:
        """Give what is remembered as JSON documents, newest first."""
        with self._lock:
            kept = list(self._errors.values())
        return [asdict(error) for error in reversed(kept)]


RECENT = RecentErrors()
"""Those of this process; `bot.logs.set_up` has the log told to it."""


def _read(line: Mapping[str, Any], level: str) -> RecentError:
    record: logging.LogRecord | None = line.get("_record")
    raised = _raised(line.get("exc_info"))
    return RecentError(
        id=line["error_id"],
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        level=level,
        event=str(line.get("event", "")) if record is None else f"{record.name} warned",
        where=_where(line, raised, record),
        kind=type(raised).__name__ if raised else _kind(line),
    )


def _raised(given: object) -> BaseException | None:
    """Give the error that a line was logged with, in whichever of logging's ways."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exception() if given else None


def _kind(line: Mapping[str, Any]) -> str:
    told = (line.get(name) for name in ("error", "code"))
    return next((one for one in told if isinstance(one, str) and _KIND.fullmatch(one)), "")


def _where(line: Mapping[str, Any], raised: BaseException | None, record: logging.LogRecord | None) -> str:
    if raised is not None and raised.__traceback__ is not None:
        return _innermost(raised.__traceback__)
    told = line.get("where")
    if isinstance(told, str) and _PLACE.fullmatch(told):
        return told
    if record is not None:
        return f"{record.module}:{record.lineno}"
    return _caller()


def _innermost(trace: TracebackType) -> str:
    while trace.tb_next is not None:
        trace = trace.tb_next
    return _place(trace.tb_frame, trace.tb_lineno)


def _caller() -> str:
    """Give the place that logs: the first outside of logging's own modules."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_OF_LOGGING):
        frame = frame.f_back
    return _place(frame, frame.f_lineno) if frame else ""


def _place(frame: FrameType, line: int) -> str:
    return f"{frame.f_globals.get('__name__', '?')}:{line}"
