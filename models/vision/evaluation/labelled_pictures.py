"""Finds pictures and the class that each is of: a folder for each class, or a CSV file of paths and labels."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import EvaluationError, PictureError
from models.vision.files import files_in

_LAYOUT = "Give a folder with one folder for each class, or a CSV file with the columns path and label."
_COLUMNS = ("path", "label")


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file, and what it is said to be.

    Attributes:
        path: where it lies.
        name: what it is called in what is told: its path below the folder, or as the CSV file has it.
        label: the class, as the folder or the CSV file names it.
        where: what names it so, for messages: ``The folder cats/tabby``, ``cats.csv, line 7,``.
    """

    path: Path
    name: str
    label: str
    where: str


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """What was found.

    Attributes:
        files: at least one; those of a folder in natural order.
        loose: files beside the folders of the classes, which are of no class.
    """

    files: tuple[LabelledFile, ...]
    loose: int = 0


def find_labelled(data: Path) -> LabelledFiles:
    """Find the files of a folder, or of a CSV file; whether they are pictures is not looked at.

    In a folder every file below ``FOLDER/class`` is of that class, however deep; hidden files are passed over. A CSV
    file is UTF-8 and has a first line with the columns ``path`` and ``label``, others are passed over; paths are seen
    from the folder in which it lies.

    Raises:
        EvaluationError: there is no such folder or file, it has another layout, or it names nothing; the message names
            file and line.
    """
    if data.is_dir():
        return _in_folder(data)
    if not data.exists():
        raise EvaluationError(f"{data} is not there.", _LAYOUT)
    return LabelledFiles(tuple(_in_table(data)))


def _in_folder(folder: Path) -> LabelledFiles:
    try:
        paths = [(path, path.relative_to(folder)) for path in files_in(folder)]
    except PictureError as error:
        raise EvaluationError(error.message, error.fix) from error
    files = tuple(
        LabelledFile(path, below.as_posix(), below.parts[0], f"The folder {folder / below.parts[0]}")
        for path, below in paths
        if len(below.parts) > 1
    )
    if not files:
        raise EvaluationError(f"{folder} holds no folder of a class with pictures in it.", _LAYOUT)
    return LabelledFiles(files, len(paths) - len(files))


def _in_table(path: Path) -> list[LabelledFile]:
    files = [
        LabelledFile(path.parent / name, name, label, f"{path}, line {line},") for line, name, label in _rows(path)
    ]
    if not files:
        raise EvaluationError(f"{path} names no picture.", _LAYOUT)
    return files


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Give line, path and label of each row."""
    lines = csv.reader(_text_of(path).splitlines(keepends=True))
    try:
        columns = _columns(path, next(lines, []))
        for row in lines:
            if any(cell.strip() for cell in row):
                name, label = (row[at].strip() if at < len(row) else "" for at in columns)
                if not name or not label:
                    missing = _COLUMNS[1] if name else _COLUMNS[0]
                    raise EvaluationError(f"{path}, line {lines.line_num}: the {missing} is missing.", _LAYOUT)
                if "\0" in name:
                    raise EvaluationError(f"{path}, line {lines.line_num}: the path leads to no file.", _LAYOUT)
                yield lines.line_num, name, label
    except csv.Error as error:
        raise EvaluationError(f"{path}, line {lines.line_num}: it is not CSV ({error}).", _LAYOUT) from error


def _columns(path: Path, head: Sequence[str]) -> list[int]:
    names = [cell.strip().casefold() for cell in head]
    missing = [column for column in _COLUMNS if column not in names]
    if missing:
        raise EvaluationError(f"{path}, line 1: the column {missing[0]!r} is missing.", _LAYOUT)
    return [names.index(column) for column in _COLUMNS]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path} is not UTF-8 (byte {error.start:,}).", _LAYOUT) from error
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}.", "Let this user read it.") from error
