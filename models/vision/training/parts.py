"""Puts together what a training learns from: which pictures are kept, and who is on which side."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingError
from models.training.splits import Families, Rows, Split, families, split_together
from models.vision.training.folders import FEWEST_PICTURES, require_enough
from models.vision.training.near_duplicates import LEAST_CORRELATION, STRICTER, Likeness
from models.vision.training.order import Counts, Order
from models.vision.training.reading import ReadPictures


@dataclass(frozen=True, slots=True)
class Parts:
    """What is learnt from.

    Attributes:
        pictures: those that were read.
        labels: the classes.
        targets: the class of each picture that was read, as a number from 0, shaped [pictures].
        honest: the split, near-duplicates on one side; numbers of pictures.
        random: one by chance; None where there are no near-duplicates, so that it would tell nothing more.
        counts: what became of the files.
    """

    pictures: ReadPictures
    labels: tuple[str, ...]
    targets: Rows
    honest: Split
    random: Split | None
    counts: Counts

    def truth(self, rows: Rows) -> list[str]:
        """Give the classes of some pictures."""
        return [self.labels[number] for number in self.targets[rows]]


def parts_of(order: Order, pictures: ReadPictures, told: Callable[[int, int], None]) -> Parts:
    """Put together what an order learns from.

    Args:
        order: what is to be trained.
        pictures: what was read of its files.
        told: told how many pictures are compared.

    Raises:
        TrainingError: a class has too few pictures, or all of its pictures are nearly the same.
    """
    labels = order.pictures.labels
    numbers = {label: number for number, label in enumerate(labels)}
    of = np.array([numbers[one.label] for one in order.pictures.files], dtype=np.int64)
    targets = of[pictures.files]
    kept, duplicates, contradictory = _different(pictures.digests, targets)
    for number, label in enumerate(labels):
        require_enough(label, int((targets[kept] == number).sum()), order.pictures.path / label)
    likeness = Likeness(pictures.hashes[kept], pictures.thumbnails[kept])
    names = [labels[number] for number in targets[kept]]
    found = likeness.groups(np.arange(len(kept)), LEAST_CORRELATION, told)
    together = families(names, found, STRICTER, likeness.groups)
    honest = split_together(together.of, names, order.shares, order.options.seed)
    _require_every_label(targets[kept], honest, labels)
    chance = split_together(np.arange(len(kept)), names, order.shares, order.options.seed)
    counts = Counts(
        training=len(honest.training),
        validation=len(honest.validation),
        test=len(honest.test),
        refused=len(pictures.refused),
        duplicates=duplicates,
        contradictory=contradictory,
        links=order.pictures.links,
        nested=order.pictures.nested,
        loose=order.pictures.loose,
        near_duplicate_groups=together.near_duplicates,
        mixed_groups=_mixed(together, targets[kept]),
        loosened=together.loosened,
    )
    random = _of(kept, chance) if together.near_duplicates else None
    return Parts(pictures, labels, targets, _of(kept, honest), random, counts)


def _different(digests: NDArray[np.uint8], targets: Rows) -> tuple[Rows, int, int]:
    """The pictures that are kept: the first of those that are the same, none where they are of several classes."""
    numbers = np.unique(digests, axis=0, return_inverse=True)[1].ravel() if len(digests) else np.zeros(0, np.int64)
    count = int(numbers.max(initial=-1)) + 1
    lowest, highest = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(lowest, numbers, targets)
    np.maximum.at(highest, numbers, targets)
    contradictory = (lowest != highest)[numbers]
    _, first = np.unique(numbers, return_index=True)
    kept = np.sort(first[~contradictory[first]]).astype(np.int64)
    return kept, int((~contradictory).sum()) - len(kept), int(contradictory.sum())


def _require_every_label(targets: Rows, split: Split, labels: tuple[str, ...]) -> None:
    for rows in split.sides:
        absent = np.flatnonzero(np.bincount(targets[rows], minlength=len(labels)) == 0)
        if len(absent):
            raise TrainingError(
                f"The pictures of the class {labels[absent[0]]!r} are nearly the same, so that none of them can be held"
                " out without being known from training.",
                f"Give it {FEWEST_PICTURES} pictures at least that differ, and are not resized or recompressed copies.",
            )


def _mixed(together: Families, targets: Rows) -> int:
    pairs = np.unique(np.stack([together.of, targets]), axis=1)
    return int((np.bincount(pairs[0]) > 1).sum()) if len(targets) else 0


def _of(kept: Rows, split: Split) -> Split:
    return Split(*(kept[rows] for rows in split.sides))
