"""Figures of classifiers as rows of words, a column for each: for the screen, the report and the model card."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from models.diagnosis.evaluation.figures import Figures

NOTHING = "–"


class FigureRow(NamedTuple):
    """A figure: what it is called, what it means, and its value for each classifier."""

    label: str
    meaning: str
    values: tuple[str, ...]


def figure_rows(figures: Sequence[Figures]) -> list[FigureRow]:
    """Give the rows, in the order of importance; those in which nobody has a value are left out."""
    made = (FigureRow(label, meaning, tuple(value(one) for one in figures)) for label, meaning, value in _ROWS)
    return [row for row in made if set(row.values) != {NOTHING}]


def share(value: float | None) -> str:
    """Give a share as ``93.1%``, or a dash."""
    return NOTHING if value is None else f"{value:.1%}"


def decimal(value: float | None) -> str:
    """Give a figure as ``0.931``, or a dash."""
    return NOTHING if value is None else f"{value:.3f}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Give ``1 text`` or ``1,200 texts``."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


_ROWS: tuple[tuple[str, str, Callable[[Figures], str]], ...] = (
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
        lambda one: decimal(one.ece_conditions),
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
    ("Descriptions", "texts of conditions held out", lambda one: f"{one.texts - one.no_match_texts:,}"),
    ("Other texts", "texts held out that match nothing", lambda one: f"{one.no_match_texts:,}"),
)
