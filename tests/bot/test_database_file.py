"""The database file: upgraded with a copy, backed up, restored, refused where it must be."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bot import database_file, tables
from bot.errors import DatabaseDamagedError, DatabaseNewerError, StorageBusyError, StorageError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.sqlite3"


def _run(file: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    try:
        rows = connection.execute(sql).fetchall()
        connection.commit()
    finally:
        connection.close()
    return rows


def _at_first_migration(file: Path) -> None:
    """Make a database as the first version of Preceptor left it, with a row in it."""
    file.parent.mkdir(parents=True)
    config = Config()
    config.set_main_option("script_location", "migrations:")
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    _run(file, "INSERT INTO people VALUES ('memory:ada', 'memory', 'ada', 'Ada')")


def test_a_new_database_has_the_tables_the_code_expects(file: Path) -> None:
    assert database_file.upgrade(file) is None
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    engine.dispose()
    assert _run(file, "PRAGMA journal_mode") == [("wal",)]


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "migrations:")
    assert ScriptDirectory.from_config(config).get_current_head() == database_file.HEAD


def test_an_older_database_is_copied_before_it_is_upgraded_and_keeps_its_rows(file: Path) -> None:
    _at_first_migration(file)
    copy = database_file.upgrade(file)
    assert copy is not None
    assert database_file.revision(copy) == "0001"
    assert _run(copy, "SELECT name FROM people") == [("Ada",)]
    assert database_file.revision(file) == database_file.HEAD
    assert _run(file, "SELECT name FROM people") == [("Ada",)]


def test_a_database_up_to_date_is_left_alone(file: Path) -> None:
    database_file.upgrade(file)
    before = file.read_bytes()
    assert database_file.upgrade(file) is None
    assert file.read_bytes() == before
    assert not (file.parent / "backups").exists()


def test_a_database_from_a_newer_version_is_refused_with_a_sentence(file: Path) -> None:
    database_file.upgrade(file)
    _run(file, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseNewerError, match="newer version of Preceptor"):
        database_file.upgrade(file)


def test_a_file_that_is_no_database_is_refused_and_kept(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("These are my holiday plans, not a database at all. " * 50)
    with pytest.raises(DatabaseDamagedError, match="not a database"):
        database_file.upgrade(file)
    assert file.read_text().startswith("These are my holiday plans")


def test_somebody_elses_database_is_refused(file: Path) -> None:
    file.parent.mkdir()
    _run(file, "CREATE TABLE birds (name)")
    with pytest.raises(DatabaseDamagedError, match="not one of Preceptor's"):
        database_file.upgrade(file)


def test_a_damaged_older_database_is_not_migrated(file: Path) -> None:
    _at_first_migration(file)
    _run(file, "PRAGMA journal_mode = DELETE")
    content = bytearray(file.read_bytes())
    for page in range(2 * 4096, len(content), 4096):
        content[page : page + 200] = b"\xff" * 200
    file.write_bytes(content)
    with pytest.raises(StorageError):
        database_file.upgrade(file)
    assert file.read_bytes() == content


def test_a_backup_holds_what_the_database_held(file: Path, tmp_path: Path) -> None:
    database_file.upgrade(file)
    _run(file, "INSERT INTO people VALUES ('memory:ada', 'memory', 'ada', 'Ada')")
    database_file.backup(file, tmp_path / "copy.sqlite3")
    _run(file, "DELETE FROM people")
    assert database_file.restore(file, tmp_path / "copy.sqlite3") is not None
    assert _run(file, "SELECT name FROM people") == [("Ada",)]


def test_a_backup_does_not_overwrite(file: Path, tmp_path: Path) -> None:
    database_file.upgrade(file)
    (tmp_path / "copy.sqlite3").write_text("precious")
    with pytest.raises(StorageError, match="exists already"):
        database_file.backup(file, tmp_path / "copy.sqlite3")


def test_a_damaged_database_is_moved_aside_by_a_restore(file: Path, tmp_path: Path) -> None:
    database_file.upgrade(file)
    database_file.backup(file, tmp_path / "copy.sqlite3")
    file.write_bytes(b"ruined " * 3000)
    for rest in ("-wal", "-shm"):
        file.with_name(file.name + rest).unlink(missing_ok=True)
    aside = database_file.restore(file, tmp_path / "copy.sqlite3")
    assert aside is not None
    assert aside.read_bytes() == b"ruined " * 3000
    assert database_file.revision(file) == database_file.HEAD
    assert _run(file, "PRAGMA journal_mode") == [("wal",)]


def test_a_restore_where_nothing_was_gives_a_database_as_a_new_one_is(file: Path, tmp_path: Path) -> None:
    database_file.upgrade(file)
    database_file.backup(file, tmp_path / "copy.sqlite3")
    elsewhere = tmp_path / "elsewhere" / "bot.sqlite3"
    assert database_file.restore(elsewhere, tmp_path / "copy.sqlite3") is None
    assert _run(elsewhere, "PRAGMA journal_mode") == [("wal",)]


def test_a_damaged_backup_is_not_restored(file: Path, tmp_path: Path) -> None:
    database_file.upgrade(file)
    before = file.read_bytes()
    (tmp_path / "copy.sqlite3").write_bytes(before[:5000])
    with pytest.raises(DatabaseDamagedError):
        database_file.restore(file, tmp_path / "copy.sqlite3")
    assert file.read_bytes() == before


def test_a_restore_waits_for_no_running_writer(file: Path, tmp_path: Path) -> None:
    database_file.upgrade(file)
    database_file.backup(file, tmp_path / "copy.sqlite3")
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StorageBusyError, match="in use by another process"):
            database_file.restore(file, tmp_path / "copy.sqlite3")
    finally:
        writer.close()


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        database_file.upgrade(tmp_path / "data" / "bot.sqlite3")


_KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from bot.database_file import upgrade

left = int(sys.argv[2])

@event.listens_for(Engine, "after_cursor_execute")
def _kill(connection, cursor, statement, *rest):
    global left
    left -= statement.lstrip().upper().startswith(("CREATE", "UPDATE", "INSERT", "DELETE"))
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

upgrade(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("kills", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_killed_while_migrating_it_is_as_before(file: Path, kills: int) -> None:
    """SIGKILL from within, after the first, the second … statement that changes anything; then the next start."""
    for step in range(kills):
        _at_first_migration(file)
        killed = subprocess.run([sys.executable, "-c", _KILLED, str(file), str(step + 1)], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert database_file.revision(file) == "0001"
        assert _run(file, "SELECT name FROM sqlite_master WHERE name IN ('inbox', 'outbox')") == []
        database_file.upgrade(file)
        database_file.check_integrity(file)
        assert _run(file, "SELECT name FROM people") == [("Ada",)]
        file.parent.rename(file.parent.with_name(f"old{step}"))
