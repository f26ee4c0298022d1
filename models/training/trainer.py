"""What trainings by the Hugging Face Trainer share: progress, stopping and going on, early stop, the curve, LoRA."""

import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, cast

from safetensors import SafetensorError
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME

from models.errors import TrainingError
from models.training.options import Curve, LoraOptions, StoppedError

Progress = Callable[[int, int, float | None], None]
"""Told after every step: steps done, steps at most, and the loss on what is held out where it is known."""

_POINTS = 100
"""Of the training's loss that the curve shows at most."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how long is trained.

    Attributes:
        examples: that are trained on, from 1.
        epochs: how often each is seen at most, from 1.
        batch: examples in a step, from 1.
        learning_rate: the highest; it rises at first and falls to 0 in a line.
        seed: of the order of the examples, and of whatever else is left to chance.
        patience: epochs without a lower loss on what is held out after which the training ends, from 1.
    """

    examples: int
    epochs: int
    batch: int
    learning_rate: float
    seed: int
    patience: int


@dataclass(frozen=True, slots=True)
class Progressing:
    """A training's surroundings.

    Attributes:
        folder: where the state is kept after every epoch, so that the training can go on.
        progress: told after every step.
        stopping: when set, the state is kept after the step and the training ends.
        resume: whether to go on from the state that is kept.
    """

    folder: Path
    progress: Progress
    stopping: Event
    resume: bool


def arguments(pace: Pace, folder: Path, **more: object) -> dict[str, Any]:
    """Give the TrainingArguments of a training on the processor that keeps the weights of the lowest held-out loss.

    Args:
        pace: how fast and how long.
        folder: where the state is kept.
        more: further arguments, or others.
    """
    steps = math.ceil(pace.examples / pace.batch)
    return {
        "output_dir": str(folder),
        "num_train_epochs": pace.epochs,
        "per_device_train_batch_size": pace.batch,
        "per_device_eval_batch_size": pace.batch,
        "learning_rate": pace.learning_rate,
        "warmup_steps": min(steps * pace.epochs // 10, 100),
        "seed": pace.seed,
        "data_seed": pace.seed,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        # The best one and the last one; with 1, the last one is deleted at an interruption.
        "save_total_limit": 2,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
        "restore_callback_states_from_checkpoint": True,
        "prediction_loss_only": True,
        "logging_strategy": "steps",
        "logging_steps": max(1, steps * pace.epochs // _POINTS),
        "logging_nan_inf_filter": False,
        "log_level": "error",
        "disable_tqdm": True,
        "report_to": [],
        "use_cpu": True,
        "dataloader_pin_memory": False,
        "remove_unused_columns": False,
        "label_names": ["labels"],
        **more,
    }


def carry_out(trainer: Trainer, patience: int, around: Progressing) -> Curve:
    """Train until the loss on what is held out falls no more, or all epochs are done; the best weights are kept.

    Args:
        trainer: made with `arguments`.
        patience: as in `Pace`.
        around: the training's surroundings.

    Raises:
        StoppedError: `around.stopping` was set.
        TrainingError: there is nothing to go on from, the loss is no number any more, or the state cannot be written.
    """
    trainer.add_callback(EarlyStoppingCallback(patience))
    trainer.add_callback(_Watch(around.progress, around.stopping))
    trainer.remove_callback(PrinterCallback)
    last = _last_state(around.folder) if around.resume else None
    if around.resume and last is None:
        raise TrainingError("There is no interrupted training of that name.", "Leave --resume out.")
    if last and _had_ended_early(last, patience):
        # The trainer would take it for interrupted, and go on.
        trainer.args.num_train_epochs = round(last.state["epoch"])
    try:
        trainer.train(resume_from_checkpoint=str(last.folder) if last else None)
    except (OSError, SafetensorError) as error:
        raise _not_kept(around.folder, str(error)) from error
    except RuntimeError as error:
        if not _is_of_writing(error):
            raise
        raise _not_kept(around.folder, "not all of it could be written") from error
    if around.stopping.is_set():
        raise stopped(trainer.state.global_step)
    curve = _curve(trainer.state.log_history)
    if not curve.held_out or not all(math.isfinite(loss) for _, loss in curve.held_out):
        raise TrainingError("The training went astray: its loss is no number.", "Lower --learning-rate.")
    return curve


def stopped(step: int) -> StoppedError:
    """Make the error that says after which step somebody stopped the training."""
    return StoppedError(f"The training was stopped after step {step:,}.", "Go on with --resume.")


def _not_kept(folder: Path, reason: str) -> TrainingError:
    return TrainingError(
        f"The training's state cannot be kept in {folder}: {reason}.", "Make room; then go on with --resume."
    )


def _is_of_writing(error: RuntimeError) -> bool:
    """Whether torch could not write the optimizer's state, as where the disk is full: it has no error of its own."""
    return "inline_container" in str(error) or "PytorchStreamWriter" in str(error)


def has_state(folder: Path) -> bool:
    """Tell whether a folder holds a whole state from which a training can go on."""
    return _last_state(folder) is not None


class _Watch(TrainerCallback):
    """Tells how far the training is, and ends it in good order when somebody wants it to end."""

    def __init__(self, progress: Progress, stopping: Event) -> None:
        self._progress = progress
        self._stopping = stopping
        self._loss: float | None = None

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        self._progress(state.global_step, state.max_steps, self._loss)
        if self._stopping.is_set():
            control.should_save = True
            control.should_training_stop = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        if self._stopping.is_set() and state.global_step % (state.max_steps // int(args.num_train_epochs)):
            # Half an epoch is not to be judged, and what was kept at the last step is to stay as it is: judging draws
            # random numbers, and a training that goes on would draw others than one that was never stopped.
            control.should_evaluate = False
            control.should_save = False

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        self._loss = cast(dict[str, float], kwargs["metrics"])["eval_loss"]
        self._progress(state.global_step, state.max_steps, self._loss)


def with_lora(model: PreTrainedModel, lora: LoraOptions, task: str, **more: object) -> PreTrainedModel:
    """Freeze a model and put small trainable matrices beside its layers (Hu et al., 2021, "LoRA").

    Args:
        model: what is frozen.
        lora: the matrices.
        task: peft's name of the task, such as ``CAUSAL_LM``.
        more: further settings of peft's `LoraConfig`.

    Raises:
        TrainingError: the model has none of the layers that are to get matrices.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    try:
        with warnings.catch_warnings():
            # peft asks transformers by a name that is going out of use.
            warnings.simplefilter("ignore", FutureWarning)
            config = LoraConfig(
                task_type=TaskType(task),
                r=lora.rank,
                lora_alpha=lora.alpha,
                lora_dropout=0.05,
                target_modules=_targets(lora.targets),
                **cast(Mapping[str, Any], more),
            )
            return cast(PreTrainedModel, get_peft_model(model, config))
    except ValueError as error:
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(
            f"LoRA finds none of its targets in the model: {reason}.",
            "Name layers of the model with --targets, or all-linear.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Kept:
    """A state that the trainer kept: where, and what it says of it."""

    folder: Path
    state: dict[str, Any]


def _last_state(folder: Path) -> _Kept | None:
    """Give the last state that is whole; one is when the file that the trainer writes last can be read."""
    found = [_Kept(one, state) for one in folder.glob("checkpoint-*") if (state := _read(one / TRAINER_STATE_NAME))]
    return max(found, key=lambda one: one.state["global_step"], default=None)


def _read(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_bytes()))
    except (OSError, ValueError):
        return {}


def _had_ended_early(kept: _Kept, patience: int) -> bool:
    waited = kept.state["stateful_callbacks"][EarlyStoppingCallback.__name__]["attributes"]
    return bool(waited["early_stopping_patience_counter"] >= patience)


def _targets(targets: tuple[str, ...]) -> str | list[str] | None:
    """As peft takes them; None: those it knows for the kind of model."""
    return targets[0] if targets == ("all-linear",) else list(targets) or None


def _curve(history: Sequence[dict[str, float]]) -> Curve:
    training = tuple((entry["epoch"], entry["loss"]) for entry in history if "loss" in entry)
    held_out = tuple((entry["epoch"], entry["eval_loss"]) for entry in history if "eval_loss" in entry)
    return Curve(training, held_out)
