"""The figures that the report and the model card of a classifier of pictures tell, in the order of importance."""

from collections.abc import Sequence

from models.evaluation.classification.figures import Figures
from models.evaluation.classification.table import NOTHING, FigureRow, RowDefinition, decimal, rows_of, share

_TOP = 5


def figure_rows(figures: Sequence[Figures]) -> list[FigureRow]:
    """Give the rows, in the order of importance; those in which nobody has a value are left out."""
    return rows_of(_ROWS, figures)


def _top5(figures: Figures) -> str:
    """Give the share, but not where a class cannot but be among the five."""
    return share(figures.top5) if len(figures.labels) > _TOP else NOTHING


_ROWS: tuple[RowDefinition, ...] = (
    ("Top 1", "pictures whose likeliest class is the right one", lambda one: share(one.accuracy)),
    ("Top 5", "pictures whose class is among the five likeliest", _top5),
    ("Macro F1", "mean of the classes' F1, each counting the same", lambda one: decimal(one.macro_f1)),
    (
        "Calibration error",
        "how far confidence and accuracy lie apart (15 bins), after calibration",
        lambda one: decimal(one.ece_after),
    ),
    ("  before", "the same before calibration", lambda one: decimal(one.ece_before)),
    ("Brier score", "squared distance from what was right, 0 to 2", lambda one: decimal(one.brier_after)),
    ("Told without doubt", "pictures whose label reaches the threshold", lambda one: share(one.coverage)),
    ("  of these right", "the share of these that is told rightly", lambda one: share(one.covered_accuracy)),
    ("Threshold", "probability below which a label is told as what it may be", lambda one: decimal(one.threshold)),
    ("Pictures", "held out to judge by", lambda one: f"{one.examples:,}"),
)
