"""Passages on disk: one JSON object a line, read through a memory map by row number."""

import json
import mmap
from array import array
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import DamagedIndexError
from knowledge.passages import Passage

_TEXTS = "passages.jsonl"
_OFFSETS = "passage_offsets.npy"
_OPTIONAL = ("title", "url", "tags", "question")
# Not UTF-8 in the strict sense, but whatever a str can hold comes back as it was.
_ENCODING, _ERRORS = "utf-8", "surrogatepass"


class PassageWriter:
    """Appends passages to a new store; nothing but their offsets (8 bytes each) stays in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts = (folder / _TEXTS).open("wb")
        self._offsets = array("q", [0])

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def add(self, passage: Passage) -> None:
        """Write `passage` as the next row; raises OSError when the disk does not take it."""
        line = json.dumps(_as_record(passage), ensure_ascii=False).encode(_ENCODING, _ERRORS) + b"\n"
        self._texts.write(line)
        self._offsets.append(self._offsets[-1] + len(line))

    def finish(self) -> None:
        """Write what is still buffered, and the offsets; raises OSError when the disk does not take it."""
        self._texts.flush()
        np.save(self._folder / _OFFSETS, np.frombuffer(self._offsets, dtype=np.int64), allow_pickle=False)

    def close(self) -> None:
        """Let go of the file, whether or not it was finished."""
        self._texts.close()


class PassageStore:
    """Rows of a finished store; any number of threads may read at once."""

    def __init__(self, texts: mmap.mmap, offsets: NDArray[np.int64]) -> None:
        self._texts = texts
        self._offsets = offsets

    @classmethod
    def open(cls, folder: Path) -> "PassageStore":
        """Map the store in `folder`; raises DamagedIndexError when offsets and texts do not belong together."""
        try:
            offsets = np.load(folder / _OFFSETS, mmap_mode="r", allow_pickle=False)
            with (folder / _TEXTS).open("rb") as file:
                texts = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise DamagedIndexError(f"{_TEXTS} or {_OFFSETS} cannot be opened ({error})") from error
        if offsets.dtype != np.int64 or offsets.ndim != 1 or len(offsets) < 1 or offsets[-1] != len(texts):
            raise DamagedIndexError(f"{_OFFSETS} does not fit {_TEXTS}")
        return cls(texts, offsets)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> Passage:
        """The passage in `row` (0-based); raises DamagedIndexError when the line is not what was written."""
        start, end = int(self._offsets[row]), int(self._offsets[row + 1])
        try:
            record = json.loads(self._texts[start:end].decode(_ENCODING, _ERRORS))
            return _as_passage(record)
        except (ValueError, KeyError, TypeError) as error:
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
