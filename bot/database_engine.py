"""Connections to the database file, set up alike, and SQLite's errors in our words."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from bot.errors import DatabaseDamagedError, StorageBusyError, StorageError, StorageRefusedError

Synchronous = Literal["full", "normal"]

_STATEMENTS = 512
"""Statements that SQLite keeps ready for each connection: more than the program has."""


def make_engine(file: Path, synchronous: Synchronous, busy_seconds: float) -> Engine:
    """Make what connects to the file. No connection begins a transaction by itself: who writes says BEGIN.

    A reader needs none: each of its statements sees one moment of the database by itself.
    """

    def _connect() -> sqlite3.Connection:
        # A file that is gone is not made anew: it would be empty.
        address = f"file:{quote(str(file))}?mode=rw"
        return sqlite3.connect(
            address, timeout=busy_seconds, check_same_thread=False, cached_statements=_STATEMENTS, uri=True
        )

    engine = create_engine(
        "sqlite://",
        creator=_connect,
        poolclass=QueuePool,
        # What people wrote must not get into an error's text, and so into the log.
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        # What is deleted is overwritten.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    return engine


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise a `StorageError` where SQLite, or SQLAlchemy on its behalf, raises one of its own."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        reason = error.orig if isinstance(error, DatabaseError) else error
        known = _in_our_words(reason)
        if known is None:
            raise
        raise known from error


def _in_our_words(reason: BaseException | None) -> StorageError | None:
    text = str(reason)
    if isinstance(reason, sqlite3.IntegrityError):
        return StorageRefusedError(f"The database refuses it: {text}.", "This is a defect; please report it.")
    if isinstance(reason, sqlite3.OperationalError):
        return _hindrance(text)
    if "malformed" in text or "not a database" in text:
        return DatabaseDamagedError(
            "The database file is damaged.", "Restore a backup: `preceptor database restore PATH`."
        )
    return None


def _hindrance(reason: str) -> StorageError:
    if "locked" in reason or "busy" in reason:
        return StorageBusyError("The database is locked by another process.", "Try again in a moment.")
    if "full" in reason:
        return StorageError("The disk is full, so nothing can be kept.", "Free some space and try again.")
    return StorageError(
        f"The database cannot be used: {reason}.", "See that the disk is there and the folder is writable."
    )
