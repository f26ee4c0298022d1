"""The database in use: one writer that commits together what waits together, and any number of readers."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

import structlog
from sqlalchemy import Connection

from bot.database_engine import Synchronous, make_engine, translated
from bot.database_removal import Identity, identity, put_back
from bot.database_writer import Change as Change
from bot.database_writer import Writer
from bot.errors import StorageError

log = structlog.get_logger(__name__)

_READERS = 2
"""Threads that read: a query takes a fraction of a millisecond."""

Result = TypeVar("Result")


class Database:
    """SQLite in WAL mode: a commit by the writer never blocks a reader.

    SQLAlchemy runs in threads of ours, so that a group of changes, or a query with its rows, crosses from the event
    loop and back once; an asynchronous driver crosses at every step of a cursor.
    """

    def __init__(self, file: Path, *, synchronous: Synchronous = "full", busy_seconds: float = 5.0) -> None:
        self._file = file
        self._busy_seconds = busy_seconds
        self._reading = make_engine(file, synchronous, busy_seconds)
        # The writer waits by itself.
        self._writing = make_engine(file, synchronous, 0.0)
        self._reading_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="database reader")
        self._writer: Writer | None = None
        self._opened: Identity | None = None

    async def open(self) -> None:
        """Start the writer. The tables must be there: see `bot.database_file.upgrade`."""
        self._writer = Writer(self._connect, self._is_moved, self._return_to_file, self._busy_seconds)

    async def close(self) -> None:
        """Commit what waits, stop the writer and let go of the file."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            await writer.stop()
        await asyncio.to_thread(self._reading_threads.shutdown)
        for engine in (self._reading, self._writing):
            engine.dispose()

    async def write(self, change: Change, *, is_urgent: bool = True) -> int:
        """Write a change; return, once it is committed, how many rows its first statement touched, if `counted`.

        Where nobody waits for it, it is not urgent, and may wait some milliseconds for others to share its commit.

        Raises:
            StorageError: nothing of it was written.
        """
        return cast("int", await self._opened_writer.do(change, is_urgent=is_urgent))

    async def transact(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in the writer's thread as a whole, and return what it returns once that is committed.

        For what has to be read before it is known what to write; nobody else writes in between. What waits beside it
        is committed with it; what `work` raises takes back its own writing alone. It must not commit.

        Raises:
            StorageError: nothing of it was written.
        """
        return cast("Result", await self._opened_writer.do(work))

    @property
    def _opened_writer(self) -> Writer:
        if self._writer is None:
            raise StorageError("The database is closed.")
        return self._writer

    async def wipe(self) -> None:
        """Write over what was deleted in the write-ahead log, too."""
        await self.read(lambda connection: connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)"))

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run `query` in a thread, on a connection for reading; return what it returns.

        Raises:
            StorageError: the database cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._reading_threads, self._read, query)

    def _read(self, query: Callable[[Connection], Result]) -> Result:
        with translated(), self._reading.connect() as connection:
            return query(connection)

    def _connect(self) -> Connection:
        connection = self._writing.connect()
        self._opened = identity(self._file)
        return connection

    def _is_moved(self) -> bool:
        """Say whether the name of the file is no longer that of the file that is written."""
        return identity(self._file) != self._opened

    def _return_to_file(self, connection: sqlite3.Connection) -> None:
        """See that there is a file of that name, with all that was written, and have everybody open it anew."""
        if identity(self._file) is None:
            put_back(connection, self._file)
            log.error("database file was removed while in use; put back", file=str(self._file))
        else:
            log.error("database file was replaced while in use; opened anew", file=str(self._file))
        self._reading.dispose()
