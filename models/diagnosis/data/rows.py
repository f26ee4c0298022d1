"""Reads the rows of a table, CSV or JSON Lines, by the names of its columns, with the line each one begins in."""

import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.diagnosis.data.lines import Lines, empty
from models.errors import TrainingError

_DELIMITERS = (",", ";", "\t", "|")
_SHOWN = 12
_WORDS_OF_A_NAME = 4


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is looked for.

    Attributes:
        what: what stands in it, as messages say it.
        option: of the command line, that names it; empty where there is none.
        named: the name it must have; empty: any of `usual`.
        usual: names it goes by, in lower case, the likeliest first.
        needed: whether a table without it is refused.
    """

    what: str
    option: str
    named: str
    usual: tuple[str, ...]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """The line a row begins in, from 1, and what stands in the columns that were looked for, as it stands there."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the columns that were found, empty for one that is not there, and the rows, to be read once."""

    names: tuple[str, ...]
    rows: Iterator[Row]


def read_table(path: Path, lines: Lines, columns: Sequence[Column]) -> Table:
    """Find columns in a table, by the names in its first line (CSV) or first object (JSON Lines).

    Args:
        path: the file, for messages.
        lines: its lines.
        columns: what is looked for.

    Raises:
        TrainingError: a column that is needed is not there, or nothing is; reading the rows raises it for a row that
            is damaged.
    """
    numbered = enumerate(lines, start=1)
    number, first = next(((number, line) for number, line in numbered if line.strip()), (0, ""))
    if not number:
        raise empty(path)
    if first.lstrip().startswith(("{", "[")):
        return _json_lines(path, itertools.chain([(number, first)], numbered), columns)
    return _csv(path, number, first, numbered, columns)


def _csv(path: Path, number: int, head: str, lines: Iterator[tuple[int, str]], columns: Sequence[Column]) -> Table:
    try:
        delimiter = max(_DELIMITERS, key=lambda one: (_found(_cells(head, one), columns), len(_cells(head, one))))
        names = _cells(head, delimiter)
    except csv.Error as error:
        raise _broken(path, number, number, error) from None
    places = _places(path, number, names, columns)
    found = tuple(names[place] if place >= 0 else "" for place in places)
    return Table(found, _csv_rows(path, number, lines, delimiter, len(names), places))


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def _csv_rows(
    path: Path, at: int, lines: Iterator[tuple[int, str]], delimiter: str, width: int, places: Sequence[int]
) -> Iterator[Row]:

    def _read() -> Iterator[str]:
        nonlocal at
        for at, line in lines:  # noqa: B007 - the number is what is wanted
            yield line

    reader = csv.reader(_read(), delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        begun = at
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken(path, begun + 1, at, error) from None
        if not cells:
            continue
        line = at - sum(cell.count("\n") for cell in cells)
        if len(cells) > width:
            raise TrainingError(
                f"{path}, line {line} has {len(cells)} fields where the first line has {width}.",
                f'Put a text that holds "{_told(delimiter)}" between double quotes.',
            )
        cells += [""] * (width - len(cells))
        yield Row(line, tuple(cells[place] if place >= 0 else "" for place in places))


def _broken(path: Path, begun: int, ended: int, error: csv.Error) -> TrainingError:
    if "new-line" in str(error):
        return TrainingError(
            f"{path}, line {ended}: there is a carriage return in it without a line feed.",
            "Save it as CSV (UTF-8), not as CSV for old Macintoshes.",
        )
    if "limit" in str(error) and begun == ended:
        return TrainingError(
            f"{path}, line {ended}: a field has more than {csv.field_size_limit():,} characters.", "Shorten it."
        )
    if "limit" in str(error) or "end of data" in str(error):
        message = f"{path}: a double quote is opened in line {begun} or soon after, and not closed by line {ended}."
    else:
        message = f"{path}, line {ended}: {error}."
    return TrainingError(message, 'Close it; a double quote within a text is written twice ("").')


def _told(delimiter: str) -> str:
    return "a tab" if delimiter == "\t" else delimiter


def _json_lines(path: Path, lines: Iterator[tuple[int, str]], columns: Sequence[Column]) -> Table:
    number, first = next(lines)
    names = list(_object(path, number, first))
    places = _places(path, number, names, columns)
    found = tuple(names[place] if place >= 0 else "" for place in places)
    return Table(found, _json_rows(path, itertools.chain([(number, first)], lines), found))


def _json_rows(path: Path, lines: Iterable[tuple[int, str]], names: Sequence[str]) -> Iterator[Row]:
    for number, line in lines:
        if not line.strip():
            continue
        fields = _object(path, number, line)
        cells = [fields.get(name) if name else None for name in names]
        for name, cell in zip(names, cells, strict=True):
            if isinstance(cell, bool | float | list | dict):
                raise TrainingError(f'{path}, line {number}: "{name}" is no text.', "Give a string there.")
        yield Row(number, tuple("" if cell is None else _whole(str(cell)) for cell in cells))


def _whole(text: str) -> str:
    """The text with a mark in the place of half a character, which JSON can hold where somebody cut an emoji in two."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _object(path: Path, number: int, line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TrainingError(
            f"{path}, line {number} is no JSON object.", 'Write one a line: {"label": "…", "text": "…"}.'
        )
    return found


def _found(names: Sequence[str], columns: Sequence[Column]) -> int:
    return sum(_place(names, column) >= 0 for column in columns)


def _place(names: Sequence[str], column: Column) -> int:
    if column.named:
        return names.index(column.named) if column.named in names else -1
    folded = [name.casefold() for name in names]
    return next((folded.index(usual) for usual in column.usual if usual in folded), -1)


def _places(path: Path, number: int, names: Sequence[str], columns: Sequence[Column]) -> tuple[int, ...]:
    places = tuple(_place(names, column) for column in columns)
    for column, place in zip(columns, places, strict=True):
        if place < 0 and (column.needed or column.named):
            raise _missing(path, number, names, column)
    for column, place in zip(columns, places, strict=True):
        if place >= 0 and places.count(place) > 1:
            raise TrainingError(
                f'{path}: "{names[place]}" cannot hold {column.what} and something else.',
                f"Name another column with {column.option}.",
            )
    return places


def _shown(name: str) -> str:
    """A column's name; not what is no name but somebody's words, where the first line holds none."""
    return f'"{name[:40]}"' if len(name.split()) <= _WORDS_OF_A_NAME else "a sentence"


def _missing(path: Path, number: int, names: Sequence[str], column: Column) -> TrainingError:
    shown = ", ".join(map(_shown, names[:_SHOWN])) + (" …" if len(names) > _SHOWN else "")
    wanted = f'no column "{column.named}"' if column.named else f"no column of {column.what}"
    named = f"Name it with {column.option}, or c" if column.option else "C"
    return TrainingError(
        f"{path} has {wanted}; line {number} names {shown}.",
        f'{named}all it "{column.usual[0]}" in the first line.',
    )
