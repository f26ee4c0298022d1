"""One version of a knowledge base, opened for reading: never changed, only replaced by another."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import DamagedIndexError
from knowledge.index.tfidf import TfidfIndex
from knowledge.storage.manifest import Manifest
from knowledge.storage.passage_store import PassageStore
from knowledge.storage.ready_answers import ReadyAnswers
from knowledge.storage.title_list import TitleList

TERMS = "terms"
DIGESTS = "digests.npy"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one version holds; row numbers of `index` and `passages` are the same.

    Attributes:
        folder: where it lies; may be gone while the files stay mapped.
        digests: of the contents of all passages, sorted, shape (passages,).
    """

    folder: Path
    manifest: Manifest
    index: TfidfIndex
    passages: PassageStore
    titles: TitleList
    ready: ReadyAnswers
    digests: NDArray[np.uint64]

    @classmethod
    def open(cls, folder: Path, *, thorough: bool = False) -> "Snapshot":
        """Open the version in `folder`; with `thorough`, after reading every byte of it.

        Raises:
            DamagedIndexError: it is not there, or not what was written.
        """
        manifest = Manifest.read(folder)
        manifest.verify(folder, thorough=thorough)
        index = TfidfIndex.open(folder / TERMS)
        passages, titles, ready = PassageStore.open(folder), TitleList.open(folder), ReadyAnswers.open(folder)
        snapshot = cls(folder, manifest, index, passages, titles, ready, _open_digests(folder))
        snapshot._check_lengths()
        return snapshot

    def bytes_on_disk(self) -> int:
        """Bytes of all its files but the manifest."""
        return sum(part.size for part in self.manifest.parts)

    def _check_lengths(self) -> None:
        lengths = {
            "the index": len(self.index),
            "the passages": len(self.passages),
            "the digests": len(self.digests),
            "the manifest": self.manifest.passages,
        }
        if len(set(lengths.values())) != 1:
            raise DamagedIndexError(f"its parts do not belong together ({lengths})")


def _open_digests(folder: Path) -> NDArray[np.uint64]:
    try:
        digests: NDArray[np.uint64] = np.load(folder / DIGESTS, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DamagedIndexError(f"{DIGESTS} cannot be opened") from error
    return digests
