"""Counts warnings and errors of the log by where they come from; nothing of what they say is looked at."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Literal

Level = Literal["warning", "error"]
Room = Literal["bot", "adapters", "knowledge", "models", "libraries"]
"""A room of this program, or somebody else's library."""

_ROOMS: dict[str, Room] = {"bot": "bot", "adapters": "adapters", "knowledge": "knowledge", "models": "models"}


class _Counting(logging.Handler):
    def __init__(self, tell: Callable[[Level, Room], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        room = _ROOMS.get(record.name.partition(".")[0], "libraries")
        self._tell("error" if record.levelno >= logging.ERROR else "warning", room)


@contextlib.contextmanager
def counted(tell: Callable[[Level, Room], None]) -> Iterator[None]:
    """Tell level and room of every warning and error, for the while of the body."""
    handler, root = _Counting(tell), logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
