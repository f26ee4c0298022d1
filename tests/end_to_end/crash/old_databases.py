"""Databases as earlier versions of Preceptor left them: made new with rows in them, or taken back from this one's."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from bot import database_file

OLD_REVISIONS = ("0003", "0004", "0005", "0006", "0007")
"""Migrations to which a database can be taken back."""

_PEOPLE = 200


@contextlib.contextmanager
def _alembic(file: Path) -> Iterator[Config]:
    config = Config()
    config.set_main_option("script_location", "migrations:")
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        yield config
    engine.dispose()


def take_back(file: Path, revision: str) -> None:
    """Give a database the tables of an earlier version; what is in them stays, open messages too; older ones stay."""
    if database_file.revision(file) <= revision:
        return
    with _alembic(file) as config:
        command.downgrade(config, revision)


def make_old(file: Path, revision: str) -> None:
    """Make a database of an earlier version, with people, and where it had one an inbox with messages in it."""
    file.parent.mkdir(parents=True)
    with _alembic(file) as config:
        command.upgrade(config, revision)
    with closing(sqlite3.connect(file)) as connection:
        people = [(f"discord:{number}", "discord", str(number), f"Ada {number}") for number in range(_PEOPLE)]
        connection.executemany("INSERT INTO people (id, platform, external_id, name) VALUES (?, ?, ?, ?)", people)
        if revision >= "0002":
            messages = [(f"discord/{number}", "discord", f"discord:{number}") for number in range(_PEOPLE)]
            connection.executemany(
                "INSERT INTO inbox (key, platform, person_id, payload, received_at, is_open)"
                " VALUES (?, ?, ?, '{}', '2026-01-01 00:00:00', 1)",
                messages,
            )
        connection.commit()


def rows(file: Path) -> list[tuple[object, ...]]:
    """Give what `make_old` put in, as it stands now."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT id, name FROM people ORDER BY id").fetchall()
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "inbox" in tables:
            found += connection.execute("SELECT key, payload, is_open FROM inbox ORDER BY id").fetchall()
    return found
