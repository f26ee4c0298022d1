"""What the core's tests share besides: a database in which questions are answered."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kept_questions import KeptQuestions

from bot import database_file
from bot.database import Database


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[KeptQuestions]:
    """A new database, open, with nothing in it yet."""
    file = tmp_path / "kept.sqlite3"
    database_file.upgrade(file)
    database = Database(file)
    await database.open()
    yield KeptQuestions(database)
    await database.close()
