"""What is ordered of a training of a classifier, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.diagnosis.data.reading import LabelledFile
from models.diagnosis.data.splits import SHARES
from models.diagnosis.encoder.options import EncoderOptions
from models.evaluation.classification.calibration import Calibration
from models.evaluation.classification.comparison import Comparison
from models.evaluation.classification.figures import Figures
from models.store.model_store import Checkpoint

Told = Callable[[str, int, int, float | None], None]
"""Told what is being done, steps done, steps at most, and the loss on what is held out."""


@dataclass(frozen=True, slots=True)
class InUse:
    """The classifier that judges symptoms now: its name, and its folder; None is the floor, which has none to load."""

    name: str
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained.

    Attributes:
        file: the labelled texts; `require_labels` has been asked.
        no_match: texts that describe none of the conditions; may be none.
        base: what is trained.
        name: under which the result is kept.
        options: how it is trained.
        shares: of the texts for training, validation and test; they sum to 1.
        random_split: whether a second one is trained on a split by chance, to be scored and thrown away.
        resume: whether to go on with an interrupted training of that name.
        replace: whether a model of that name may be replaced.
        compared_with: the classifier in use, to be compared with; None: not to be.
    """

    file: LabelledFile
    no_match: tuple[str, ...]
    base: Checkpoint
    name: str
    options: EncoderOptions
    shares: tuple[float, float, float] = SHARES
    random_split: bool = True
    resume: bool = False
    replace: bool = False
    compared_with: InUse | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the texts.

    Attributes:
        training, validation, test: how many are on each side, those that match nothing included.
        no_match: texts that match nothing, on all sides.
        no_match_left_out: those that are too like a text of a condition.
        empty, unlabelled, duplicates, contradictory, not_utf8: as `LabelledFile` counts them.
        near_duplicate_groups: groups of two texts or more that are kept together.
        loosened: texts whose group had to be taken apart; what is measured on them flatters.
    """

    training: int
    validation: int
    test: int
    no_match: int
    no_match_left_out: int
    empty: int
    unlabelled: int
    duplicates: int
    contradictory: int
    not_utf8: int
    near_duplicate_groups: int
    loosened: int


@dataclass(frozen=True, slots=True)
class Rival:
    """The classifier in use on those held-out texts that neither it nor the new one was trained on.

    Attributes:
        name: of the classifier in use.
        figures: its figures; None where no text is left that it does not know.
        comparison: of the new one with it; None likewise.
    """

    name: str
    figures: Figures | None
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        name: of the trained classifier.
        folder: where it lies, with its report and card.
        base: what it was trained from, without where that lies.
        labels: the conditions.
        counts: what became of the texts.
        calibration: temperature and threshold.
        honest: figures on the held-out texts, none of which is a near-duplicate of one it was trained on.
        random: figures of one trained likewise on a split by chance; None where that was not wanted.
        floor: figures of the floor, trained and judged on the same texts as `honest`.
        against_floor: the comparison with it.
        rival: the classifier in use; None where it is the floor, or no comparison was wanted.
        report: the page.
    """

    name: str
    folder: Path
    base: str
    labels: tuple[str, ...]
    counts: Counts
    calibration: Calibration
    honest: Figures
    random: Figures | None
    floor: Figures
    against_floor: Comparison
    rival: Rival | None
    report: Path

    @property
    def comparison(self) -> Comparison:
        """The comparison that decides: with the classifier in use, or with the floor where that is it or cannot be."""
        return (self.rival and self.rival.comparison) or self.against_floor

    @property
    def is_worse(self) -> bool:
        """Whether the one it was compared with does better."""
        return self.comparison.is_worse
