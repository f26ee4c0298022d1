"""Looks up in the database who is called in which channel when a person is wanted."""

import contextlib
import sqlite3
from pathlib import Path

from bot.messages import Place


def configured(file: Path) -> dict[Place, tuple[str, ...]]:
    """Give the people and groups of each channel that has any; nothing where that cannot be read."""
    if not file.exists():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
            rows = connection.execute("SELECT channel_id, mention FROM channel_people ORDER BY 1, 2").fetchall()
    # A database that is damaged, locked or of an earlier version is told about by its own check.
    except sqlite3.Error:
        return {}
    called: dict[Place, tuple[str, ...]] = {}
    for channel_id, mention in rows:
        place = Place(*str(channel_id).split("/", 2))
        called[place] = (*called.get(place, ()), str(mention))
    return called
