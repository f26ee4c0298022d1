"""The database in use: grouped writes, errors to whom they belong, locks and full disks in words."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
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
