"""The floor as the diagnosis uses it: a linear classifier over weighted terms, by numpy alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.contract import FLOOR
from models.diagnosis.floor.weighting import Vocabulary
from models.evaluation.classification.calibration import Calibration


@dataclass(slots=True)
class FloorClassifier:
    """A trained floor; a `SymptomClassifier` that may serve several threads at once.

    Attributes:
        labels: the conditions it knows, sorted.
        vocabulary: the terms it knows.
        coefficients: what each term says for each class, shaped [terms, classes]: one class a label and, where it was
            trained on such texts, one more for what matches nothing.
        constants: what is said for each class without a term, shaped [classes].
        calibration: what makes probabilities of that, and when to abstain.
        name: what it is called.
        knows_no_match, threshold: see `SymptomClassifier`.
    """

    labels: tuple[str, ...]
    vocabulary: Vocabulary
    coefficients: NDArray[np.float32]
    constants: NDArray[np.float32]
    calibration: Calibration
    name: str = FLOOR
    knows_no_match: bool = field(init=False)
    threshold: float = field(init=False)

    def __post_init__(self) -> None:
        self.knows_no_match = len(self.constants) > len(self.labels)
        self.threshold = self.calibration.threshold

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give what is said for each class, uncalibrated, shaped [texts, classes]."""
        rows = self.vocabulary.rows(texts)
        said = np.empty((len(texts), len(self.constants)), np.float32)
        for place, (start, end) in enumerate(pairwise(rows.starts.tolist())):
            said[place] = rows.weights[start:end] @ self.coefficients[rows.numbers[start:end]] + self.constants
        return said

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Give calibrated probabilities, shaped [texts, labels]; what a row lacks to 1 is that nothing matches."""
        return self.calibration.probabilities(self.logits(texts), len(self.labels))

    def close(self) -> None:
        """Do nothing: its memory goes with it."""
