"""Trains the detector of red flags on examples of emergencies, and on what looks like one and is none."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.contract import LabelledTexts
from models.diagnosis.floor.classifier import FloorClassifier
from models.diagnosis.floor.weighting import Vocabulary
from models.diagnosis.red_flags.detector import FlagDetector, concept_count, concepts_of
from models.diagnosis.red_flags.rules import Rules, read_rules
from models.errors import TrainingError
from models.evaluation.classification.calibration import Calibration

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_MOST_TERMS = 14_000
"""Of each kind; the file of the detector then stays below 8 MB."""

_STRENGTH = 15.0
_TOLERANCE = 0.1
_UNCALIBRATED = Calibration(temperature=1.0, threshold=0.5)


def train_detector(texts: LabelledTexts) -> FlagDetector:
    """Train the detector in seconds.

    Whether there is an emergency is learned from all texts; which flag it deserves from the emergencies alone, so that
    rare flags are not drowned by what is none.

    Args:
        texts: labelled with the names of flags, of two at least; with `NO_MATCH` where they are no emergency.

    Raises:
        TrainingError: there are fewer than two flags, or no text that is none.
    """
    labels = texts.conditions
    if len(labels) < 2 or len(labels) == len(set(texts.labels)):
        raise TrainingError(
            "The examples are of fewer than two red flags, or all of some.", "Give it texts of flags and harmless ones."
        )
    rules = read_rules()
    vocabulary = Vocabulary.of(texts.texts, _MOST_TERMS)
    rows = _matrix(texts, vocabulary, rules)
    urgent = np.array([label in labels for label in texts.labels])
    coefficients = np.zeros((rows.shape[1], len(labels) + 1), np.float32)
    constants = np.zeros(len(labels) + 1, np.float32)
    named = np.array(texts.labels, dtype=object)[urgent]
    for number, label in enumerate(labels):
        coefficients[:, number], constants[number] = _fitted(rows[urgent], named == label)
    coefficients[:, -1], constants[-1] = _fitted(rows, ~urgent)
    return FlagDetector(FloorClassifier(labels, vocabulary, coefficients, constants, _UNCALIBRATED))


def _matrix(texts: LabelledTexts, vocabulary: Vocabulary, rules: Rules) -> "csr_matrix":
    """Give the weights of terms and concepts, shaped [texts, terms + concepts]."""
    from scipy.sparse import csr_matrix, hstack

    rows = vocabulary.rows(texts.texts)
    count = len(texts.texts)
    terms = csr_matrix((rows.weights.astype(np.float64), rows.numbers, rows.starts), shape=(count, len(vocabulary)))
    found = [concepts_of(text, rules) for text in texts.texts]
    lengths = [len(numbers) for numbers, _ in found]
    numbers = np.array([number for numbers, _ in found for number in numbers], np.int32)
    starts = np.cumsum([0, *lengths], dtype=np.int32)
    weights = np.repeat([weight for _, weight in found], lengths)
    concepts = csr_matrix((weights, numbers, starts), shape=(count, concept_count(rules)))
    return csr_matrix(hstack([terms, concepts]))


def _fitted(rows: "csr_matrix", targets: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=_STRENGTH, solver="liblinear", dual=True, tol=_TOLERANCE, max_iter=1_000, random_state=0
    )
    model.fit(rows, targets)
    return model.coef_[0], float(model.intercept_[0])
