"""Which rows of a version came from which source and file: they stand in the order of the files, source by source."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import accumulate, pairwise

from knowledge.errors import DamagedIndexError
from knowledge.storage.snapshot import Snapshot


class SourceRows:
    """The rows of every source that has any."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @cached_property
    def by_name(self) -> Mapping[str, range]:
        """By the source's name: the last part of its path, or as many as tell it from the others.

        Found when first needed, since a start does without; a few passages of each source are read for it.

        Raises:
            DamagedIndexError: a passage is damaged, or of a file that was not read.
        """
        sources = self._snapshot.manifest.sources
        starts = accumulate((source.own for source in sources), initial=0)
        rows = zip((source.name for source in sources), pairwise(self._first_rows(starts)), strict=True)
        return {name: range(start, end) for name, (start, end) in rows if start < end}

    @cached_property
    def by_file(self) -> tuple[range, ...]:
        """In the order of the manifest's files; found and raised as `by_name` is."""
        starts = self._first_rows(range(len(self._snapshot.manifest.files) + 1))
        return tuple(range(start, end) for start, end in pairwise(starts))

    def _first_rows(self, firsts: Iterable[int]) -> Iterator[int]:
        """Give for each number of a file, ascending, the row at which its passages begin, or would."""
        numbers = {file.name: number for number, file in enumerate(self._snapshot.manifest.files)}

        def _file_of(row: int) -> int:
            try:
                return numbers[self._snapshot.passages[row].source]
            except KeyError as error:
                raise DamagedIndexError(f"passage {row + 1} is of no file that was read") from error

        rows, start = range(len(self._snapshot.passages)), 0
        for first in firsts:
            # In ever longer strides from the last one: most files have few passages, and each look reads one.
            low, stride = start, 1
            while low + stride < len(rows) and _file_of(low + stride) < first:
                low, stride = low + stride, stride * 2
            start = bisect_left(rows, first, lo=low, hi=min(low + stride, len(rows)), key=_file_of)
            yield start
