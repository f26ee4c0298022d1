"""Examines whether replies reach people: what was given up, and what waits though nobody is there to answer it."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from bot import database_file
from bot.examination.findings import Examined, Finding
from bot.leases import LONGEST_LEASE

_GIVEN_UP = (
    "SELECT count(*) FROM undelivered JOIN inbox ON inbox.key = undelivered.inbox_key"
    " WHERE inbox.outcome = 'undelivered' AND inbox.payload IS NOT NULL"
)
_WAITING = (
    "SELECT count(*) FROM inbox"
    " WHERE is_open AND claimed_by NOT IN (SELECT id FROM processes WHERE leased_until BETWEEN ? AND ?)"
)


def examine(examined: Examined) -> Iterator[Finding]:
    """Look at the outbox and the inbox; a database of another version says nothing here, nor does a damaged one."""
    file: Path = examined.settings.database_file
    if not file.is_file():
        return
    # What is wrong with the database itself is another examination's.
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_reader(file)) as connection:
        if connection.execute("SELECT version_num FROM alembic_version").fetchone() != (database_file.HEAD,):
            return
        ((given_up,),) = connection.execute(_GIVEN_UP)
        now = monotonic()
        ((waiting,),) = connection.execute(_WAITING, (now, now + LONGEST_LEASE))
        yield _of_given_up(given_up)
        if waiting:
            said = f"{waiting:,} accepted messages wait, and no process answers them."
            yield Finding("messages", "warning", said, "Start Preceptor (`preceptor run`): it answers them first.")


def _reader(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)


def _of_given_up(number: int) -> Finding:
    if not number:
        return Finding("delivery", "ok", "No reply waits that could not be delivered.")
    return Finding(
        "delivery",
        "warning",
        f"{number:,} {'reply' if number == 1 else 'replies'} could not be delivered.",
        "`preceptor delivery list` says which and why; `preceptor delivery retry` has them tried again.",
    )
