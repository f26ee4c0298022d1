"""Lines of text on disk: appended one by one, and read by row number through a memory map."""

import mmap
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import DamagedIndexError

# Not UTF-8 in the strict sense, but whatever a str can hold comes back as it was.
_ENCODING, _ERRORS = "utf-8", "surrogatepass"


@contextmanager
def line_writer(texts: Path, offsets: Path) -> Iterator[Callable[[str], None]]:
    """Lend a function that appends a line to `texts`; where each begins is kept in `offsets`, 8 bytes a line.

    Raises:
        OSError: the disk does not take them.
    """
    starts = array("q", [0])
    with texts.open("wb") as file:

        def add(line: str) -> None:
            starts.append(starts[-1] + file.write(line.encode(_ENCODING, _ERRORS) + b"\n"))

        yield add
    np.save(offsets, np.frombuffer(starts, dtype=np.int64), allow_pickle=False)


class LineFile:
    """Lines that a `line_writer` wrote; any number of threads may read at once."""

    def __init__(self, texts: mmap.mmap | bytes, offsets: NDArray[np.int64]) -> None:
        self._texts = texts
        self._offsets = offsets

    @classmethod
    def open(cls, texts: Path, offsets: Path) -> "LineFile":
        """Map both files; raises DamagedIndexError when they do not belong together."""
        try:
            starts = np.load(offsets, mmap_mode="r", allow_pickle=False)
            mapped = _mapped(texts)
        except (OSError, ValueError) as error:
            raise DamagedIndexError(f"{texts.name} or {offsets.name} cannot be opened ({error})") from error
        if starts.dtype != np.int64 or starts.ndim != 1 or len(starts) < 1 or starts[-1] != len(mapped):
            raise DamagedIndexError(f"{offsets.name} does not fit {texts.name}")
        return cls(mapped, starts)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        """The line in `row` (0-based), without its end; raises UnicodeDecodeError when it is no longer a text."""
        start, end = int(self._offsets[row]), int(self._offsets[row + 1]) - 1
        return self._texts[start:end].decode(_ENCODING, _ERRORS)


def _mapped(path: Path) -> mmap.mmap | bytes:
    """The file's bytes, mapped; an empty file cannot be mapped and is no bytes."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
