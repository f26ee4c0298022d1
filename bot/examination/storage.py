"""Examines where things are kept: the data folder, the disk it is on, the database in it."""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bot import database_file
from bot.access_rules import checked
from bot.errors import StorageError
from bot.examination.findings import Examined, Finding

_MEGABYTE = 1_000_000
_LITTLE = 200 * _MEGABYTE
_TOO_LITTLE = 10 * _MEGABYTE
"""Below this, the next message or the next backup may be the one that no longer fits."""


def examine(examined: Examined) -> Iterator[Finding]:
    """Look at the folder, the disk and the database; nothing that is there is changed, nothing is created."""
    settings = examined.settings
    folder: Path = settings.data_directory
    kept = _folder(folder)
    yield kept
    with contextlib.suppress(OSError):
        usage = shutil.disk_usage(_nearest(folder))
        # Where the whole is nothing it is no disk (/proc), and the folder's own finding says so.
        if usage.total:
            yield of_free_space(folder, usage.free)
    if kept.verdict == "ok" or _is_there(settings.database_file):
        yield from _database(settings.database_file, settings.database.busy_seconds)


def _folder(folder: Path) -> Finding:
    nearest = _nearest(folder)
    try:
        # Gone again when it is closed: the only way to know is to try.
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        return Finding(
            "data folder",
            "failed",
            f"Nothing can be kept in {folder}: {nearest} cannot be written ({reason}).",
            "Set data_directory to a folder that this user may write, or give this user the right to.",
        )
    later = "" if nearest == folder else " It is made at the first start."
    return Finding("data folder", "ok", f"{folder} can be written.{later}")


def _nearest(folder: Path) -> Path:
    """Give the folder, or what is there of the way to it."""
    return next(path for path in (folder, *folder.parents) if path.exists() or path == path.parent)


def of_free_space(folder: Path, free: int) -> Finding:
    """Judge the bytes that are free on the disk of the data folder."""
    said = f"{free / _MEGABYTE:,.0f} MB are free on the disk of {folder}."
    if free >= _LITTLE:
        return Finding("disk", "ok", said)
    fix = "Free some space, or set data_directory to a folder on another disk."
    return Finding("disk", "failed" if free < _TOO_LITTLE else "warning", said, fix)


def _database(file: Path, patience: float) -> Iterator[Finding]:
    if not _is_there(file):
        yield Finding("database", "ok", f"There is none at {file} yet; the first start makes it.")
        return
    try:
        _take_turn_to_write(file, patience)
        revision = database_file.revision(file)
        yield _of_revision(file, revision)
        if revision == database_file.HEAD:
            yield from _unreadable_rules(file)
        database_file.check_integrity(file)
    except StorageError as error:
        yield Finding("database", "failed", error.sentence, error.fix)
    else:
        yield Finding("database: integrity", "ok", "SQLite finds every page and every reference in order.")


def _is_there(file: Path) -> bool:
    with contextlib.suppress(OSError):
        return file.stat().st_size > 0
    return False


def _take_turn_to_write(file: Path, patience: float) -> None:
    """Take the lock that a message's commit takes, and let go of it; raises StorageError."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=patience, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StorageError(
                f"Another process holds {file} locked, for longer than the {patience:g} s a message waits for it.",
                "End that process: a second Preceptor, a backup program or an open database browser.",
            ) from error
        raise StorageError(
            f"{file} cannot be opened for writing: {error}.",
            "Give this user the right to write the file and its folder.",
        ) from error
    except sqlite3.DatabaseError:
        # No database at all: the checks that follow say so in their own words.
        return


def _unreadable_rules(file: Path) -> Iterator[Finding]:
    query = "SELECT effect, who, place, command, id FROM access_rules ORDER BY id"
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(query).fetchall()
    except sqlite3.DatabaseError:
        # The check of integrity says what is wrong.
        return
    for row in rows:
        try:
            checked(*row)
        except ValueError:
            yield Finding(
                "access",
                "failed",
                f"Rule {row[-1]} cannot be read, so that all but admins are denied everything.",
                f"Take it back: `preceptor access remove {row[-1]}`; then make it anew.",
            )


def _of_revision(file: Path, revision: str) -> Finding:
    if revision == database_file.HEAD:
        return Finding("database", "ok", f"{file} is up to date ({revision}).")
    at = f"its tables are at {revision}" if revision else "it holds no tables"
    return Finding(
        "database", "ok", f"{file}: {at}; the next start brings it to {database_file.HEAD}, after a copy where needed."
    )
