"""Figures of classifiers as rows of words, a column for each: for the screen, the report and the model card."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from models.evaluation.classification.figures import Figures

NOTHING = "–"


class FigureRow(NamedTuple):
    """A figure: what it is called, what it means, and its value for each classifier."""

    label: str
    meaning: str
    values: tuple[str, ...]


RowDefinition = tuple[str, str, Callable[[Figures], str]]
"""What a figure is called, what it means, and how its value is told; one that is a part begins with two blanks."""


def rows_of(definitions: Iterable[RowDefinition], figures: Sequence[Figures]) -> list[FigureRow]:
    """Give the rows, in their order; those in which nobody has a value are left out."""
    made = (FigureRow(label, meaning, tuple(value(one) for one in figures)) for label, meaning, value in definitions)
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
