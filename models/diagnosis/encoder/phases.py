"""The steps of a fine-tuning by the Hugging Face Trainer: each keeps its state in a folder of its own."""

import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, cast

from torch import nn
from torch.utils.data import Sampler
from transformers import Trainer, TrainingArguments

from models.training.options import Curve
from models.training.trainer import Pace, Progress, Progressing, arguments, carry_out, has_state

Row = Mapping[str, Any]

_BATCHES_SORTED_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Steps:
    """Counts the steps of several phases as those of one training.

    Attributes:
        progress: told how far the whole training is.
        total: steps of all phases at most.
        done: steps that the phases before have at most.
        trained: steps that they took of the Trainer.
    """

    progress: Progress
    total: int
    done: int = 0
    trained: int = 0

    def told(self, step: int, steps: int, loss: float | None) -> None:
        """Pass on how far a phase is."""
        self.progress(self.done + step, self.total, loss)

    def after(self, most: int, trained: int = 0) -> "Steps":
        """Give the count for what follows a phase of at most so many steps, and so many that it took."""
        return replace(self, done=self.done + most, trained=self.trained + trained)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a training keeps its states, and who stops it.

    Attributes:
        folder: one folder for each phase lies in it.
        stopping: when set, the phase keeps its state after the step and ends.
        resume: whether to go on from what is kept there.
    """

    folder: Path
    stopping: Event
    resume: bool

    def phase(self, name: str, steps: Steps) -> Progressing:
        """Give the surroundings of a phase; its old states are thrown away where the training starts afresh."""
        folder = self.folder / name
        if not self.resume:
            shutil.rmtree(folder, ignore_errors=True)
        return Progressing(folder, steps.told, self.stopping, self.goes_on(name))

    def goes_on(self, name: str) -> bool:
        """Tell whether a phase goes on from a state that was kept."""
        return self.resume and has_state(self.folder / name)


class LengthGrouped(Sampler[int]):
    """An order in which examples of a like length stand together, so that little is padded.

    It hangs on seed and epoch alone, so that a training that goes on sees what one that was never stopped sees.

    Args:
        lengths: of the examples.
        batch: examples in a step.
        seed: of the order.
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths = lengths
        self._batch = batch
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0; the library calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self._seed} {self._epoch}")  # noqa: S311 - chance, no secret
        order = chance.sample(range(len(self._lengths)), len(self._lengths))
        span = self._batch * _BATCHES_SORTED_TOGETHER
        batches: list[list[int]] = []
        for start in range(0, len(order), span):
            alike = sorted(order[start : start + span], key=lambda one: self._lengths[one])
            batches += [alike[at : at + self._batch] for at in range(0, len(alike), self._batch)]
        # A batch that is not full has to come last: the loader cuts the order into batches by counting.
        short = [batch for batch in batches if len(batch) < self._batch]
        full = [batch for batch in batches if len(batch) == self._batch]
        chance.shuffle(full)
        return iter([number for batch in (*full, *short) for number in batch])


class _LengthGroupedTrainer(Trainer):
    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGrouped:  # noqa: ANN401 - as the library has it
        rows = cast(Sequence[Row], self.train_dataset)
        return LengthGrouped([length_of(row) for row in rows], self.args.train_batch_size, int(self.args.seed))


def length_of(row: Row) -> int:
    """Give how many tokens an example has: those of the longer text, where it has two."""
    return max(len(value) for key, value in row.items() if key.endswith("input_ids"))


def trained_phase(
    model: nn.Module, rows: tuple[Sequence[Row], Sequence[Row]], pace: Pace, around: Progressing, **parts: object
) -> tuple[Curve, int]:
    """Train a network by the Trainer; it holds the best weights then. Gives the curve, and the steps that it took.

    Args:
        model: what is trained.
        rows: the examples to train on, and those held out.
        pace: how fast and how long.
        around: where the state is kept, and who is told and may stop it.
        parts: further arguments of the Trainer, such as its collator.

    Raises:
        StoppedError: it was stopped.
        TrainingError: the loss is no number any more, or the state cannot be written.
    """
    trainer = _LengthGroupedTrainer(
        model=model,
        args=TrainingArguments(**arguments(pace, around.folder, weight_decay=0.01)),
        train_dataset=cast(Any, rows[0]),
        eval_dataset=cast(Any, rows[1]),
        **cast(Mapping[str, Any], parts),
    )
    curve = carry_out(trainer, pace.patience, around)
    return curve, trainer.state.global_step
