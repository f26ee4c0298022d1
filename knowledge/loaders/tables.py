"""CSV and TSV files: the header names the fields, every row is an item."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.loaders.escaping import shown
from knowledge.loaders.items import FIELDS, WANTED, Item, document_of, field_name, misspelt
from knowledge.loaders.problem_log import Position
from knowledge.loaders.reading import FileRefusedError, OpenFile
from knowledge.loaders.suffixes import suffix_of
from knowledge.passages import Document

_DELIMITERS = (",", ";", "\t")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_QUOTE_ROWS = "Put cells that hold the delimiter, quotes or line breaks in quotes."


@dataclass(frozen=True, slots=True)
class _Row:
    cells: list[str]
    line: int


def load_table(file: OpenFile) -> Iterator[Document]:
    """Yield the documents of a CSV or TSV file.

    The delimiter is the one of comma, semicolon and tab with which the header names the most fields.

    Raises:
        FileRefusedError: the file is not UTF-8, lacks the columns that are needed, or has a quoted cell
            without an end or longer than Python's csv module reads (131,072 characters).
    """
    text = file.plain_text()
    rows = _rows(text, _delimiter(text, file), file)
    header = next(rows, None)
    if header is None:
        return
    names = _column_names(header, file)
    for row in rows:
        cells = _fitted(row, len(names), file)
        if cells:
            item = _item(names, cells, row.line)
            document = document_of(item, file.name, file.log)
            if document:
                yield document


def _delimiter(text: str, file: OpenFile) -> str:
    header = text.lstrip().partition("\n")[0]
    preferred = ("\t", ",", ";") if suffix_of(file.name) == ".tsv" else _DELIMITERS

    def quality(delimiter: str) -> tuple[int, int]:
        names = [field_name(cell.strip('"')) for cell in header.split(delimiter)]
        return len(set(names) & set(FIELDS)), len(names)

    return max(preferred, key=quality)


def _rows(text: str, delimiter: str, file: OpenFile) -> Iterator[_Row]:
    """Yield each row that is not blank, with the line on which it starts."""
    reader = csv.reader((line[0] for line in _LINE.finditer(text)), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _report(error, line, reader.line_num, file)
            continue
        if any(cell.strip() for cell in cells):
            yield _Row(cells, line)


def _report(error: csv.Error, line: int, last_line: int, file: OpenFile) -> None:
    """Log a row that cannot be read, or refuse the rest where it is unknown how the file goes on."""
    reason = str(error)
    if "field larger" in reason:
        message = f"A cell of this row is longer than {csv.field_size_limit():,} characters; the rest was not read."
        raise FileRefusedError(message, "Close its quotes, or split it.", Position(line))
    if "unexpected end" in reason:
        message = f"A quoted cell in this row never ends; lines {line} to {last_line} were not read."
        raise FileRefusedError(message, 'Close it with ".', Position(line))
    file.log.add(f"The row cannot be read: {shown(reason)}.", _QUOTE_ROWS, Position(line))


def _column_names(header: _Row, file: OpenFile) -> list[str]:
    names = [field_name(cell) for cell in header.cells]
    position = Position(header.line)
    for name, count in Counter(names).items():
        if count > 1 and name in FIELDS:
            file.log.add("Two columns have this name; the first counts.", "Rename one.", position, name)
    for name, field in misspelt(dict.fromkeys(names)).items():
        message = f"The column “{shown(name)}” is not known."
        file.log.add(message, f"Did you mean “{field}”? Rename it.", position, shown(name))
    if not ({"context", "text"} & set(names) or {"question", "answer"} <= set(names)):
        found = ", ".join(f"“{shown(cell, 30)}”" for cell in header.cells[:10])
        message = f"The first row names no column with text; it holds {found}."
        raise FileRefusedError(message, f"Name the columns there: {WANTED}.", position)
    return [name if name in FIELDS else "" for name in names]


def _fitted(row: _Row, width: int, file: OpenFile) -> list[str] | None:
    """Return the row's cells, without empty ones too many; None where their number is not the header's."""
    cells = row.cells
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) == width:
        return cells
    amount = "more" if len(cells) > width else "fewer"
    message = f"The row has {len(cells)} cells, {amount} than the header's {width}; it was skipped."
    file.log.add(message, _QUOTE_ROWS, Position(row.line))
    return None


def _item(names: list[str], cells: list[str], line: int) -> Item:
    # In reverse, so that of two columns with one name the first counts.
    pairs = zip(reversed(names), reversed(cells), strict=True)
    values = {name: cell for name, cell in pairs if name and cell.strip()}
    return Item(values, f"line {line}", lambda _: Position(line))
