"""The database in use: grouped writes, errors to whom they belong, locks and full disks in words."""

import asyncio
import resource
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.sqlite import insert

from bot import database_file
from bot.database import Change, Database
from bot.errors import DatabaseDamagedError, StorageBusyError, StorageError, StorageRefusedError
from bot.tables import places, workspaces


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bot.sqlite3"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    database_file.upgrade(file)
    opened = Database(file, busy_seconds=0.1)
    await opened.open()
    yield opened
    await opened.close()


_INSERT = (workspaces.insert(),)
_INSERT_NEW = (insert(workspaces).on_conflict_do_nothing(),)


def _row(name: str) -> dict[str, str]:
    return {"id": name, "platform": "memory", "external_id": name}


def _workspace(name: str, *more: str) -> Change:
    return Change(_INSERT, ([_row(one) for one in (name, *more)],), counted=True)


async def _count(database: Database) -> int:
    count = select(func.count()).select_from(workspaces)
    return await database.read(lambda connection: connection.scalar(count)) or 0


async def test_writes_that_arrive_together_are_all_committed(database: Database) -> None:
    written = await asyncio.gather(*(database.write(_workspace(f"w{number}")) for number in range(200)))
    assert written == [1] * 200
    assert await _count(database) == 200


async def test_of_writes_that_arrive_together_each_is_told_what_it_did(database: Database) -> None:
    names = ["a", "b", "a", "c", "b"]
    written = await asyncio.gather(
        *(database.write(Change(_INSERT_NEW, ([_row(name)],), counted=True)) for name in names)
    )
    assert written == [1, 1, 0, 1, 0]


async def test_a_write_that_fails_takes_no_other_one_with_it(database: Database) -> None:
    names = ["a", "b", "a", "c"]
    results = await asyncio.gather(*(database.write(_workspace(name)) for name in names), return_exceptions=True)
    assert [result for result in results if result == 1] == [1, 1, 1]
    assert [type(result) for result in results if result != 1] == [StorageRefusedError]
    assert await _count(database) == 3


async def test_a_locked_database_is_said_to_be_locked_and_works_again_after(database: Database, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageBusyError, match="locked by another process"):
        await database.write(_workspace("a"))
    other.close()
    assert await database.write(_workspace("a")) == 1


async def test_a_lock_is_waited_for_once_by_all_who_wait(database: Database, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    results = await asyncio.gather(*(database.write(_workspace(f"w{n}")) for n in range(50)), return_exceptions=True)
    other.close()
    assert {type(result) for result in results} == {StorageBusyError}
    assert time.monotonic() - started < 50 * 0.1


async def test_readers_go_on_while_somebody_writes(database: Database, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await _count(database) == 0
    other.close()


async def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_written(database: Database) -> None:
    await database.write(Change((text("PRAGMA max_page_count = 1"),), ([{}],)))
    with pytest.raises(StorageError, match="disk is full"):
        await database.write(_workspace(*(f"{number}" * 50 for number in range(1000))))
    assert await _count(database) == 0


async def test_what_was_to_be_written_is_in_no_error(database: Database) -> None:
    await database.write(_workspace("a"))
    with pytest.raises(StorageError) as raised:
        await database.write(Change(_INSERT, ([_row("a") | {"platform": "my secret"}],)))
    chain = (raised.value, raised.value.__cause__)
    assert not any("my secret" in f"{error!r}{error}" for error in chain)


async def test_foreign_keys_hold(database: Database) -> None:
    nowhere = {"id": "p", "workspace_id": "nowhere", "channel": "", "thread": ""}
    with pytest.raises(StorageError, match="FOREIGN KEY"):
        await database.write(Change((places.insert(),), ([nowhere],)))


async def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite3").write_text("no database " * 100)
    database = Database(tmp_path / "bot.sqlite3")
    with pytest.raises(DatabaseDamagedError, match="Restore a backup"):
        await _count(database)
    await database.close()


async def test_a_write_after_close_is_refused(database: Database) -> None:
    await database.close()
    with pytest.raises(StorageError, match="closed"):
        await database.write(_workspace("a"))


async def test_a_transaction_reads_what_it_wrote_and_returns_what_it_found(database: Database) -> None:
    def _work(connection: Connection) -> int:
        connection.execute(workspaces.insert(), _row("a"))
        return connection.scalar(select(func.count()).select_from(workspaces)) or 0

    assert await database.transact(_work) == 1
    assert await _count(database) == 1


async def test_a_transaction_that_fails_takes_nothing_beside_it_with_it(database: Database) -> None:
    def _work(connection: Connection, name: str) -> None:
        connection.execute(workspaces.insert(), _row(name))
        if name == "bad":
            raise ValueError(name)

    names = ["a", "bad", "b"]
    both = [database.transact(lambda connection, name=name: _work(connection, name)) for name in names]
    results = await asyncio.gather(*both, database.write(_workspace("c")), return_exceptions=True)
    assert [repr(result) for result in results] == ["None", "ValueError('bad')", "None", "1"]
    assert await _count(database) == 3


async def test_transactions_that_wait_together_share_few_commits(database: Database, file: Path) -> None:
    async def _write(number: int) -> None:
        await database.transact(lambda connection: connection.execute(workspaces.insert(), _row(f"w{number}")))

    with closing(sqlite3.connect(file)) as other:
        version = "PRAGMA data_version"
        seen = {other.execute(version).fetchone()}
        writing = asyncio.gather(*(_write(number) for number in range(100)))
        while not writing.done():
            seen.add(other.execute(version).fetchone())
            await asyncio.sleep(0)
        await writing
    assert len(seen) <= 4
    assert await _count(database) == 100


async def test_what_is_not_urgent_is_written_all_the_same(database: Database) -> None:
    assert await database.write(_workspace("a"), is_urgent=False) == 1
    assert await _count(database) == 1


async def test_what_waits_is_written_before_the_end(file: Path) -> None:
    database_file.upgrade(file)
    database = Database(file)
    await database.open()
    writing = [asyncio.ensure_future(database.write(_workspace(f"w{number}"))) for number in range(200)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writing) == [1] * 200


async def test_a_lock_that_is_let_go_is_taken_within_milliseconds(file: Path) -> None:
    database_file.upgrade(file)
    database = Database(file, busy_seconds=20)
    await database.open()
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(database.write(_workspace("a")))
        await asyncio.wait({writing}, timeout=0.5)
        assert not writing.done()
        other.execute("COMMIT")
        started = time.monotonic()
        assert await writing == 1
        assert time.monotonic() - started < 0.5
    await database.close()


async def test_two_databases_on_one_file_write_in_turns(file: Path) -> None:
    database_file.upgrade(file)
    two = [Database(file, busy_seconds=20) for _ in range(2)]
    for database in two:
        await database.open()

    async def _write_many(database: Database, whose: int) -> list[int]:
        return [await database.write(_workspace(f"{whose}/{number}")) for number in range(100)]

    written = await asyncio.gather(*(_write_many(database, whose) for whose, database in enumerate(two)))
    assert written == [[1] * 100] * 2
    assert await _count(two[0]) == 200
    for database in two:
        await database.close()


@contextmanager
def _no_file_longer_than(size: int) -> Iterator[None]:
    """What the system does to us where the disk is full: writing more of a file fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signalled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, signalled)


async def test_after_a_disk_was_full_everything_goes_on(database: Database, file: Path) -> None:
    await database.write(_workspace("a"))
    much = _workspace(*(f"{number}" * 50 for number in range(10_000)))
    with _no_file_longer_than(file.stat().st_size), pytest.raises(StorageError):
        await database.write(much)
    assert await database.write(much) == 10_000
    assert await _count(database) == 10_001


async def test_what_may_not_be_written_can_still_be_read(file: Path) -> None:
    database_file.upgrade(file)
    database = Database(file)
    await database.open()
    await database.write(_workspace("a"))
    await database.transact(lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
    with pytest.raises(StorageError, match="readonly database"):
        await database.write(_workspace("b"))
    assert await _count(database) == 1
    await database.close()


def _remove(file: Path) -> None:
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)


@pytest.mark.parametrize("with_its_log", [True, False])
async def test_a_file_that_is_removed_while_in_use_is_put_back_with_all_that_was_written(
    file: Path, with_its_log: bool
) -> None:
    database_file.upgrade(file)
    database = Database(file)
    await database.open()
    await database.write(_workspace("before"))
    assert await _count(database) == 1
    if with_its_log:
        _remove(file)
    else:
        file.unlink()
    assert await database.write(_workspace("after")) == 1
    assert await _count(database) == 2
    await database.close()
    with closing(sqlite3.connect(file)) as again:
        assert again.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert again.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert again.execute("SELECT count(*) FROM workspaces").fetchone() == (2,)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


async def test_a_file_that_is_removed_before_the_end_is_put_back_at_the_end(file: Path) -> None:
    database_file.upgrade(file)
    database = Database(file)
    await database.open()
    await database.write(_workspace("before"))
    _remove(file)
    await database.close()
    with closing(sqlite3.connect(file)) as again:
        assert again.execute("SELECT id FROM workspaces").fetchall() == [("before",)]


async def test_of_two_that_write_a_removed_file_neither_loses_anything(file: Path) -> None:
    database_file.upgrade(file)
    two = [Database(file, busy_seconds=20) for _ in range(2)]
    for whose, database in enumerate(two):
        await database.open()
        await database.write(_workspace(f"before/{whose}"))

    async def _write_many(database: Database, whose: int) -> None:
        for number in range(40):
            await database.write(_workspace(f"{whose}/{number}"))

    writing = asyncio.gather(*(_write_many(database, whose) for whose, database in enumerate(two)))
    await asyncio.sleep(0.02)
    _remove(file)
    await writing
    for database in two:
        assert await _count(database) == 82
        await database.close()
    with closing(sqlite3.connect(file)) as again:
        assert again.execute("SELECT count(*) FROM workspaces").fetchone() == (82,)


async def test_nothing_is_acknowledged_while_a_removed_file_cannot_be_put_back(file: Path) -> None:
    database_file.upgrade(file)
    database = Database(file)
    await database.open()
    await database.write(_workspace("before"))
    _remove(file)
    file.parent.rename(file.parent.with_name("elsewhere"))
    file.parent.write_text("a file where the folder was")
    with pytest.raises(StorageError, match="removed while in use"):
        await database.write(_workspace("refused"))
    file.parent.unlink()
    assert await database.write(_workspace("after")) == 1
    assert await _count(database) == 2
    await database.close()


async def test_where_another_file_has_the_name_that_one_is_written(file: Path, tmp_path: Path) -> None:
    database_file.upgrade(file)
    database = Database(file)
    await database.open()
    await database.write(_workspace("before"))
    other = tmp_path / "other.sqlite3"
    database_file.upgrade(other)
    _remove(file)
    other.rename(file)
    await database.write(_workspace("after"))
    assert await database.read(lambda connection: connection.scalars(select(workspaces.c.id)).all()) == ["after"]
    await database.close()


async def test_what_one_work_does_wrong_is_said_to_it_alone(database: Database) -> None:
    def _defect(connection: Connection) -> NoReturn:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        await database.transact(_defect)
    assert await database.write(_workspace("a")) == 1


async def test_a_folder_that_cannot_be_looked_at_does_not_keep_the_writer_from_ending_well(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    database_file.upgrade(folder / "preceptor.sqlite")
    database = Database(folder / "preceptor.sqlite")
    await database.open()
    await database.transact(lambda connection: None)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(folder)
    await database.close()
    folder.unlink()
    (tmp_path / "elsewhere").rename(folder)
    assert database_file.revision(folder / "preceptor.sqlite") == database_file.HEAD
