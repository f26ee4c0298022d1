"""The database in use: grouped writes, errors to whom they belong, locks and full disks in words."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import database_file
from bot.database import Database
from bot.errors import DatabaseDamagedError, StorageBusyError, StorageError
from bot.tables import workspaces


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


async def _insert(connection: AsyncConnection, name: str) -> str:
    await connection.execute(workspaces.insert().values(id=name, platform="memory", external_id=name))
    return name


async def _count(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(workspaces)) or 0


async def test_writes_that_arrive_together_are_all_committed(database: Database) -> None:
    names = [f"w{number}" for number in range(200)]
    written = await asyncio.gather(*(database.write(lambda c, n=name: _insert(c, n)) for name in names))
    assert written == names
    assert await _count(database) == 200


async def test_a_write_that_fails_takes_no_other_one_with_it(database: Database) -> None:
    names = ["a", "b", "a", "c"]
    results = await asyncio.gather(
        *(database.write(lambda c, n=name: _insert(c, n)) for name in names), return_exceptions=True
    )
    assert [r for r in results if isinstance(r, str)] == ["a", "b", "c"]
    assert [type(r) for r in results if not isinstance(r, str)] == [IntegrityError]
    assert await _count(database) == 3


async def test_a_locked_database_is_said_to_be_locked_and_works_again_after(database: Database, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageBusyError, match="locked by another process"):
        await database.write(lambda c: _insert(c, "a"))
    other.close()
    assert await database.write(lambda c: _insert(c, "a")) == "a"


async def test_readers_go_on_while_somebody_writes(database: Database, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await _count(database) == 0
    other.close()


async def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_written(database: Database) -> None:
    async def _fill(connection: AsyncConnection) -> None:
        pages = await connection.scalar(text("PRAGMA page_count"))
        await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        for number in range(1000):
            await _insert(connection, f"{number}" * 50)

    with pytest.raises(StorageError, match="disk is full"):
        await database.write(_fill)
    assert await _count(database) == 0


async def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await database.write(lambda c: c.execute(text("INSERT INTO places VALUES ('p', 'nowhere', '', '')")))


async def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite3").write_text("no database " * 100)
    database = Database(tmp_path / "bot.sqlite3")
    with pytest.raises(DatabaseDamagedError, match="Restore a backup"):
        await _count(database)
    await database.close()


async def test_a_write_after_close_is_refused(database: Database) -> None:
    await database.close()
    with pytest.raises(StorageError, match="closed"):
        await database.write(lambda c: _insert(c, "a"))
