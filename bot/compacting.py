"""Makes the database file as small as it can be, and able to give back room by itself from then on."""

import contextlib
import sqlite3
from pathlib import Path

from bot.errors import StorageBusyError, StorageError

_LOCK_SECONDS = 30.0


def compact(file: Path) -> int:
    """Write a database anew, without the gaps that deleting left; say how many bytes that saved.

    It takes as much room again on the disk, and nobody else can write meanwhile. Blocking; for the command line.

    Raises:
        StorageBusyError: somebody else uses it all the time.
        StorageError: there is no room, or it cannot be written.
    """
    before = file.stat().st_size
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=_LOCK_SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            # Takes effect where the file is written anew.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StorageBusyError(f"{file} is in use by another process.", "Stop it, or try again.") from error
        raise StorageError(f"{file} cannot be written anew: {error}.", "See that there is room on the disk.") from error
    return before - file.stat().st_size
