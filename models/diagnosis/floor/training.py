"""Trains the floor: weighted terms, logistic regression, and calibration on texts that it was not trained on."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.contract import LabelledTexts
from models.diagnosis.data.splits import group_folds
from models.diagnosis.floor.classifier import FloorClassifier
from models.diagnosis.floor.weighting import Rows, Vocabulary
from models.errors import TrainingError
from models.evaluation.classification.calibration import Calibration, calibrate

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FOLDS = 4
MOST_TEXTS = 20_000
"""Texts that are trained on at the most; of more, so many by chance, of each label its share."""

_MOST_TERMS, _MOST_COEFFICIENTS = 100_000, 20_000_000
"""Of each kind of terms; the coefficients of all then fit in 240 MB, however many labels there are."""

_SEED = 0
_STRENGTH = 15.0
_TOLERANCE = 0.1
_NEVER = -20.0
"""What is said for a class that a training has no text of."""

Told = Callable[[int, int], None]
"""Told how many of how many fits are done."""

Linear = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Coefficients, shaped [terms, classes], and constants, shaped [classes]."""


def train_floor(texts: LabelledTexts, told: Told | None = None) -> FloorClassifier:
    """Train the floor, and calibrate it on what is said of each quarter of the texts after a training on the others.

    Near-duplicates are in the same quarter, so that the probabilities hold for texts that are new. The strength of the
    regression and the shares of the kinds of terms were chosen on the starter data by folds of that sort.

    Args:
        texts: of at least two conditions; those labelled `NO_MATCH` teach it to abstain. Of more than `MOST_TEXTS`, so
            many are taken.
        told: told how many of how many fits are done.

    Raises:
        TrainingError: there are fewer than two conditions, or no two texts have a term in common.
    """
    labels = texts.conditions
    if len(labels) < 2:
        raise TrainingError("The texts are of fewer than two conditions.", "Give it texts of at least two labels.")
    told = told or _silent
    texts = _bounded(texts)
    numbers = {label: number for number, label in enumerate(labels)}
    targets = np.array([numbers.get(label, len(labels)) for label in texts.labels], np.int64)
    classes = max(len(labels), int(targets.max()) + 1)
    vocabulary = Vocabulary.of(texts.texts, min(_MOST_TERMS, _MOST_COEFFICIENTS // classes))
    if not len(vocabulary):
        raise TrainingError("No two texts have a word in common.", "Give it more texts of each label.")
    rows = _matrix(vocabulary.rows(texts.texts), len(vocabulary))
    folds = group_folds(texts, FOLDS, _SEED)
    calibration = _calibration(rows, targets, len(labels), folds, told)
    coefficients, constants = _fitted(rows, targets, classes)
    told(FOLDS + 1, FOLDS + 1)
    return FloorClassifier(labels, vocabulary, coefficients, constants, calibration)


def _silent(done: int, fits: int) -> None:
    """Tell nobody."""


def _bounded(texts: LabelledTexts) -> LabelledTexts:
    if len(texts.texts) <= MOST_TEXTS:
        return texts
    sizes, taken = Counter(texts.labels), Counter[str]()
    places = np.empty(len(texts.texts))
    for row in np.random.default_rng(_SEED).permutation(len(places)):
        label = texts.labels[row]
        places[row] = taken[label] / sizes[label]
        taken[label] += 1
    return texts.at(np.sort(np.argsort(places, kind="stable")[:MOST_TEXTS]))


def _matrix(rows: Rows, terms: int) -> "csr_array":
    from scipy.sparse import csr_array

    # liblinear takes 64-bit weights; others would be copied for every class.
    parts = (rows.weights.astype(np.float64), rows.numbers, rows.starts)
    return csr_array(parts, shape=(len(rows.starts) - 1, terms))


def _fitted(rows: "csr_array", targets: NDArray[np.int64], classes: int) -> Linear:
    """Fit a logistic regression for each class: the texts of it, and all others."""
    from sklearn.linear_model import LogisticRegression

    coefficients = np.zeros((rows.shape[1], classes), np.float32)
    constants = np.full(classes, _NEVER, np.float32)
    found = np.unique(targets)
    for number in found if len(found) > 1 else ():
        model = LogisticRegression(
            C=_STRENGTH, solver="liblinear", dual=True, tol=_TOLERANCE, max_iter=1_000, random_state=_SEED
        )
        model.fit(rows, targets == number)
        coefficients[:, number], constants[number] = model.coef_[0], model.intercept_[0]
    return coefficients, constants


def _calibration(
    rows: "csr_array", targets: NDArray[np.int64], conditions: int, folds: Sequence[NDArray[np.int64]], told: Told
) -> Calibration:
    classes = max(conditions, int(targets.max()) + 1)
    said = np.empty((len(targets), classes), np.float32)
    for done, held_out in enumerate(folds, start=1):
        others = np.setdiff1d(np.arange(len(targets)), held_out)
        coefficients, constants = _fitted(rows[others], targets[others], classes)
        said[held_out] = rows[held_out] @ coefficients + constants
        told(done, len(folds) + 1)
    return calibrate(said, targets, conditions)
