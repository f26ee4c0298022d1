"""What is ordered of a training of a classifier of pictures, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.evaluation.classification.comparison import Comparison
from models.evaluation.classification.figures import Figures
from models.store.model_store import Checkpoint
from models.training.splits import SHARES
from models.vision.training.folders import PictureFolder
from models.vision.training.options import ImageTrainingOptions
from models.vision.training.reading import Refusal

Told = Callable[[str, int, int, float | None], None]
"""Told what is being done, steps done, steps at most, and the loss on what is held out."""

SURE = 0.5
"""The probability from which on a label is told without doubt, where nothing else is set."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained.

    Attributes:
        pictures: the files, by class.
        base: what is trained.
        name: under which the result is kept.
        options: how it is trained.
        shares: of the pictures for training, validation and test; they sum to 1.
        sure: the probability from which on a label is told without doubt, 0 to 1.
        resume: whether to go on with an interrupted training of that name.
        replace: whether a model of that name may be replaced.
        compared_with: the classifier in use, to be compared with; None: not to be.
    """

    pictures: PictureFolder
    base: Checkpoint
    name: str
    options: ImageTrainingOptions
    shares: tuple[float, float, float] = SHARES
    sure: float = SURE
    resume: bool = False
    replace: bool = False
    compared_with: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the files.

    Attributes:
        training, validation, test: pictures on each side.
        refused: files that cannot be looked at.
        duplicates: pictures that are the same as an earlier one of their class, left out.
        contradictory: pictures that lie in more than one class, all left out.
        links, nested, loose: as `PictureFolder` counts them; none of them is read.
        near_duplicate_groups: groups of two pictures or more that are kept together.
        mixed_groups: those of them that hold pictures of more than one class.
        loosened: pictures whose group had to be taken apart; what is measured on them flatters.
    """

    training: int
    validation: int
    test: int
    refused: int
    duplicates: int
    contradictory: int
    links: int
    nested: int
    loose: int
    near_duplicate_groups: int
    mixed_groups: int
    loosened: int


@dataclass(frozen=True, slots=True)
class Rival:
    """The classifier in use on those held-out pictures that neither it nor the new one was trained on.

    Attributes:
        name: of the classifier in use.
        figures: its figures; None where it cannot be compared.
        comparison: of the new one with it; None likewise.
        reason: why it cannot be compared, a sentence; empty where it can.
    """

    name: str
    figures: Figures | None = None
    comparison: Comparison | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        name: of the trained classifier.
        folder: where it lies, with its report and card.
        base: what it was trained from, without where that lies.
        labels: the classes.
        counts: what became of the files.
        refused: the files that cannot be looked at, and why.
        temperature: what the logits are divided by.
        honest: figures on the held-out pictures, none of which is a near-duplicate of one it was trained on.
        head: figures of the head alone, on the encoder as it is; None where nothing was fine-tuned.
        fine_tuned: whether the fine-tuned weights are what was kept; else it is the encoder as it is with a head.
        random: figures of a head on a split by chance; None where there are no near-duplicates to tell apart.
        rival: the classifier in use; None where no comparison was wanted.
        report: the page.
    """

    name: str
    folder: Path
    base: str
    labels: tuple[str, ...]
    counts: Counts
    refused: tuple[Refusal, ...]
    temperature: float
    honest: Figures
    head: Figures | None
    fine_tuned: bool
    random: Figures | None
    rival: Rival | None
    report: Path

    @property
    def comparison(self) -> Comparison | None:
        """The comparison with the classifier in use; None where there is none."""
        return self.rival.comparison if self.rival else None

    @property
    def is_worse(self) -> bool:
        """Whether the classifier in use does better."""
        return self.comparison is not None and self.comparison.is_worse
