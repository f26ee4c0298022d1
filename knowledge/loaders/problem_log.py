"""The problems found in one file: the first are kept in words, the rest are counted."""

from typing import NamedTuple

from knowledge.passages import Problem


class Position(NamedTuple):
    """A place in a file, both 1-based, the column in characters; None where it is not known."""

    line: int | None = None
    column: int | None = None


NOWHERE = Position()


class ProblemLog:
    """Collects the problems of one source file, up to a limit.

    Args:
        source: the file as its owner would find it.
        limit: how many problems are kept in words, at least 1.
    """

    def __init__(self, source: str, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._kept: list[Problem] = []
        self._uncounted = 0

    def add(self, message: str, fix: str, position: Position = NOWHERE, field: str = "") -> None:
        """Keep a problem, or count it where enough are kept."""
        if len(self._kept) >= self._limit:
            self._uncounted += 1
            return
        self._kept.append(Problem(self._source, message, fix, position.line, position.column, field))

    def problems(self) -> list[Problem]:
        """Return what was found, in the order found, and as the last one how many more there are."""
        if not self._uncounted:
            return list(self._kept)
        message = f"There are {self._uncounted:,} more problems in this file."
        return [*self._kept, Problem(self._source, message, "Mend the first ones and check again.")]
