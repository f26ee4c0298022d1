"""The titles of a knowledge base in alphabetical order, kept on disk, for completion and "did you mean"."""

import mmap
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import DamagedIndexError

_TITLES = "titles.txt"
_OFFSETS = "title_offsets.npy"
_ENCODING, _ERRORS = "utf-8", "surrogatepass"
# Beginnings of later words are looked for one title after the other: 50,000 take a few milliseconds and 5 MB.
_LONGEST_WALK = 50_000


def write_titles(folder: Path, titles: Iterable[str]) -> None:
    """Save `titles`, sorted, each once; raises OSError when the disk does not take them."""
    offsets = array("q", [0])
    with (folder / _TITLES).open("wb") as file:
        for title in sorted(set(titles), key=lambda title: (_key(title), title)):
            offsets.append(offsets[-1] + file.write(title.encode(_ENCODING, _ERRORS) + b"\n"))
    np.save(folder / _OFFSETS, np.frombuffer(offsets, dtype=np.int64), allow_pickle=False)


class TitleList:
    """Saved titles; any number of threads may read at once."""

    def __init__(self, titles: mmap.mmap | bytes, offsets: NDArray[np.int64]) -> None:
        self._titles = titles
        self._offsets = offsets

    @classmethod
    def open(cls, folder: Path) -> "TitleList":
        """Map the titles in `folder`; raises DamagedIndexError when the files do not belong together."""
        try:
            offsets = np.load(folder / _OFFSETS, mmap_mode="r", allow_pickle=False)
            titles = _mapped(folder / _TITLES)
        except (OSError, ValueError) as error:
            raise DamagedIndexError(f"{_TITLES} or {_OFFSETS} cannot be opened ({error})") from error
        if offsets.dtype != np.int64 or offsets.ndim != 1 or len(offsets) < 1 or offsets[-1] != len(titles):
            raise DamagedIndexError(f"{_OFFSETS} does not fit {_TITLES}")
        return cls(titles, offsets)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        start, end = int(self._offsets[row]), int(self._offsets[row + 1]) - 1
        return self._titles[start:end].decode(_ENCODING, _ERRORS)

    def beginning_with(self, prefix: str, limit: int) -> list[str]:
        """At most `limit` titles: first those that begin with `prefix`, then those with a later word that does."""
        wanted = _key(prefix)
        first = bisect_left(range(len(self)), wanted, key=lambda row: _key(self[row]))
        heads = takewhile(lambda title: _key(title).startswith(wanted), self._from(first))
        found = list(islice(heads, max(limit, 0)))
        if wanted and len(found) < limit:
            found += islice(self._with_later_word(wanted), limit - len(found))
        return found

    def _from(self, first: int) -> Iterator[str]:
        return (self[row] for row in range(first, len(self)))

    def _with_later_word(self, wanted: str) -> Iterator[str]:
        rows = (row for row, key in enumerate(self._keys) if f" {wanted}" in key and not key.startswith(wanted))
        return (self[row] for row in rows)

    @cached_property
    def _keys(self) -> list[str]:
        """What titles are compared by; made when first needed, since a start does without."""
        return [_key(title) for title in islice(self._from(0), _LONGEST_WALK)]


def _mapped(path: Path) -> mmap.mmap | bytes:
    """The file's bytes, mapped; an empty file cannot be mapped and is no bytes."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _key(title: str) -> str:
    return unicodedata.normalize("NFKC", title).casefold().replace("’", "'").lstrip()
