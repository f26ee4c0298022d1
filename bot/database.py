"""The database in use: one writer that commits together what waits together, and any number of readers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import DatabaseDamagedError, StorageBusyError, StorageError

Result = TypeVar("Result")
Operation = Callable[[AsyncConnection], Awaitable[Any]]

_GROUP = 64
"""Writes committed together at the most: enough to share one disk flush, few enough to stay prompt."""


class Database:
    """SQLite in WAL mode: a commit by the writer never blocks a reader."""

    def __init__(
        self, file: Path, *, synchronous: Literal["full", "normal"] = "full", busy_seconds: float = 5.0
    ) -> None:
        self._engine = _engine(file, synchronous, busy_seconds)
        self._writing = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        self._waiting: asyncio.Queue[tuple[Operation, asyncio.Future[Any]]] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the writer. The tables must be there: see `bot.database_file.upgrade`."""
        self._writer = asyncio.create_task(self._write_forever(), name="database writer")

    async def close(self) -> None:
        """Commit what waits, stop the writer and let go of the file."""
        if self._writer is not None:
            await self._waiting.join()
            self._writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer
            self._writer = None
        await self._engine.dispose()

    async def write(self, operation: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Run `operation` in a transaction and return its result once that is committed.

        An operation may be run twice (when another one of its group fails), so it touches nothing but the connection.

        Raises:
            StorageError: nothing of it was written.
        """
        if self._writer is None:
            raise StorageError("The database is closed.")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((operation, done))
        return await done

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading.

        Raises:
            StorageError: the database cannot be read.
        """
        with _translated():
            async with self._engine.connect() as connection:
                yield connection

    async def _write_forever(self) -> None:
        while True:
            group = [await self._waiting.get()]
            while len(group) < _GROUP and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            try:
                await self._commit(group)
            finally:
                for _ in group:
                    self._waiting.task_done()

    async def _commit(self, group: list[tuple[Operation, asyncio.Future[Any]]]) -> None:
        try:
            with _translated():
                async with self._writing.begin() as connection:
                    results = [await operation(connection) for operation, _ in group]
        # Whatever an operation raises belongs to the one who asked for it, never to the writer.
        except Exception as error:  # noqa: BLE001
            await self._blame(group, error)
        else:
            for (_, done), result in zip(group, results, strict=True):
                if not done.done():
                    done.set_result(result)

    async def _blame(self, group: list[tuple[Operation, asyncio.Future[Any]]], error: Exception) -> None:
        """Tell the one operation of a group that it failed; of several, find the culprit by running each alone."""
        if len(group) > 1:
            for alone in group:
                await self._commit([alone])
        elif not group[0][1].done():
            group[0][1].set_exception(error)


def _engine(file: Path, synchronous: str, busy_seconds: float) -> AsyncEngine:
    url = make_url("sqlite+aiosqlite://").set(database=str(file))
    engine = create_async_engine(url, connect_args={"timeout": busy_seconds})

    @event.listens_for(engine.sync_engine, "connect")
    def _set_up(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: a lock taken half-way through could not be waited for.
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise _storage_error(str(error.orig)) from error
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise DatabaseDamagedError(
                "The database file is damaged.", "Restore a backup: `preceptor database restore PATH`."
            ) from error
        raise


def _storage_error(reason: str) -> StorageError:
    if "locked" in reason or "busy" in reason:
        return StorageBusyError("The database is locked by another process.", "Try again in a moment.")
    if "full" in reason:
        return StorageError("The disk is full, so nothing can be kept.", "Free some space and try again.")
    return StorageError(f"The database cannot be used: {reason}.", "`preceptor database upgrade` checks and mends it.")
