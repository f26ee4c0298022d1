"""A database file that is removed while it is in use: noticed before anything more is written, and put back.

SQLite goes on writing into a file that has no name any more, and all of it is gone when the last process closes it.
As long as one has it open, nothing is lost yet.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bot.errors import StorageError

Identity = tuple[int, int]
"""Device and inode."""


def identity(file: Path) -> Identity | None:
    """Say which file has this name; None where none has.

    Raises:
        StorageError: that cannot be known.
    """
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(
            f"The database file {file} cannot be looked at: {error}.", "See that it is there."
        ) from error
    return found.st_dev, found.st_ino


def put_back(connection: sqlite3.Connection, file: Path) -> None:
    """Give what `connection` still holds its name back, unless another process has done so meanwhile.

    Nobody may write into the nameless file any more: all writers see that it is nameless once they have its lock.

    Raises:
        StorageError: it cannot be put back; the connection still holds all of it, as long as it is open.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(file.parent):
            if not file.exists():
                _write_anew(connection, file)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"The database file {file} was removed while in use, and cannot be put back: {error}.",
            "Keep Preceptor running and see that the folder is there, writable and has room: it is tried again.",
        ) from error


def _write_anew(connection: sqlite3.Connection, file: Path) -> None:
    copy = file.with_name(f"{file.name}.put-back")
    try:
        copy.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(copy)) as target:
            connection.backup(target)
            # One file, whole, before it has its name; in use it has a log beside it again.
            target.execute("PRAGMA journal_mode = DELETE")
        # What is left of the nameless file's log would be taken for the new one's.
        for rest in ("-wal", "-shm"):
            file.with_name(file.name + rest).unlink(missing_ok=True)
        copy.replace(file)
    finally:
        copy.unlink(missing_ok=True)
    _put_into_wal_mode(file)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _put_into_wal_mode(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
