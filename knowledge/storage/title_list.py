"""The titles of a knowledge base in alphabetical order, kept on disk, for completion and "did you mean"."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from itertools import islice, takewhile
from pathlib import Path

from knowledge.storage.line_file import LineFile, line_writer

_TITLES = "titles.txt"
_OFFSETS = "title_offsets.npy"
# Beginnings of later words are looked for one title after the other: 50,000 take a few milliseconds and 5 MB.
_LONGEST_WALK = 50_000


def write_titles(folder: Path, titles: Iterable[str]) -> None:
    """Save `titles`, sorted, each once; raises OSError when the disk does not take them."""
    with line_writer(folder / _TITLES, folder / _OFFSETS) as add:
        for title in sorted(set(titles), key=lambda title: (_key(title), title)):
            add(title)


class TitleList:
    """Saved titles; any number of threads may read at once."""

    def __init__(self, titles: LineFile) -> None:
        self._titles = titles

    @classmethod
    def open(cls, folder: Path) -> "TitleList":
        """Map the titles in `folder`; raises DamagedIndexError when the files do not belong together."""
        return cls(LineFile.open(folder / _TITLES, folder / _OFFSETS))

    def __len__(self) -> int:
        return len(self._titles)

    def drawn(self, seed: str, limit: int) -> list[str]:
        """At most `limit` titles by lot, each once; the same ones for the same seed."""
        lots = (int.from_bytes(sha256(f"{seed}/{lot}".encode()).digest()[:8]) for lot in range(2 * limit))
        rows = dict.fromkeys(lot % len(self) for lot in lots) if len(self) else {}
        return [self._titles[row] for row in islice(rows, limit)]

    def beginning_with(self, prefix: str, limit: int) -> list[str]:
        """At most `limit` titles: first those that begin with `prefix`, then those with a later word that does."""
        wanted = _key(prefix)
        first = bisect_left(range(len(self)), wanted, key=lambda row: _key(self._titles[row]))
        heads = takewhile(lambda title: _key(title).startswith(wanted), self._from(first))
        found = list(islice(heads, max(limit, 0)))
        if wanted and len(found) < limit:
            found += islice(self._with_later_word(wanted), limit - len(found))
        return found

    def _from(self, first: int) -> Iterator[str]:
        return (self._titles[row] for row in range(first, len(self)))

    def _with_later_word(self, wanted: str) -> Iterator[str]:
        rows = (row for row, key in enumerate(self._keys) if f" {wanted}" in key and not key.startswith(wanted))
        return (self._titles[row] for row in rows)

    @cached_property
    def _keys(self) -> list[str]:
        """What titles are compared by; made when first needed, since a start does without."""
        return [_key(title) for title in islice(self._from(0), _LONGEST_WALK)]


def _key(title: str) -> str:
    return unicodedata.normalize("NFKC", title).casefold().replace("’", "'").lstrip()
