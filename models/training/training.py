"""Fine-tunes a seq2seq or causal model on examples of prompt and answer: every weight of it, or by LoRA."""

import copy
from collections.abc import Sequence
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
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.utils import logging

from models.errors import ModelUnusableError
from models.generation.engines.loading import whole_model
from models.generation.engines.prompts import Message, chatted, instructed
from models.generation.engines.vocabulary import Vocabulary
from models.machine import usable_cores
from models.store.model_store import Checkpoint
from models.training.data import Example, Examples
from models.training.options import Curve, TrainingOptions
from models.training.trainer import Pace, Progress, Progressing, arguments, carry_out, with_lora

_DEFAULT_WINDOW = 512
_LONGEST_PROMPT = 4_096
_IGNORED = -100


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
        model = self._model
        if lora := self._options.lora:
            model = with_lora(model, lora, "CAUSAL_LM" if self._is_causal else "SEQ_2_SEQ_LM")
        trainer = self._trainer(model, training, held_out, folder)
        curve = carry_out(trainer, self._options.patience, Progressing(folder, progress, stopping, resume))
        trained = cast(Any, trainer.model).merge_and_unload() if lora else trainer.model
        return Trained(cast(Any, trained).eval(), curve, trainer.state.global_step)

    def _trainer(
        self, model: PreTrainedModel, training: Sequence[Example], held_out: Sequence[Example], folder: Path
    ) -> Trainer:
        options = self._options
        pace = Pace(len(training), options.epochs, options.batch, options.learning_rate, options.seed, options.patience)
        tokenizer = copy.deepcopy(self._tokenizer)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.padding_side = "right"
        settings = TrainingArguments if self._is_causal else Seq2SeqTrainingArguments
        return (Trainer if self._is_causal else Seq2SeqTrainer)(
            model=model,
            args=cast(Any, settings(**arguments(pace, folder))),
            data_collator=DataCollatorForSeq2Seq(tokenizer, model=None if self._is_causal else model),
            train_dataset=cast(Any, [self._row(one) for one in training]),
            eval_dataset=cast(Any, [self._row(one) for one in held_out]),
        )

    def _row(self, example: Example) -> dict[str, list[int]]:
        """The loss counts for the answer alone; a causal model reads it behind its prompt."""
        prompt, answer = list(example.prompt), list(example.answer)
        read = prompt + answer if self._is_causal else prompt
        labels = [_IGNORED] * len(prompt) + answer if self._is_causal else answer
        return {"input_ids": read, "attention_mask": [1] * len(read), "labels": labels}


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
