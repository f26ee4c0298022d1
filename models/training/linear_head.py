"""The linear head on an encoder that stays as it is: logistic regression, as strong as held-out examples want it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating[Any]]

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse regularisation strengths that are tried, for vectors of the length 1, where no others are given."""

_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Head:
    """A linear head.

    Attributes:
        weight: shaped [classes, width].
        bias: shaped [classes].
        training_loss: mean negative log-likelihood of the examples it was fitted to, in nats.
        validation_loss: the same of the validation examples.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    training_loss: float
    validation_loss: float


def class_weights(targets: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Give each class the weight at which all count the same, kept between a half and four; shaped [classes].

    Beyond these bounds a label of three examples would shake the training, and examples that match nothing, of which
    there are many kinds, would count for no more than one condition. A class without an example gets 1.
    """
    counts = np.bincount(targets, minlength=classes)
    balanced = len(targets) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.where(counts > 0, balanced.clip(0.5, 4.0), 1.0)


def fitted_head(
    vectors: Vectors,
    targets: NDArray[np.int64],
    validation: tuple[Vectors, NDArray[np.int64]],
    classes: int,
    strengths: Sequence[float] = STRENGTHS,
) -> Head:
    """Fit a head to vectors; of several strengths the one of the least loss on the validation examples.

    Args:
        vectors: shaped [examples, width].
        targets: the class of each, each class at least once.
        validation: vectors and classes of the validation examples.
        classes: how many there are, at least two.
        strengths: inverse regularisation strengths to try, for vectors of the length 1.
    """
    scale = float(np.sqrt(np.square(vectors).sum(axis=1).mean())) or 1.0
    training = (vectors, targets)
    fits = (_head(strength, scale, training, validation, classes) for strength in strengths)
    return min(fits, key=lambda head: head.validation_loss)


def _head(
    strength: float,
    scale: float,
    training: tuple[Vectors, NDArray[np.int64]],
    validation: tuple[Vectors, NDArray[np.int64]],
    classes: int,
) -> Head:
    from sklearn.linear_model import LogisticRegression

    vectors, targets = training
    weights = dict(enumerate(class_weights(targets, classes)))
    regression = LogisticRegression(C=strength, class_weight=weights, max_iter=_STEPS).fit(vectors / scale, targets)
    weight, bias = regression.coef_ / scale, regression.intercept_
    if classes == 2:
        # Of two classes scikit-learn keeps the second one's row alone.
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return Head(weight, bias, _loss(weight, bias, *training), _loss(weight, bias, *validation))


def _loss(
    weight: NDArray[np.float64], bias: NDArray[np.float64], vectors: Vectors, targets: NDArray[np.int64]
) -> float:
    from scipy.special import log_softmax

    return float(-log_softmax(vectors @ weight.T + bias, axis=1)[np.arange(len(targets)), targets].mean())
