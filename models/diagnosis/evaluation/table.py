"""The figures that the report and the model card of a classifier of symptoms tell, in the order of importance."""

from collections.abc import Sequence

from models.evaluation.classification.figures import Figures
from models.evaluation.classification.table import FigureRow, RowDefinition, decimal, rows_of, share


def figure_rows(figures: Sequence[Figures]) -> list[FigureRow]:
    """Give the rows, in the order of importance; those in which nobody has a value are left out."""
    return rows_of(_ROWS, figures)


_ROWS: tuple[RowDefinition, ...] = (
    ("Macro F1", "mean of the conditions' F1, each counting the same", lambda one: decimal(one.macro_f1)),
    ("Weighted F1", "the same, weighed by how many texts each has", lambda one: decimal(one.weighted_f1)),
    ("Accuracy", "descriptions told rightly, where one has to be named", lambda one: share(one.accuracy)),
    ("Top 3", "descriptions whose condition is among the three likeliest", lambda one: share(one.top3)),
    (
        "Calibration error",
        "how far confidence and accuracy lie apart (15 bins), after calibration",
        lambda one: decimal(one.ece_after),
    ),
    ("  before", "the same before calibration", lambda one: decimal(one.ece_before)),
    (
        "  conditions alone",
        "after calibration, over the descriptions of conditions",
        lambda one: decimal(one.ece_classes),
    ),
    ("Brier score", "squared distance from what was right, 0 to 2", lambda one: decimal(one.brier_after)),
    ("  before", "the same before calibration", lambda one: decimal(one.brier_before)),
    (
        "Abstention AUROC",
        "probability that a description is surer than a text that matches nothing",
        lambda one: decimal(one.abstention_auroc),
    ),
    ("Answered", "descriptions that are sure enough to be answered", lambda one: share(one.coverage)),
    ("  of these right", "answered descriptions told rightly", lambda one: share(one.covered_accuracy)),
    (
        "Answered needlessly",
        "texts that match nothing and are answered nevertheless",
        lambda one: share(one.no_match_answered),
    ),
    (
        "Threshold",
        "probability that any condition fits, below which nothing is said",
        lambda one: decimal(one.threshold),
    ),
    ("Descriptions", "texts of conditions held out", lambda one: f"{one.examples - one.no_match_examples:,}"),
    ("Other texts", "texts held out that match nothing", lambda one: f"{one.no_match_examples:,}"),
)
