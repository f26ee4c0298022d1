"""Tells which of two classifiers is the better one on the same examples, and whether that may be chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import EvaluationError
from models.evaluation.classification import NO_MATCH
from models.evaluation.classification.figures import Figures
from models.evaluation.classification.wording import EXAMPLES, Wording

RESAMPLES = 2_000
"""How often the examples are drawn anew for the interval."""

_PLACES = 9
_LEAST = 1e-300
"""Probabilities below it are 0 in floating point, but nothing is so unlikely."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A new classifier beside an old one, on the same examples of classes.

    Attributes:
        new, old: their names.
        examples: how many.
        new_macro_f1, old_macro_f1: 0 to 1.
        gain_low, gain_high: the interval in which the new one's macro F1 less the old one's lies with a probability of
            95 %: the same examples are drawn for both, again and again (paired bootstrap; Koehn, EMNLP 2004).
        only_new_right, only_old_right: examples that the one tells rightly and the other does not.
        p_value: how likely these are to be so uneven, or more, by chance (exact McNemar test, 1947), 0 to 1.
        is_worse: whether the new one's macro F1 is the lower one, or the same with a higher Brier score. It need not
            be beyond chance: in doubt, what is in use stays.
        wording: what the sentence calls the examples.
    """

    new: str
    old: str
    examples: int
    new_macro_f1: float
    old_macro_f1: float
    gain_low: float
    gain_high: float
    only_new_right: int
    only_old_right: int
    p_value: float
    is_worse: bool
    wording: Wording = EXAMPLES

    @property
    def gain(self) -> float:
        """The new one's macro F1 less the old one's, without what adding up in another order makes."""
        return round(self.new_macro_f1 - self.old_macro_f1, _PLACES)

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval of the gain holds no 0."""
        return self.gain_low > 0 or self.gain_high < 0

    @property
    def sentence(self) -> str:
        """What has been found out, in a sentence."""
        chance = f"= {self.p_value:.2g}" if self.p_value else f"< {_LEAST:g}"
        scores = f"macro F1 {self.new_macro_f1:.3f} against {self.old_macro_f1:.3f}"
        if not self.gain:
            told = f"{self.new} does as well as {self.old}: {scores}"
            told += ", but its probabilities say less" if self.is_worse else ""
        else:
            told = f"{self.new} does {'better' if self.gain > 0 else 'worse'} than {self.old}: {scores}"
            told += ", beyond chance" if self.beyond_chance else ", which may be chance"
        return (
            f"{told} (95% interval of the gain {self.gain_low:+.3f} to {self.gain_high:+.3f}; McNemar's p "
            f"{chance}, {self.examples:,} {self.wording.examples})."
        )

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values, with its sentence."""
        names = (
            *("new", "old", "examples", "new_macro_f1", "old_macro_f1", "gain", "gain_low", "gain_high"),
            *("only_new_right", "only_old_right", "p_value", "beyond_chance", "is_worse", "sentence"),
        )
        return {name: getattr(self, name) for name in names}


def compare(
    new: Figures,
    old: Figures,
    new_name: str = "the new model",
    old_name: str = "the model in use",
    seed: int = 0,
    wording: Wording = EXAMPLES,
) -> Comparison:
    """Compare two classifiers by what they chose for the same examples.

    Args:
        new, old: their figures on the same examples in the same order; their labels may differ, and a class that one
            of them does not know counts as told wrongly by it.
        new_name, old_name: what the sentence calls them.
        seed: of the examples drawn.
        wording: what the sentence calls the examples.

    Raises:
        EvaluationError: the examples are not the same.
    """
    if new.truth != old.truth:
        raise EvaluationError(
            "The two models were not tried on the same examples; their figures cannot be compared.",
            "Evaluate both on the same held-out examples.",
        )
    rows = [row for row, label in enumerate(new.truth) if label != NO_MATCH]
    columns = {label: column for column, label in enumerate(sorted({new.truth[row] for row in rows}))}
    truth = np.array([columns[new.truth[row]] for row in rows], dtype=np.int64)
    # Classes that occur nowhere need no column each: whoever names one is wrong.
    chosen = [
        np.array([columns.get(one.choices[row], len(columns)) for row in rows], dtype=np.int64) for one in (new, old)
    ]
    gains = _gains(truth, chosen, len(columns), seed)
    only_new, only_old = _only_one_right(truth, chosen)
    low, high = np.quantile(gains, (0.025, 0.975)).tolist()
    return Comparison(
        new=new_name,
        old=old_name,
        examples=len(rows),
        new_macro_f1=new.macro_f1,
        old_macro_f1=old.macro_f1,
        gain_low=low,
        gain_high=high,
        only_new_right=only_new,
        only_old_right=only_old,
        p_value=mcnemar(only_new, only_old),
        is_worse=_rank(new) < _rank(old),
        wording=wording,
    )


def _rank(figures: Figures) -> tuple[float, float]:
    return round(figures.macro_f1, _PLACES), -round(figures.brier_after, _PLACES)


def _only_one_right(truth: NDArray[np.int64], chosen: list[NDArray[np.int64]]) -> tuple[int, int]:
    new, old = (choice == truth for choice in chosen)
    return int((new & ~old).sum()), int((old & ~new).sum())


def mcnemar(only_new_right: int, only_old_right: int) -> float:
    """Give how likely so uneven a pair of counts is where both are as likely: the exact, two-sided test, 0 to 1."""
    from scipy.stats import binomtest

    differing = only_new_right + only_old_right
    return float(binomtest(only_new_right, differing).pvalue) if differing else 1.0


def _gains(truth: NDArray[np.int64], chosen: list[NDArray[np.int64]], labels: int, seed: int) -> NDArray[np.float64]:
    drawing = np.random.default_rng(seed)
    gains = np.empty(RESAMPLES)
    for sample in range(RESAMPLES):
        rows = drawing.integers(0, len(truth), len(truth))
        new, old = (_macro_f1(truth[rows], choice[rows], labels) for choice in chosen)
        gains[sample] = new - old
    return gains


def _macro_f1(truth: NDArray[np.int64], choice: NDArray[np.int64], labels: int) -> float:
    """Give the mean F1 of the labels that occur in `truth`; `choice` may also be `labels`: none of them."""
    support = np.bincount(truth, minlength=labels)
    said = np.bincount(choice, minlength=labels)[:labels]
    right = np.bincount(truth[truth == choice], minlength=labels)
    present = support > 0
    return float((2 * right[present] / (support + said)[present]).mean())
