"""Trains a model on one split, once: what is done lies in the workspace, so that who goes on finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.training.judging import Logits, calibrated
from models.diagnosis.training.order import Order
from models.diagnosis.training.parts import Side
from models.evaluation.classification.calibration import Calibration
from models.training.options import Curve
from models.training.trained_model import whole_or_not_at_all

RESULTS = "results.npz"
"""Beside the saved model: what it said about the texts that were held out, and how its losses went."""

Progress = Callable[[int, int, float | None], None]
"""Told steps done, steps at most, and the loss on the validation texts."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A model that was trained.

    Attributes:
        folder: where it is saved.
        calibration: found on the validation texts.
        test: its logits for the test texts.
        curve: how the losses went.
    """

    folder: Path
    calibration: Calibration
    test: Logits
    curve: Curve


def phase(
    order: Order, labels: tuple[str, ...], side: Side, workspace: Path, progress: Progress, stopping: Event
) -> Phase:
    """Train on a split, or read what came of it before the training was interrupted.

    Args:
        order: what is trained, and how.
        labels: the conditions.
        side: the split.
        workspace: of this split alone.
        progress: told after every step.
        stopping: when set, the state is kept and the training ends.

    Raises:
        StoppedError: `stopping` was set.
        TrainingError: it cannot be trained, or its state or its result not be written.
    """
    done = workspace / "done"
    if not (done / RESULTS).is_file():
        _train(order, labels, side, workspace, progress, stopping)
    with np.load(done / RESULTS, allow_pickle=False) as kept:
        calibration = calibrated(kept["validation"], side.validation, labels)
        curve = Curve(_points(kept["curve_training"]), _points(kept["curve_held_out"]))
        return Phase(done, calibration, kept["test"], curve)


def _train(
    order: Order, labels: tuple[str, ...], side: Side, workspace: Path, progress: Progress, stopping: Event
) -> None:
    # Imports torch: not before it is needed.
    from models.diagnosis.encoder.training import EncoderTrainee

    trainee = EncoderTrainee(order.base, order.options, labels)
    state = workspace / "state"
    trained = trainee.train(side.training, side.validation, state, progress, stopping, order.resume)
    validation, test = trained.logits(side.validation.texts), trained.logits(side.test.texts)
    training, held_out = np.array(trained.curve.training), np.array(trained.curve.held_out)
    with whole_or_not_at_all(workspace / "done") as making:
        trained.save(making, calibrated(validation, side.validation, labels))
        file = making / RESULTS
        np.savez(file, validation=validation, test=test, curve_training=training, curve_held_out=held_out)


def _points(rows: NDArray[Any]) -> tuple[tuple[float, float], ...]:
    return tuple((float(epoch), float(loss)) for epoch, loss in rows.reshape(-1, 2))
