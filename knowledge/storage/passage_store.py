"""Passages on disk: one JSON object a line, read by row number."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from knowledge.errors import DamagedIndexError
from knowledge.passages import Passage
from knowledge.storage.line_file import LineFile, line_writer

_TEXTS = "passages.jsonl"
_OFFSETS = "passage_offsets.npy"
_OPTIONAL = ("title", "url", "tags", "question")


@contextmanager
def passage_writer(folder: Path) -> Iterator[Callable[[Passage], None]]:
    """Lend a function that writes a passage as the next row of a new store.

    Raises:
        OSError: the disk does not take them.
    """
    with line_writer(folder / _TEXTS, folder / _OFFSETS) as add:
        yield lambda passage: add(json.dumps(_as_record(passage), ensure_ascii=False))


class PassageStore:
    """Rows of a finished store; any number of threads may read at once."""

    def __init__(self, lines: LineFile) -> None:
        self._lines = lines

    @classmethod
    def open(cls, folder: Path) -> "PassageStore":
        """Map the store in `folder`; raises DamagedIndexError when offsets and texts do not belong together."""
        return cls(LineFile.open(folder / _TEXTS, folder / _OFFSETS))

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, row: int) -> Passage:
        """The passage in `row` (0-based); raises DamagedIndexError when the line is not what was written."""
        try:
            return _as_passage(json.loads(self._lines[row]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedIndexError(f"{_TEXTS}, line {row + 1} is not a passage") from error


def _as_record(passage: Passage) -> dict[str, Any]:
    record: dict[str, Any] = {
        "text": passage.text,
        "source": passage.source,
        "location": passage.location,
    }
    for name in _OPTIONAL:
        if value := getattr(passage, name):
            record[name] = value
    return record


def _as_passage(record: dict[str, Any]) -> Passage:
    record["tags"] = tuple(record.get("tags", ()))
    return Passage(**record)
