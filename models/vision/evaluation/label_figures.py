"""What is found out about a classifier of pictures: how often right, at first and among five, and how sure."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.classification.calibration import expected_calibration_error

BINS = 15
AMONG = 5
"""So many labels are looked among, besides the likeliest."""

_WORST = 20
_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """What was said of a picture.

    Attributes:
        name: the picture's.
        truth: the number of its class.
        choices: the numbers of the likeliest labels, likeliest first.
        confidence: the probability of the first.
        right: the probability of its class.
    """

    name: str
    truth: int
    choices: tuple[int, ...]
    confidence: float
    right: float

    @property
    def correct(self) -> bool:
        """Whether the likeliest label is its class."""
        return self.choices[0] == self.truth

    @property
    def among(self) -> bool:
        """Whether its class is among the likeliest."""
        return self.truth in self.choices


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How the pictures of a class were told.

    Attributes:
        label, index: the model's word for the class, and its number.
        pictures: how many are of it.
        top1, top5: shares told rightly, at first and among five, 0 to 1; `top5` is None where there are five labels or
            fewer.
        mistaken_for: the label that is said most often of those told wrongly; empty where there are none.
    """

    label: str
    index: int
    pictures: int
    top1: float
    top5: float | None
    mistaken_for: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """A picture that was told wrongly: what it is and what was said, with the probabilities of both, 0 to 1."""

    path: str
    truth: str
    said: str
    probability: float
    probability_of_truth: float


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """How a classifier did. Shares and probabilities are 0 to 1.

    Attributes:
        pictures: how many were looked at.
        top1: share whose likeliest label is right.
        top1_low, top1_high: where it lies with a probability of 95 % (Wilson, 1927).
        top5: share whose class is among the five likeliest; None where the model has five labels or fewer.
        class_top1: mean of the classes' `top1`, each counting the same.
        ece: expected calibration error of the likeliest label's probability, 15 bins.
        confidence: that probability, on average.
        classes: those that occur, by their numbers.
        mistakes: the twenty surest.
    """

    pictures: int
    top1: float
    top1_low: float
    top1_high: float
    top5: float | None
    class_top1: float
    ece: float
    confidence: float
    classes: tuple[ClassFigures, ...]
    mistakes: tuple[Mistake, ...]

    def as_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return asdict(self)


def judged(probabilities: NDArray[np.floating[Any]], names: Sequence[str], truth: Sequence[int]) -> list[JudgedPicture]:
    """Keep of a batch's probabilities what the figures need.

    Args:
        probabilities: shaped [pictures, labels].
        names: of the pictures.
        truth: the numbers of their classes.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :AMONG]
    return [
        JudgedPicture(name, right, tuple(choices.tolist()), float(row[choices[0]]), float(row[right]))
        for name, right, choices, row in zip(names, truth, order, probabilities, strict=True)
    ]


def label_figures(pictures: Sequence[JudgedPicture], labels: Sequence[str]) -> LabelFigures:
    """Sum up what was said of at least one picture by a model with these labels."""
    correct = np.array([one.correct for one in pictures])
    confidence = np.array([one.confidence for one in pictures], dtype=np.float64)
    classes = _classes(pictures, labels)
    low, high = wilson(int(correct.sum()), len(pictures))
    return LabelFigures(
        pictures=len(pictures),
        top1=float(correct.mean()),
        top1_low=low,
        top1_high=high,
        top5=_top5(pictures, labels),
        class_top1=float(np.mean([one.top1 for one in classes])),
        ece=expected_calibration_error(confidence, correct, BINS),
        confidence=float(confidence.mean()),
        classes=classes,
        mistakes=_mistakes(pictures, labels),
    )


def wilson(right: int, count: int) -> tuple[float, float]:
    """Give where a share lies with a probability of 95 % (score interval; Wilson, JASA 1927); both ends 0 to 1.

    Args:
        right: so many of
        count: so many, at least one.
    """
    share, weight = right / count, _Z95**2 / count
    middle = share + weight / 2
    spread = _Z95 * math.sqrt(share * (1 - share) / count + weight / (4 * count))
    low, high = (middle - spread) / (1 + weight), (middle + spread) / (1 + weight)
    # At 0 and at 1 an end lies there exactly, which rounding may miss.
    return (0.0 if not right else low), (1.0 if right == count else high)


def _classes(pictures: Sequence[JudgedPicture], labels: Sequence[str]) -> tuple[ClassFigures, ...]:
    of_class: dict[int, list[JudgedPicture]] = defaultdict(list)
    for one in pictures:
        of_class[one.truth].append(one)
    return tuple(_class(index, of_class[index], labels) for index in sorted(of_class))


def _class(index: int, pictures: Sequence[JudgedPicture], labels: Sequence[str]) -> ClassFigures:
    wrong = Counter(one.choices[0] for one in pictures if not one.correct)
    return ClassFigures(
        label=labels[index],
        index=index,
        pictures=len(pictures),
        top1=sum(one.correct for one in pictures) / len(pictures),
        top5=_top5(pictures, labels),
        mistaken_for=labels[wrong.most_common(1)[0][0]] if wrong else "",
    )


def _top5(pictures: Sequence[JudgedPicture], labels: Sequence[str]) -> float | None:
    return sum(one.among for one in pictures) / len(pictures) if len(labels) > AMONG else None


def _mistakes(pictures: Sequence[JudgedPicture], labels: Sequence[str]) -> tuple[Mistake, ...]:
    wrong = sorted((one for one in pictures if not one.correct), key=lambda one: -one.confidence)
    return tuple(
        Mistake(one.name, labels[one.truth], labels[one.choices[0]], one.confidence, one.right)
        for one in wrong[:_WORST]
    )
