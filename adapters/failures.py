"""What a log line says of an error: its kind and its place, never its words, for people may have written them."""

import traceback
from pathlib import Path

_FRAMES = 4


def place_of(error: BaseException) -> str:
    """Say where an error was raised, the innermost place first: ``events.py:62 < events.py:43``."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def told(error: BaseException) -> dict[str, str]:
    """Give the fields of a log line."""
    return {"error": type(error).__name__, "where": place_of(error)}
