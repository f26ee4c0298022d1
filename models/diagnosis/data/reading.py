"""Reads labelled texts from CSV or JSON Lines, counting what is empty, repeated or contradictory."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from models.diagnosis.contract import LabelledTexts
from models.diagnosis.data.lines import Lines, Told
from models.diagnosis.data.rows import Column, Row, read_table
from models.errors import TrainingError

MOST_LABELS = 500
"""More conditions than this are more than can be told apart, or no conditions."""

FEWEST_TEXTS = 3
"""Different texts a condition needs: one to train on, one to calibrate by, one to be judged by."""

_LONGEST_LABEL = 200
_NAMED = 10
_TEXT = ("text", "symptoms", "symptom", "description", "complaint", "complaints", "sentence", "message", "content")
_LABEL = ("label", "disease", "condition", "diagnosis", "prognosis", "class", "target", "category")


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """The labelled texts of a file.

    Attributes:
        path: the file.
        sha256: of its bytes, as hexadecimal.
        size: of the file, in bytes.
        texts: those that are neither empty nor said before under the same label; blanks in a row are one.
        lines: the line each of them begins in, from 1.
        empty: rows without a text, left out.
        unlabelled: rows without a label, left out.
        duplicates: rows that said the same under the same label as an earlier one, left out.
        contradictory: texts that stand under more than one label; all are kept.
        not_utf8: lines that are not UTF-8 and were read as Windows-1252.
        text_column: the name of the column of the texts.
        label_column: that of the labels.
    """

    path: Path
    sha256: str
    size: int
    texts: LabelledTexts
    lines: tuple[int, ...]
    empty: int
    unlabelled: int
    duplicates: int
    contradictory: int
    not_utf8: int
    text_column: str
    label_column: str


def read_labelled(path: Path, text_column: str = "", label_column: str = "", told: Told | None = None) -> LabelledFile:
    """Read labelled texts: CSV with a first line of names (comma, semicolon, tab or | between), or JSON Lines.

    Args:
        path: the file; UTF-8, with or without a mark, UTF-16, or Windows-1252.
        text_column: the column of the texts; empty: found by its name.
        label_column: the column of the labels; empty: found by its name.
        told: told how far it is read.

    Raises:
        TrainingError: it cannot be read; names file, line and column, and what to do.
    """
    lines = Lines(path, told)
    text, label = (
        Column("texts", "--text-column", text_column, _TEXT),
        Column("labels", "--label-column", label_column, _LABEL),
    )
    table = read_table(path, lines, (label, text))
    sifted = _Sifted(path)
    for row in table.rows:
        sifted.take(row)
    if not sifted.texts:
        raise TrainingError(
            f'{path} holds no labelled text: "{table.names[0]}" or "{table.names[1]}" is empty in every row.',
            "Fill the columns, or name others with --label-column and --text-column.",
        )
    return LabelledFile(
        path=path,
        sha256=lines.sha256,
        size=lines.size,
        texts=LabelledTexts(tuple(sifted.texts), tuple(sifted.labels)),
        lines=tuple(sifted.lines),
        empty=sifted.empty,
        unlabelled=sifted.unlabelled,
        duplicates=sifted.duplicates,
        contradictory=sifted.contradictory,
        not_utf8=lines.not_utf8,
        text_column=table.names[1],
        label_column=table.names[0],
    )


def read_no_match(path: Path) -> tuple[str, ...]:
    """Read texts that describe none of the conditions: a table with a column of texts; each different one once.

    Raises:
        TrainingError: it cannot be read, or holds no text.
    """
    table = read_table(path, Lines(path), (Column("texts", "", "", _TEXT),))
    found = {key(text): text for row in table.rows if (text := " ".join(row.cells[0].split()))}
    if not found:
        raise TrainingError(f"{path} holds no text.", 'Give one a row, in the column "text".')
    return tuple(found.values())


def key(text: str) -> str:
    """Give what two texts have in common that differ in capitals, blanks or Unicode's ways to write a letter alone."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def require_labels(file: LabelledFile) -> None:
    """See that there are conditions to be told apart, and texts enough of each.

    Raises:
        TrainingError: one label, too many, or too few texts of one; names the labels and their lines.
    """
    counts = dict.fromkeys(file.texts.conditions, 0)
    first: dict[str, int] = {}
    for label, line in zip(file.texts.labels, file.lines, strict=True):
        counts[label] += 1
        first.setdefault(label, line)
    column = f'{file.path}, column "{file.label_column}"'
    if len(counts) < 2:
        raise TrainingError(f"{column} holds one label, {_quoted(next(iter(counts)))}.", "Give texts of two or more.")
    if len(counts) > MOST_LABELS:
        raise TrainingError(
            f"{column} holds {len(counts):,} different labels; more than {MOST_LABELS} cannot be told apart.",
            "Name the right column with --label-column, or put labels together.",
        )
    few = [label for label, count in counts.items() if count < FEWEST_TEXTS]
    if few:
        named = ", ".join(f"{_quoted(label)} ({counts[label]}, line {first[label]})" for label in few[:_NAMED])
        more = f" and {len(few) - _NAMED} more" if len(few) > _NAMED else ""
        raise TrainingError(
            f"{column}: too few different texts to train, calibrate and judge by: {named}{more}.",
            f"Give each label at least {FEWEST_TEXTS}, or delete its rows.",
        )


def _quoted(label: str) -> str:
    return f'"{label}"'


class _Sifted:
    """Rows that are of use, and counts of those that are not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._labels_of: dict[str, set[str]] = {}
        self.texts: list[str] = []
        self.labels: list[str] = []
        self.lines: list[int] = []
        self.empty = self.unlabelled = self.duplicates = self.contradictory = 0

    def take(self, row: Row) -> None:
        label, text = (" ".join(cell.split()) for cell in row.cells)
        label = unicodedata.normalize("NFC", label)
        if not text or not label:
            self.empty += not text
            self.unlabelled += bool(text)
            return
        if len(label) > _LONGEST_LABEL:
            raise TrainingError(
                f"{self._path}, line {row.line}: a label has {len(label):,} characters.",
                "Name the column of the labels with --label-column.",
            )
        known = self._labels_of.setdefault(key(text), set())
        if label in known:
            self.duplicates += 1
            return
        self.contradictory += len(known) == 1
        known.add(label)
        for found, one in zip((self.texts, self.labels), (text, label), strict=True):
            found.append(one)
        self.lines.append(row.line)
