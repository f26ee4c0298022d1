"""The one thread that writes: what waits together is committed together, and what fails, fails alone."""

import asyncio
import contextlib
import queue
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Executable

from bot.database_engine import translated
from bot.errors import StorageError
from bot.prepared import Rows, driver, run

_GROUP = 64
"""What is committed together at the most: enough to share one disk flush, few enough to stay prompt."""

_PATIENCE = 0.005
"""Seconds that what nobody waits for is kept for others to share its commit."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.0002, 0.002
"""Seconds between two tries to take the lock that another process holds for some milliseconds most often; SQLite
itself would sleep up to 100 ms."""


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


Work = Callable[[Connection], Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be done in a transaction, and who waits for its result."""

    task: Change | Work
    done: "asyncio.Future[Any]"
    is_urgent: bool = True


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


class _UnclearError(Exception):
    """Of several changes written together, some did nothing; which ones is found by writing each alone."""


class Writer:
    """Runs changes and works in a thread of its own, each as a whole or not at all.

    Args:
        connect: gives a connection that writes; called in the thread.
        is_moved: says whether the file lost its name, or another one has it; asked when the lock is held.
        return_to_file: sees that there is one again, given the connection that still holds the old one.
        busy_seconds: how long the lock of another process is waited for.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        is_moved: Callable[[], bool],
        return_to_file: Callable[[sqlite3.Connection], None],
        busy_seconds: float,
    ) -> None:
        self._connect = connect
        self._is_moved = is_moved
        self._return_to_file = return_to_file
        self._busy_seconds = busy_seconds
        self._waiting: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="database writer", daemon=True)
        self._thread.start()

    async def do(self, task: Change | Work, *, is_urgent: bool = True) -> Any:  # noqa: ANN401 - whatever it returns
        """Give what a work returns, or how many rows a change touched, once it is committed.

        What is not urgent waits some milliseconds for others to share its commit.
        """
        asked = _Asked(task, self._loop.create_future(), is_urgent)
        self._waiting.put(asked)
        return await asked.done

    async def stop(self) -> None:
        """Commit what waits, and end the thread."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while group := self._next_group():
            outcomes = self._outcomes(group)
            # The loop may be closed where nobody waited for the end.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_tell, group, outcomes)
        self._leave()

    def _leave(self) -> None:
        """Let go of the file; one that lost its name would be gone for good."""
        with contextlib.suppress(StorageError, sqlite3.Error):
            if self._connection is not None and self._is_moved():
                self._return()
        self._disconnect()

    def _next_group(self) -> list[_Asked]:
        """Wait for something to do, and take what waits beside it; nothing at the end."""
        asked = self._waiting.get()
        group: list[_Asked] = []
        until = time.monotonic() + _PATIENCE
        while asked is not None:
            group.append(asked)
            is_waited_for = any(one.is_urgent for one in group)
            if len(group) == _GROUP:
                return group
            try:
                asked = self._waiting.get(timeout=0 if is_waited_for else max(until - time.monotonic(), 0))
            except queue.Empty:
                return group
        if group:
            # The end is found again when these are done.
            self._waiting.put(None)
        return group

    def _outcomes(self, group: Sequence[_Asked]) -> list[Any]:
        try:
            with translated():
                return self._committed([asked.task for asked in group])
        # Whatever goes wrong belongs to those who asked for it, never to the writer.
        except Exception as error:  # noqa: BLE001
            self._roll_back()
            return [_Failure(error)] * len(group)

    def _committed(self, tasks: Sequence[Change | Work]) -> list[Any]:
        connection = self._begun()
        outcomes = _Transaction(connection).outcomes(tasks)
        driver(connection).execute("COMMIT")
        return outcomes

    def _begun(self) -> Connection:
        """Begin a transaction in the file that has the name, whatever became of the one that had it."""
        for _ in range(2):
            if self._connection is None:
                self._connection = self._connect()
            self._begin(driver(self._connection))
            if not self._is_moved():
                return self._connection
            self._return()
        raise StorageError("The database file is being moved about.", "Let it be where it is.")

    def _return(self) -> None:
        """Leave the nameless file, once all that it holds has a name again."""
        if self._connection is not None:
            self._roll_back()
            self._return_to_file(driver(self._connection))
        self._disconnect()

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Take the lock for writing at once: one that is taken half-way through could not be waited for."""
        until, pause = time.monotonic() + self._busy_seconds, _FIRST_PAUSE
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
            else:
                return
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - that two do not keep step
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _roll_back(self) -> None:
        if self._connection is None:
            return
        try:
            connection = driver(self._connection)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


class _Transaction:
    """Runs what was asked in one transaction that has begun; what fails is taken back alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sqlite = driver(connection)

    def outcomes(self, tasks: Sequence[Change | Work]) -> list[Any]:
        if len(tasks) == 1:
            return [self._done(tasks[0])]
        outcomes: dict[int, Any] = {}
        changes = {at: task for at, task in enumerate(tasks) if isinstance(task, Change)}
        together = self._by_itself(partial(_run_all, self._connection, list(changes.values()))) if changes else []
        if isinstance(together, _Failure):
            outcomes |= {at: self._by_itself(partial(self._done, change)) for at, change in changes.items()}
        else:
            outcomes |= zip(changes, together, strict=True)
        for at, task in enumerate(tasks):
            if at not in outcomes:
                outcomes[at] = self._by_itself(partial(self._done, task))
        return [outcomes[at] for at in range(len(tasks))]

    def _done(self, task: Change | Work) -> Any:  # noqa: ANN401 - whatever it returns
        return _run_all(self._connection, [task])[0] if isinstance(task, Change) else task(self._connection)

    def _by_itself(self, act: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it returns, or a _Failure
        self._sqlite.execute("SAVEPOINT one")
        try:
            with translated():
                result = act()
        # Whatever it is, it is nothing to the others.
        except Exception as error:
            if not self._sqlite.in_transaction:
                # SQLite took everything back (the disk is full): it is no longer theirs alone.
                raise
            self._sqlite.execute("ROLLBACK TO one")
            result = _Failure(error)
        self._sqlite.execute("RELEASE one")
        return result


def _tell(group: Sequence[_Asked], outcomes: Sequence[Any]) -> None:
    for asked, outcome in zip(group, outcomes, strict=True):
        if asked.done.done():
            continue
        if isinstance(outcome, _Failure):
            asked.done.set_exception(outcome.error)
        else:
            asked.done.set_result(outcome)


def _run_all(connection: Connection, changes: Sequence[Change]) -> list[int]:
    """Run changes; those of the same statements together, which is right since all of them wait at the same time."""
    alike: dict[tuple[Executable, ...], list[int]] = {}
    for number, change in enumerate(changes):
        alike.setdefault(change.statements, []).append(number)
    touched = [0] * len(changes)
    for statements, numbers in alike.items():
        together = [changes[number] for number in numbers]
        for at, statement in enumerate(statements):
            count = run(connection, statement, [row for change in together for row in change.rows[at]])
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
