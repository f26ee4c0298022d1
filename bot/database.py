"""The database in use: one writer that commits together what waits together, and any number of readers."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine, Executable, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import DatabaseDamagedError, StorageBusyError, StorageError, StorageRefusedError

_GROUP = 64
"""Changes committed together at the most: enough to share one disk flush, few enough to stay prompt."""

_READERS = 2
"""Threads that read: a query takes a fraction of a millisecond."""

Result = TypeVar("Result")
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """Something to be written as a whole: statements, and for each of them the rows it is run with.

    Changes with the very same statements are written together, each statement once with the rows of all: so statements
    are made once, and not anew for every change.

    Attributes:
        statements: run in this order.
        rows: for each statement, the parameters of each time it is run; none, and it is left out.
        counted: whether the writer needs to know how many rows the first statement touched.
    """

    statements: tuple[Executable, ...]
    rows: tuple[Rows, ...]
    counted: bool = False

    def __add__(self, other: "Change") -> "Change":
        return Change(self.statements + other.statements, self.rows + other.rows)


class _UnclearError(Exception):
    """Of several changes written together, some failed or did nothing; which ones is found by writing each alone."""


class Database:
    """SQLite in WAL mode: a commit by the writer never blocks a reader.

    SQLAlchemy runs in threads of ours, so that a group of changes, or a query with its rows, crosses from the event
    loop and back once; an asynchronous driver crosses at every step of a cursor.
    """

    def __init__(
        self, file: Path, *, synchronous: Literal["full", "normal"] = "full", busy_seconds: float = 5.0
    ) -> None:
        self._reading = _engine(file, synchronous, busy_seconds, writes=False)
        self._writing = _engine(file, synchronous, busy_seconds, writes=True)
        self._reading_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="database reader")
        self._writing_thread = ThreadPoolExecutor(1, thread_name_prefix="database writer")
        self._waiting: asyncio.Queue[tuple[Change, asyncio.Future[int]]] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the writer. The tables must be there: see `bot.database_file.upgrade`."""
        self._writer = asyncio.create_task(self._write_forever(), name="database writer")

    async def close(self) -> None:
        """Commit what waits, stop the writer and let go of the file."""
        if self._writer is not None:
            # Where the loop itself is being torn down the writer may be gone before what waits is written.
            written = asyncio.ensure_future(self._waiting.join())
            await asyncio.wait((written, self._writer), return_when=asyncio.FIRST_COMPLETED)
            written.cancel()
            self._writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer
            self._writer = None
        for threads, engine in ((self._reading_threads, self._reading), (self._writing_thread, self._writing)):
            await asyncio.to_thread(threads.shutdown)
            engine.dispose()

    async def write(self, change: Change) -> int:
        """Write a change; return, once it is committed, how many rows its first statement touched, if `counted`.

        Raises:
            StorageError: nothing of it was written.
        """
        if self._writer is None:
            raise StorageError("The database is closed.")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((change, done))
        return await done

    async def transact(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in the writer's thread as one transaction, and return what it returns once that is committed.

        For what has to be read before it is known what to write; nobody else writes in between.

        Raises:
            StorageError: nothing of it was written.
        """
        if self._writer is None:
            raise StorageError("The database is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._writing_thread, self._transact, work)

    def _transact(self, work: Callable[[Connection], Result]) -> Result:
        with _translated(), self._writing.begin() as connection:
            return work(connection)

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
        with _translated(), self._reading.connect() as connection:
            return query(connection)

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

    async def _commit(self, group: list[tuple[Change, asyncio.Future[int]]]) -> None:
        changes = [change for change, _ in group]
        try:
            touched = await asyncio.get_running_loop().run_in_executor(self._writing_thread, self._write, changes)
        # Whatever goes wrong belongs to the one who asked for the change, never to the writer.
        except _UnclearError:
            for alone in group:
                await self._commit([alone])
        except Exception as error:  # noqa: BLE001
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
        else:
            for (_, done), number in zip(group, touched, strict=True):
                if not done.done():
                    done.set_result(number)

    def _write(self, changes: Sequence[Change]) -> list[int]:
        try:
            with _translated(), self._writing.begin() as connection:
                return _run(connection, changes)
        except StorageRefusedError as error:
            if len(changes) == 1:
                raise
            raise _UnclearError from error


def _run(connection: Connection, changes: Sequence[Change]) -> list[int]:
    """Run changes; those of the same statements together, which is right since all of them wait at the same time."""
    alike: dict[tuple[Executable, ...], list[int]] = {}
    for number, change in enumerate(changes):
        alike.setdefault(change.statements, []).append(number)
    touched = [0] * len(changes)
    for statements, numbers in alike.items():
        together = [changes[number] for number in numbers]
        for at, statement in enumerate(statements):
            count = _run_with_all(connection, statement, [row for change in together for row in change.rows[at]])
            if at == 0 and together[0].counted:
                for number, one in zip(numbers, _shared(count, together), strict=True):
                    touched[number] = one
    return touched


def _shared(count: int, changes: Sequence[Change]) -> list[int]:
    """Say how many of the rows that were touched belong to each change."""
    if len(changes) == 1:
        return [count]
    wanted = [len(change.rows[0]) for change in changes]
    if count != sum(wanted):
        raise _UnclearError
    return wanted


def _run_with_all(connection: Connection, statement: Executable, rows: Rows) -> int:
    return connection.execute(statement, rows).rowcount if rows else 0


def _engine(file: Path, synchronous: str, busy_seconds: float, *, writes: bool) -> Engine:
    url = make_url("sqlite://").set(database=str(file))
    # A reader needs no transaction: each of its statements sees one moment of the database by itself.
    reading = {} if writes else {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    # What people wrote must not get into an error's text, and so into the log.
    engine = create_engine(url, connect_args={"timeout": busy_seconds}, hide_parameters=True, **reading)

    @event.listens_for(engine, "connect")
    def _set_up(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        # What is deleted is overwritten.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    if writes:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            # A writer takes the lock at once: a lock taken half-way through could not be waited for.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise _storage_error(str(error.orig)) from error
    except IntegrityError as error:
        raise StorageRefusedError(
            f"The database refuses it: {error.orig}.", "This is a defect; please report it."
        ) from error
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
    return StorageError(
        f"The database cannot be used: {reason}.", "See that the disk is there and the folder is writable."
    )
