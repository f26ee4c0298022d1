"""Examines the front doors as such: which are open, whether they are installed, when somebody last came in."""

import contextlib
import sqlite3
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from bot.application import front_doors
from bot.examination.findings import Examined, Finding

_NAME = "front doors"
_ADAPTERS = "preceptor.adapters"


def examine(examined: Examined) -> Iterator[Finding]:
    """Look at what is switched on; each door's own checks are its own."""
    doors = front_doors(examined.settings)
    if not doors:
        fix = "Set http.enabled, discord.enabled or slack.enabled to true."
        yield Finding(_NAME, "failed", "None is switched on: `preceptor run` would not start.", fix)
        return
    missing = [door for door in doors if not entry_points(group=_ADAPTERS, name=door)]
    if missing:
        said = f"Switched on, but not installed: {', '.join(missing)}."
        yield Finding(_NAME, "failed", said, "Install Preceptor anew: `make run`.")
        return
    yield Finding(_NAME, "ok", f"Switched on: {', '.join(doors)}.")
    latest = _latest(examined.settings.database_file)
    for door in (door for door in doors if not getattr(examined.settings, door).through):
        yield _of_arrivals(door, latest.get(door, ""))


def _latest(file: Path) -> dict[str, str]:
    """Give the moment (UTC) at which each platform's last message was accepted; nothing where that can't be read."""
    if not file.exists():
        return {}
    # A database that is damaged, locked or of an earlier version is told about by its own check.
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=1)) as connection,
    ):
        return dict(connection.execute("SELECT platform, max(received_at) FROM inbox GROUP BY platform").fetchall())
    return {}


def _of_arrivals(door: str, latest: str) -> Finding:
    name = f"{door}: arrivals"
    if latest:
        return Finding(name, "ok", f"The last message came in at {latest[:16]} UTC.")
    return Finding(name, "ok", "No message came in this way so far.")
