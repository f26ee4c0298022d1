"""Which row holds the ready answer to a question, kept on disk and looked up by the question's words alone."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import DamagedIndexError, OutdatedIndexError
from knowledge.storage.duplicates import question_digest

_FILE = "ready_answers.npy"


def write_ready_answers(folder: Path, rows: Mapping[int, int]) -> None:
    """Save the rows by their questions' digests; raises OSError when the disk does not take them."""
    table = np.array(sorted(rows.items()), dtype=np.uint64).reshape(-1, 2)
    np.save(folder / _FILE, np.ascontiguousarray(table.T), allow_pickle=False)


class ReadyAnswers:
    """Saved rows, shape (2, answers): digests in ascending order, and the row of each. Any threads may read at once."""

    def __init__(self, table: NDArray[np.uint64]) -> None:
        self._digests, self._rows = table

    @classmethod
    def open(cls, folder: Path) -> "ReadyAnswers":
        """Map what is saved in `folder`.

        Raises:
            OutdatedIndexError: an earlier version of Preceptor wrote the index, without it.
            DamagedIndexError: it is not what was written.
        """
        try:
            return cls(np.load(folder / _FILE, mmap_mode="r", allow_pickle=False))
        except FileNotFoundError as error:
            raise OutdatedIndexError from error
        except (OSError, ValueError) as error:
            raise DamagedIndexError(f"{_FILE} cannot be opened") from error

    def row(self, question: str) -> int | None:
        """Give the row of the ready answer to just this question, whatever its case and punctuation; None without."""
        wanted = question_digest(question)
        place = int(np.searchsorted(self._digests, np.uint64(wanted)))
        found = place < len(self._digests) and int(self._digests[place]) == wanted
        return int(self._rows[place]) if found else None
