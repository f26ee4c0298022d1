"""Statements made ready once: SQLAlchemy writes the SQL, SQLite itself runs it, as often as it is wanted."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Rows = Sequence[Mapping[str, Any]]

_KEPT = 512
"""Statements that stay ready: more than the program has."""

_DIALECT = sqlite.dialect()


Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """SQL and, for each of its question marks, the name of the value that stands there and what makes it SQLite's.

    Attributes:
        sql: with question marks.
        names: of the values in a row, in the order of the question marks.
        converted: the places, among them, of values that SQLite does not have, and how they are made its own.
        constants: what the statement itself has, by name.
    """

    sql: str
    names: tuple[str, ...]
    converted: tuple[tuple[int, Convert], ...]
    constants: dict[str, Any]

    def values(self, row: Mapping[str, Any]) -> list[Any]:
        if self.constants:
            row = {**self.constants, **row}
        values = [row[name] for name in self.names]
        for at, convert in self.converted:
            values[at] = convert(values[at])
        return values


def run(connection: Connection, statement: Executable, rows: Rows) -> int:
    """Run a statement that changes something once for each row, and give how many rows of the table it touched.

    All rows must have the same names. A tenth of what SQLAlchemy takes to run the same.

    Raises:
        sqlite3.Error: as SQLite raises it; it holds no parameters.
    """
    if not rows:
        return 0
    prepared = _prepared(statement, tuple(rows[0]))
    if prepared is None:
        return connection.execute(statement, rows).rowcount
    sqlite_connection = driver(connection)
    if len(rows) == 1:
        return sqlite_connection.execute(prepared.sql, prepared.values(rows[0])).rowcount
    return sqlite_connection.executemany(prepared.sql, map(prepared.values, rows)).rowcount


def driver(connection: Connection) -> sqlite3.Connection:
    """Give the SQLite connection under one of SQLAlchemy's."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


@lru_cache(_KEPT)
def _prepared(statement: Executable, names: tuple[str, ...]) -> _Prepared | None:
    """Write the SQL; None where it depends on the values (lists of any length), so that SQLAlchemy must run it."""
    compiled = cast("ClauseElement", statement).compile(dialect=_DIALECT, column_keys=list(names), for_executemany=True)
    if not isinstance(compiled, SQLCompiler) or compiled.post_compile_params or compiled.insert_prefetch:
        return None
    binds = [compiled.binds[name] for name in compiled.positiontup or ()]
    converts = [bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for bind in binds]
    return _Prepared(
        compiled.string,
        tuple(bind.key for bind in binds),
        tuple((at, convert) for at, convert in enumerate(converts) if convert is not None),
        {bind.key: bind.effective_value for bind in binds if not bind.required},
    )
