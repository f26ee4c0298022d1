"""Fine-tunes a seq2seq or causal model on examples of prompt and answer: every weight of it, or by LoRA."""

import copy
import json
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, cast

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.utils import logging

from models.errors import ModelUnusableError, TrainingError
from models.generation.engines.loading import whole_model
from models.generation.engines.prompts import Message, chatted, instructed
from models.generation.engines.vocabulary import Vocabulary
from models.machine import usable_cores
from models.store.model_store import Checkpoint
from models.training.data import Example, Examples
from models.training.options import Curve, LoraOptions, StoppedError, TrainingOptions

Progress = Callable[[int, int, float | None], None]
"""Told after every step: steps done, steps at most, and the loss on the held-out pairs where it is known."""

_DEFAULT_WINDOW = 512
_LONGEST_PROMPT = 4_096
_IGNORED = -100
_POINTS = 100
"""Of the training's loss that the curve shows at most."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model after its training.

    Attributes:
        model: with the weights of the lowest loss on what was held out; LoRA's are merged.
        curve: how the losses went.
        steps: steps trained, those before an interruption included.
    """

    model: PreTrainedModel
    curve: Curve
    steps: int


class Trainee:
    """A model that is to be trained.

    Args:
        checkpoint: a seq2seq or causal model; trained in float32.
        options: how it is trained.

    Attributes:
        examples: makes its training examples.

    Raises:
        ModelUnusableError: the checkpoint cannot be loaded.
    """

    def __init__(self, checkpoint: Checkpoint, options: TrainingOptions) -> None:
        # What the library prints is for developers; what matters is raised.
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(options.threads or usable_cores())
        self._options = options
        self._is_causal = checkpoint.kind == "causal"
        self._tokenizer, self._model = _loaded(checkpoint)
        # The one that takes prompts apart neither pads nor truncates; the collator's has to.
        vocabulary = Vocabulary(copy.deepcopy(self._tokenizer).backend_tokenizer)
        template = partial(_templated, self._tokenizer)
        talks = self._is_causal and getattr(self._tokenizer, "chat_template", None)
        render = chatted(vocabulary, template, checkpoint.name) if talks else instructed(vocabulary)
        window = _window(self._model.config, options.longest_answer if self._is_causal else 0)
        end = _end(self._model.generation_config.eos_token_id, self._tokenizer)
        self.examples = Examples(vocabulary, render, window, options.longest_answer, end)

    def train(
        self,
        training: Sequence[Example],
        held_out: Sequence[Example],
        folder: Path,
        progress: Progress,
        stopping: Event,
        resume: bool,
    ) -> Trained:
        """Train until the loss on what is held out falls no more, or all epochs are done.

        Args:
            training: trained on, at least one.
            held_out: judged by, at least one.
            folder: where the state is kept after every epoch, so that the training can go on.
            progress: told after every step.
            stopping: when set, the state is kept after the step and the training ends.
            resume: whether to go on from the state that is kept.

        Raises:
            StoppedError: `stopping` was set.
            TrainingError: LoRA finds none of its targets, there is nothing to go on from, the loss is no number any
                more, or the state cannot be written.
        """
        # Seeds the adapters' start and the order of the examples.
        set_seed(self._options.seed)
        model = _with_lora(self._model, self._options.lora, self._is_causal) if self._options.lora else self._model
        trainer = self._trainer(model, training, held_out, folder, _Watch(progress, stopping))
        last = _last_state(folder) if resume else None
        if resume and last is None:
            raise TrainingError("There is no interrupted training of that name.", "Leave --resume out.")
        if last and _had_ended_early(last, self._options.patience):
            # The trainer would take it for interrupted, and go on.
            trainer.args.num_train_epochs = round(last.state["epoch"])
        try:
            trainer.train(resume_from_checkpoint=str(last.folder) if last else None)
        except (OSError, SafetensorError) as error:
            raise TrainingError(f"The training's state cannot be kept in {folder}: {error}.", "Make room.") from error
        if stopping.is_set():
            raise StoppedError(
                f"The training was stopped after step {trainer.state.global_step:,}.", "Go on with --resume."
            )
        curve = _curve(trainer.state.log_history)
        if not curve.held_out or not all(math.isfinite(loss) for _, loss in curve.held_out):
            raise TrainingError("The training went astray: its loss is no number.", "Lower --learning-rate.")
        trained = cast(Any, trainer.model).merge_and_unload() if self._options.lora else trainer.model
        return Trained(cast(Any, trained).eval(), curve, trainer.state.global_step)

    def _trainer(
        self,
        model: PreTrainedModel,
        training: Sequence[Example],
        held_out: Sequence[Example],
        folder: Path,
        watch: "_Watch",
    ) -> Trainer:
        arguments = _arguments(self._options, len(training), folder, self._is_causal)
        tokenizer = copy.deepcopy(self._tokenizer)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.padding_side = "right"
        trainer = (Trainer if self._is_causal else Seq2SeqTrainer)(
            model=model,
            args=arguments,
            data_collator=DataCollatorForSeq2Seq(tokenizer, model=None if self._is_causal else model),
            train_dataset=cast(Any, [self._row(one) for one in training]),
            eval_dataset=cast(Any, [self._row(one) for one in held_out]),
            callbacks=[EarlyStoppingCallback(self._options.patience), watch],
        )
        trainer.remove_callback(PrinterCallback)
        return trainer

    def _row(self, example: Example) -> dict[str, list[int]]:
        """The loss counts for the answer alone; a causal model reads it behind its prompt."""
        prompt, answer = list(example.prompt), list(example.answer)
        read = prompt + answer if self._is_causal else prompt
        labels = [_IGNORED] * len(prompt) + answer if self._is_causal else answer
        return {"input_ids": read, "attention_mask": [1] * len(read), "labels": labels}


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


def _arguments(options: TrainingOptions, examples: int, folder: Path, is_causal: bool) -> TrainingArguments:
    steps = math.ceil(examples / options.batch)
    common: dict[str, Any] = {
        "output_dir": str(folder),
        "num_train_epochs": options.epochs,
        "per_device_train_batch_size": options.batch,
        "per_device_eval_batch_size": options.batch,
        "learning_rate": options.learning_rate,
        "warmup_steps": min(steps * options.epochs // 10, 100),
        "seed": options.seed,
        "data_seed": options.seed,
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
        "logging_steps": max(1, steps * options.epochs // _POINTS),
        "logging_nan_inf_filter": False,
        "log_level": "error",
        "disable_tqdm": True,
        "report_to": [],
        "use_cpu": True,
        "dataloader_pin_memory": False,
        "remove_unused_columns": False,
        "label_names": ["labels"],
    }
    return TrainingArguments(**common) if is_causal else Seq2SeqTrainingArguments(**common)


def _with_lora(model: PreTrainedModel, lora: LoraOptions, is_causal: bool) -> PreTrainedModel:
    """Freeze the model and put small trainable matrices beside its layers (Hu et al., 2021, "LoRA")."""
    from peft import LoraConfig, TaskType, get_peft_model

    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM if is_causal else TaskType.SEQ_2_SEQ_LM,
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=0.05,
        target_modules=_targets(lora.targets),
    )
    try:
        with warnings.catch_warnings():
            # peft asks transformers by a name that is going out of use.
            warnings.simplefilter("ignore", FutureWarning)
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


def _loaded(checkpoint: Checkpoint) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    family = cast(Any, AutoModelForCausalLM if checkpoint.kind == "causal" else AutoModelForSeq2SeqLM)
    folder = str(checkpoint.folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = whole_model(family, folder, "float32")
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelUnusableError(
            f"{checkpoint.name} cannot be loaded: {reason}.", "Get the model once more, or choose another."
        ) from error
    # Transformers 5 says of every T5 that its output layer shares the embeddings' weights. It saves that, too, and who
    # believes it makes nonsense of flan-t5's kin.
    model.config.tie_word_embeddings = _is_tied(model)
    return tokenizer, model


def _is_tied(model: PreTrainedModel) -> bool:
    output = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    return output is not None and output.weight is model.get_input_embeddings().weight


def _end(own: int | list[int] | None, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Give the token with which an answer ends, if the model knows one."""
    ends = own if own is not None else tokenizer.eos_token_id
    return ends[:1] if isinstance(ends, list) else [] if ends is None else [ends]


def _window(config: Any, answer: int) -> int:  # noqa: ANN401 - every kind of model has its own
    """Tokens for the prompt, where a causal model's answer takes its share of the window."""
    positions = getattr(config, "n_positions", None) or getattr(config, "max_position_embeddings", None)
    return max(1, min((positions or _DEFAULT_WINDOW) - answer, _LONGEST_PROMPT))


def _templated(tokenizer: PreTrainedTokenizerBase, messages: list[Message]) -> str:
    return str(
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    )
