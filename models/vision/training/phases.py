"""The phases of a training: a head on the encoder as it is; then, where that is wanted, its last blocks with it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from models.evaluation.classification.calibration import fit_temperature
from models.training.linear_head import Head, fitted_head
from models.training.options import Curve
from models.training.splits import Rows, Split
from models.training.trainer import Progressing, has_state
from models.vision.training.features import Shown, computed, vectors
from models.vision.training.fine_tuning import fine_tuned
from models.vision.training.network import PictureNetwork
from models.vision.training.options import FEWEST_TO_CALIBRATE, ImageTrainingOptions
from models.vision.training.parts import Parts

Logits = NDArray[np.float64]
Told = Callable[[str, int, int, float | None], None]

_TUNED = "tuned.safetensors"
_CURVE = "curve.json"

# Encoders of pictures tell classes apart by small differences, which wants weaker regularisation than texts.
_STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a classifier said of what it was not trained on.

    Attributes:
        temperature: found on the validation pictures; 1 where they are too few.
        loss: their mean negative log-likelihood at the temperature that fits them best, in nats.
        test: its logits for the test pictures, shaped [pictures, classes].
    """

    temperature: float
    loss: float
    test: Logits


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the head is shown of some pictures: their numbers, ascending, and a row for each."""

    rows: Rows
    vectors: NDArray[np.float32]

    def at(self, rows: Rows) -> NDArray[np.float32]:
        """Give those of some of them."""
        return self.vectors[np.searchsorted(self.rows, rows)]


class Phases:
    """The phases of one training.

    Args:
        parts: what is learnt from.
        network: the base; what it holds at the end is what is kept.
        shown: its pictures.
        options: how.
        workspace: where states are kept.
        told: told how far it is.
        stopping: when set, the state is kept and the training ends.
        resume: whether to go on from the states that are kept.
    """

    def __init__(
        self,
        parts: Parts,
        network: PictureNetwork,
        shown: Shown,
        options: ImageTrainingOptions,
        workspace: Path,
        told: Told,
        stopping: Event,
        resume: bool,
    ) -> None:
        self._parts = parts
        self._network = network
        self._shown = shown
        self._options = options
        self._workspace = workspace
        self._told = told
        self._stopping = stopping
        self._resume = resume
        self._seen: list[_Seen] = []

    def look(self) -> None:
        """Have the encoder look at all pictures as they are, and at those that are trained on augmented, too.

        Raises:
            StoppedError: it was stopped.
            OSError: what was computed cannot be written.
        """
        splits = [one for one in (self._parts.honest, self._parts.random) if one]
        everything = np.unique(np.concatenate([rows for one in splits for rows in one.sides]))
        training = np.unique(np.concatenate([one.training for one in splits]))
        copies = self._options.copies(len(training))
        self._seen = [self._looked(everything, 0, "looking at the pictures")]
        for copy in range(1, copies + 1):
            self._seen.append(self._looked(training, copy, f"looking at them augmented, {copy} of {copies}"))

    def head(self) -> tuple[Judged, Curve]:
        """Fit the head to the encoder as it is, and set it."""
        head = self._fitted(self._parts.honest)
        self._network.set_head(head.weight, head.bias)
        curve = Curve(((1.0, head.training_loss),), ((1.0, head.validation_loss),))
        return self._judged_head(head, self._parts.honest), curve

    def by_chance(self, split: Split) -> Judged:
        """Fit such a head on another split of the same pictures, and throw it away."""
        return self._judged_head(self._fitted(split), split)

    def fine_tune(self, head: Judged) -> tuple[Judged, Curve, bool]:
        """Fine-tune the last blocks; where that does no better on the validation pictures, the head alone is kept.

        Args:
            head: what the head alone did.

        Returns:
            What the fine-tuned one did, how its losses went, and whether it is kept.

        Raises:
            StoppedError: it was stopped.
            TrainingError: the base has fewer blocks, the loss is no number any more, or the state cannot be written.
            OSError: the result cannot be written.
        """
        before = {name: value.clone() for name, value in self._network.state_dict().items()}
        curve = self._tuned()
        rows = self._parts.honest
        judged = self._judged(self._logits(rows.validation), self._logits(rows.test), rows)
        is_better = judged.loss < head.loss
        if not is_better:
            self._network.load_state_dict(before)
        return judged, curve, is_better

    def _tuned(self) -> Curve:
        folder = self._workspace / "fine-tuning"
        if (folder / _CURVE).is_file():
            self._network.load_state_dict(load_file(folder / _TUNED))
            kept = json.loads((folder / _CURVE).read_bytes())
            return Curve(_points(kept["training"]), _points(kept["held_out"]))
        split = self._parts.honest

        def _progress(step: int, steps: int, loss: float | None) -> None:
            self._told("fine-tuning", step, steps, loss)

        goes_on = self._resume and has_state(folder)
        training, validation = ((rows, self._targets(rows)) for rows in (split.training, split.validation))
        around = Progressing(folder, _progress, self._stopping, goes_on)
        curve = fine_tuned(self._network, self._shown, training, validation, self._options, around)
        save_file({name: value.contiguous() for name, value in self._network.state_dict().items()}, folder / _TUNED)
        making = folder / f"making-{_CURVE}"
        making.write_text(json.dumps(asdict(curve)), encoding="utf-8")
        making.replace(folder / _CURVE)
        return curve

    def _looked(self, rows: Rows, turn: int, doing: str) -> _Seen:
        def _told(done: int) -> None:
            self._told(doing, done, len(rows), None)

        folder = self._workspace / "vectors"
        return _Seen(rows, vectors(self._network, self._shown, rows, turn, folder, _told, self._stopping))

    def _fitted(self, split: Split) -> Head:
        seen = np.concatenate([one.at(split.training) for one in self._seen])
        targets = np.tile(self._targets(split.training), len(self._seen))
        held_out = (self._seen[0].at(split.validation), self._targets(split.validation))
        return fitted_head(seen, targets, held_out, len(self._parts.labels), _STRENGTHS)

    def _judged_head(self, head: Head, split: Split) -> Judged:
        said = [self._seen[0].at(rows) @ head.weight.T + head.bias for rows in (split.validation, split.test)]
        return self._judged(said[0], said[1], split)

    def _judged(self, validation: Logits, test: Logits, split: Split) -> Judged:
        from scipy.special import log_softmax

        targets = self._targets(split.validation)
        fitting = fit_temperature(validation, targets)
        loss = -log_softmax(validation / fitting, axis=1)[np.arange(len(targets)), targets].mean()
        # Of a few pictures, all told rightly, none can be read off that would hold for others.
        return Judged(fitting if len(targets) >= FEWEST_TO_CALIBRATE else 1.0, float(loss), test)

    def _logits(self, rows: Rows) -> Logits:
        """What the network says of pictures as they are."""
        head = self._network.head

        def _told(done: int) -> None:
            self._told("judging", done, len(rows), None)

        seen = computed(self._network, self._shown, rows, 0, self._stopping, _told)
        weight, bias = (one.detach().double().numpy() for one in (head.weight, head.bias))
        logits: Logits = seen.astype(np.float64) @ weight.T + bias
        return logits

    def _targets(self, rows: Rows) -> Rows:
        return self._parts.targets[rows]


def _points(rows: Any) -> tuple[tuple[float, float], ...]:  # noqa: ANN401 - JSON
    return tuple((float(epoch), float(loss)) for epoch, loss in rows)
