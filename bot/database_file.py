"""The database as a file: brought up to date, copied, restored. Blocking; for start-up and the command line."""

import contextlib
import fcntl
import glob
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import DatabaseDamagedError, DatabaseNewerError, StorageBusyError, StorageError

HEAD = "0008"
"""The migration that this version of Preceptor works with: the newest in ``migrations/versions``."""

_KNOWN = ("", "0001", "0002", "0003", "0004", "0005", "0006", "0007", HEAD)
_LOCK_SECONDS = 30.0

_HEADER_BYTES = 100
"""Of a SQLite file ("Database File Format", section 1.3)."""

_PIECE_BYTES = 1 << 20

_UPGRADE_SECONDS = 600.0
"""How long a process waits while another one upgrades: a large database is copied and checked first."""

_LOOK_AGAIN_SECONDS = 0.1


def upgrade(file: Path) -> Path | None:
    """Bring the database to `HEAD`, creating it where there is none; one that is there already is not touched.

    A database with older tables is copied first, and the copy's integrity is checked. Of processes that start at the
    same time one does it, and the others wait.

    Returns:
        The copy, or None where none was needed.

    Raises:
        DatabaseNewerError: a newer version of Preceptor wrote it.
        DatabaseDamagedError: it is no database, or its integrity check fails.
        StorageBusyError: another process goes on upgrading it.
        StorageError: it cannot be read or written.
    """
    with _named(file):
        # What people told the bot is nobody else's on this machine.
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if revision(file) == HEAD:
            return None
        with _alone_in(file.parent):
            current = revision(file)
            if current == HEAD:
                return None
            copy = _copy_before_upgrade(file, current) if current else None
            _migrate(file)
            return copy


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        end = time.monotonic() + _UPGRADE_SECONDS
        while not _locked(descriptor):
            if time.monotonic() > end:
                raise StorageBusyError(f"Another process is upgrading the database in {folder}.", "Wait for its end.")
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without such locks: SQLite's own still let one process alone migrate.
        return True
    return True


def revision(file: Path) -> str:
    """Give the migration a database stands at; empty where there is no database or no table yet.

    Raises:
        DatabaseNewerError: this version of Preceptor does not know it.
        DatabaseDamagedError: the file is no database of ours.
    """
    if not file.exists() or file.stat().st_size == 0:
        return ""
    with _named(file), contextlib.closing(_connect(file)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return ""
        if "alembic_version" not in tables:
            raise DatabaseDamagedError(f"{file} is a database, but not one of Preceptor's.", "Name another file.")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    current = str(row[0]) if row else ""
    if current not in _KNOWN:
        raise DatabaseNewerError(
            f"{file} was written by a newer version of Preceptor (its tables are at {current}, we know {HEAD}).",
            "Upgrade Preceptor, or restore a backup made with this version.",
        )
    return current


def backup(file: Path, target: Path) -> None:
    """Copy the database, as of one moment, while it may be in use; the copy's integrity is checked.

    Raises:
        StorageError: there is no database, the target exists or cannot be written.
    """
    if not file.exists():
        raise StorageError(f"There is no database at {file} yet.", "Ask something first.")
    if target.exists():
        raise StorageError(f"{target} exists already.", "Name a file that does not exist.")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    with _named(target):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(_connect(file)) as source, contextlib.closing(sqlite3.connect(partial)) as copy:
                source.backup(copy, progress=_refuse_while_busy)
                # One file that can be carried away: no write-ahead log beside it.
                copy.execute("PRAGMA journal_mode = DELETE")
            check_integrity(partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def restore(file: Path, source: Path) -> Path | None:
    """Put a backup in the database's place; what was there is copied first.

    Preceptor must not be running: the database is locked while it is replaced.

    Returns:
        The copy of what was there, or None where nothing was.

    Raises:
        DatabaseNewerError, DatabaseDamagedError: the backup cannot be used; nothing was changed.
        StorageBusyError: the database is in use.
        StorageError: a file is missing or cannot be written.
    """
    if not source.exists():
        raise StorageError(f"There is no file {source}.", "Name a backup made by `preceptor database backup`.")
    check_integrity(source)
    if not revision(source):
        raise DatabaseDamagedError(f"{source} holds no tables.", "Name a backup made by `preceptor database backup`.")
    copy = _put_aside(file) if file.exists() else None
    with _named(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(_connect(source)) as old, contextlib.closing(_connect(file, 2.0)) as new:
            # SQLite's own copy keeps to its locks: whoever reads or writes meanwhile sees the old or the new, whole.
            old.backup(new, progress=_refuse_while_busy)
            new.execute("PRAGMA journal_mode = WAL")
    return copy


def _put_aside(file: Path) -> Path:
    """Copy what is to be replaced; where it is too damaged to be copied, move it."""
    try:
        return _copy_before_upgrade(file, "restore")
    except DatabaseDamagedError:
        moved = file.parent / "backups" / f"{file.stem}-damaged-{_moment()}{file.suffix}"
        moved.parent.mkdir(parents=True, exist_ok=True)
        for part in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                file.with_name(file.name + part).rename(moved.with_name(moved.name + part))
        return moved


def check_integrity(file: Path) -> None:
    """Have SQLite check every page and every foreign key of a file.

    Raises:
        DatabaseDamagedError: it found something.
    """
    with _named(file), contextlib.closing(_connect(file)) as connection:
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
    if orphan is not None:
        verdict = f"a row of {orphan[0]} belongs to nothing in {orphan[2]}"
    if verdict != "ok":
        raise DatabaseDamagedError(f"{file} is damaged: {verdict}.", "Restore a backup.")


def _refuse_while_busy(status: int, remaining: int, total: int) -> None:
    """Give up where Python's copy would try for ever."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise sqlite3.OperationalError("database is locked")


def _copy_before_upgrade(file: Path, label: str) -> Path:
    """Copy the database; where the last copy under this label holds the same, give that one.

    So a process that dies at every start, and is started again each time, does not fill the disk.
    """
    folder = file.parent / "backups"
    _remove_what_is_left_of_copies(folder)
    earlier = max(folder.glob(f"{glob.escape(file.stem)}-{label}-*{glob.escape(file.suffix)}"), default=None)
    copy = folder / f"{file.stem}-{label}-{_moment()}{file.suffix}"
    backup(file, copy)
    if earlier is None or not _hold_the_same(earlier, copy):
        return copy
    copy.unlink()
    return earlier


def _hold_the_same(one: Path, other: Path) -> bool:
    """Compare two databases to the byte, save for the headers: those count how often a file was opened for writing."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        for file in (first, second):
            file.seek(_HEADER_BYTES)
        while piece := first.read(_PIECE_BYTES):
            if piece != second.read(len(piece)):
                return False
    return True


def _remove_what_is_left_of_copies(folder: Path) -> None:
    """Remove what processes that died in the midst of a copy left of it."""
    for partial in folder.glob(".*.partial*"):
        # `backup` put the process's id there, SQLite its own ending; that of the one that died may be ours by now.
        process = partial.name.rpartition(".partial")[0].rpartition(".")[2]
        if process.isdecimal() and (int(process) == os.getpid() or not _is_alive(int(process))):
            partial.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _moment() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def _migrate(file: Path) -> None:
    """Run the migrations in one transaction: a process killed half-way leaves the database as it was."""
    # Alembic takes a third of a second to import, and is needed only here.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, event, make_url
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", "migrations:")
    engine = create_engine(
        make_url("sqlite://").set(database=str(file)),
        hide_parameters=True,
        connect_args={"timeout": _LOCK_SECONDS, "isolation_level": None},
        poolclass=NullPool,
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with contextlib.closing(_connect(file)) as plain:
        # Of a new file only: what deleting leaves free can be given back to the disk a little at a time.
        plain.execute("PRAGMA auto_vacuum = INCREMENTAL")
        plain.execute("PRAGMA journal_mode = WAL")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)


def _connect(file: Path, patience: float = _LOCK_SECONDS) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=patience)


@contextlib.contextmanager
def _named(file: Path) -> Iterator[None]:
    """Turn what the system says into our errors, which name the file."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise _storage_error(file, str(error.orig)) from error
    except sqlite3.Error as error:
        raise _storage_error(file, str(error)) from error
    except OSError as error:
        raise StorageError(
            f"{error.filename or file} cannot be used: {error.strerror}.", "data_directory sets the folder."
        ) from error


def _storage_error(file: Path, reason: str) -> StorageError:
    if "malformed" in reason or "not a database" in reason:
        return DatabaseDamagedError(f"{file} is damaged: {reason}.", "`preceptor database restore PATH` mends it.")
    if "locked" in reason:
        return StorageBusyError(f"{file} is in use by another process.", "Stop it, or try again in a moment.")
    if "full" in reason:
        return StorageError(f"The disk is full: {file} cannot be written.", "Free some space and try again.")
    return StorageError(f"{file} cannot be used: {reason}.", "data_directory sets the folder; it must be writable.")
