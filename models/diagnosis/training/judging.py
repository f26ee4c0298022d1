"""Judges classifiers on texts that were held out: the trained one, the floor, and the one in use."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.contract import LabelledTexts, SymptomClassifier
from models.diagnosis.evaluation.wording import SYMPTOMS
from models.diagnosis.training.order import InUse, Rival
from models.diagnosis.training.parts import Parts, Side
from models.diagnosis.training.seen_texts import unseen
from models.evaluation.classification.calibration import Calibration, calibrate
from models.evaluation.classification.comparison import compare
from models.evaluation.classification.figures import Figures, figures_of

Logits = NDArray[np.floating[Any]]

_RAW = Calibration(temperature=1.0, threshold=0.0)
_FEWEST = 20
"""Texts of conditions on which two classifiers can be compared."""


def calibrated(logits: Logits, texts: LabelledTexts, labels: tuple[str, ...]) -> Calibration:
    """Find temperature and threshold on the validation texts; raises EvaluationError without texts of conditions."""
    columns = {label: column for column, label in enumerate(labels)}
    targets = np.array([columns.get(label, len(labels)) for label in texts.labels], dtype=np.int64)
    return calibrate(logits, targets, len(labels))


def judged(logits: Logits, texts: LabelledTexts, labels: tuple[str, ...], calibration: Calibration) -> Figures:
    """Give the figures of a trained model, by its logits for texts that it has not seen."""
    return figures_of(
        calibration.probabilities(logits, len(labels)),
        labels,
        texts.labels,
        calibration.threshold,
        _RAW.probabilities(logits, len(labels)),
        texts.texts,
    )


def floor_figures(side: Side) -> Figures:
    """Train the floor on what the model was trained on and calibrated by, and judge it on the same texts."""
    from models.diagnosis.floor.training import train_floor

    floor = train_floor(side.known)
    return judged(floor.logits(side.test.texts), side.test, floor.labels, floor.calibration)


def rival_of(in_use: InUse, parts: Parts, logits: Logits, calibration: Calibration, threads: int) -> Rival | None:
    """Judge the classifier in use beside the new one, on what neither has seen; None where the floor is in use.

    Args:
        in_use: what is compared with.
        parts: the texts.
        logits: of the new one, for all test texts.
        calibration: of the new one.
        threads: that compute; 0: one for each core this process may use.

    Raises:
        ModelError: the classifier in use cannot be loaded.
    """
    if in_use.folder is None:
        return None
    rows = unseen(parts.honest.test.texts, in_use.folder)
    texts = parts.honest.test.at(rows)
    if sum(bool(label) for label in texts.labels) < _FEWEST:
        return Rival(in_use.name, None, None)
    from models.diagnosis.encoder.classifier import load_encoder

    new = judged(logits[rows], texts, parts.labels, calibration)
    old = _figures(load_encoder(in_use.folder, in_use.name, threads), texts)
    return Rival(in_use.name, old, compare(new, old, old_name=in_use.name, wording=SYMPTOMS))


def _figures(classifier: SymptomClassifier, texts: LabelledTexts) -> Figures:
    try:
        probabilities = classifier.probabilities(texts.texts)
        return figures_of(probabilities, classifier.labels, texts.labels, classifier.threshold, examples=texts.texts)
    finally:
        classifier.close()
