"""The perplexity of the right answers under a local model: how little they surprise it, given the prompt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

import torch
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from models.errors import ModelUnusableError
from models.evaluation.squad import Sample
from models.generation.engines.choice import BYTES, chosen, require_memory
from models.generation.engines.loading import Loadable, whole_model
from models.generation.engines.prompts import Message, chatted, instructed
from models.generation.engines.vocabulary import Vocabulary
from models.generation.fitting import fitted_prompt
from models.machine import usable_cores
from models.store.model_store import Checkpoint

_PRECISION: Final = "float32"
_BATCH = 8
_DEFAULT_WINDOW = 512
_LONGEST_PROMPT = 4_096
# Tokens of a right answer that are looked at; longer ones would take a causal model's window.
_LONGEST_ANSWER = 160
_IGNORED = -100
"""The label of what is not predicted, as in transformers."""

# Of the weights: what a batch takes besides them; bytes of the libraries.
_OVERHEAD = 1.4
_LIBRARIES = 500_000_000


@dataclass(frozen=True, slots=True)
class _Forced:
    """A prompt, and the answer that the model is made to write; as tokens."""

    prompt: list[int]
    answer: list[int]


def gold_perplexity(checkpoint: Checkpoint, samples: Sequence[Sample]) -> float | None:
    """Give exp of the mean negative log-likelihood of a token of the right answers, their end included; from 1.

    The model reads the prompt it is asked with in life, and the answer token by token as if it had written it (teacher
    forcing). Of several right answers the first counts. Computed in float32 whatever the settings say, some seconds to
    minutes for hundreds of samples.

    Args:
        checkpoint: a seq2seq or causal model.
        samples: with their passages; those without, or without a right answer, are passed over.

    Returns:
        The perplexity, per token of the model's own vocabulary, so that only models that share one can be compared;
        None where no sample is left.

    Raises:
        ModelUnusableError: it cannot be loaded, or writes no text.
        ModelTooLargeError: there is not memory enough.
        ModelExtraError: a library is not installed.
    """
    chosen(checkpoint, "torch", _PRECISION)
    require_memory(checkpoint.name, checkpoint.parameters * BYTES[_PRECISION] * _OVERHEAD + _LIBRARIES, "be measured")
    asked = [sample for sample in samples if sample.answerable and sample.passages]
    if not asked:
        return None
    torch.set_num_threads(usable_cores())
    model = _ForcedModel(checkpoint)
    forced = sorted((model.forced(sample) for sample in asked), key=lambda one: len(one.prompt))
    total, tokens = 0.0, 0
    for start in range(0, len(forced), _BATCH):
        batch = forced[start : start + _BATCH]
        total += model.surprise(batch)
        tokens += sum(len(one.answer) for one in batch)
    return math.exp(total / tokens)


class _ForcedModel:
    """A model that is made to write given answers."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        # What the library prints while loading is for developers; what matters is raised.
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._is_causal = checkpoint.kind == "causal"
        tokenizer, self._model = _loaded(checkpoint)
        self._vocabulary = Vocabulary(tokenizer.backend_tokenizer)
        self._end = _end(self._model.generation_config.eos_token_id, tokenizer)
        self._window = _window(self._model.config, _LONGEST_ANSWER if self._is_causal else 0)
        template = partial(_templated, tokenizer)
        talks = self._is_causal and getattr(tokenizer, "chat_template", None)
        self._render = chatted(self._vocabulary, template, checkpoint.name) if talks else instructed(self._vocabulary)

    def forced(self, sample: Sample) -> _Forced:
        """Give prompt and first right answer as the model reads them."""
        vocabulary = self._vocabulary
        prompt = fitted_prompt(sample.question, sample.passages, (), self._window, vocabulary.count, self._render)
        answer = vocabulary.encode(vocabulary.without_markers(sample.golds[0]), special=False)
        return _Forced(list(prompt), [*answer[:_LONGEST_ANSWER], *self._end])

    def surprise(self, batch: Sequence[_Forced]) -> float:
        """Give the negative log-likelihood of all answers' tokens together, in nats."""
        with torch.inference_mode():
            logits, labels = self._causal(batch) if self._is_causal else self._sequence_to_sequence(batch)
            loss = cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=_IGNORED, reduction="sum")
        return float(loss)

    def _sequence_to_sequence(self, batch: Sequence[_Forced]) -> tuple[torch.Tensor, torch.Tensor]:
        prompts, used = _padded([one.prompt for one in batch])
        labels = _rows([one.answer for one in batch], _IGNORED)
        return self._model(input_ids=prompts, attention_mask=used, labels=labels).logits, labels

    def _causal(self, batch: Sequence[_Forced]) -> tuple[torch.Tensor, torch.Tensor]:
        tokens, used = _padded([one.prompt + one.answer for one in batch])
        labels = _rows([[_IGNORED] * len(one.prompt) + one.answer for one in batch], _IGNORED)
        # What stands at one place predicts the next.
        return self._model(input_ids=tokens, attention_mask=used).logits[:, :-1], labels[:, 1:]


def _padded(rows: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the tokens, filled up behind, and which of them are to be looked at."""
    return _rows(rows, 0), _rows([[1] * len(row) for row in rows], 0)


def _rows(rows: Sequence[list[int]], filling: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [filling] * (longest - len(row)) for row in rows])


def _loaded(checkpoint: Checkpoint) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    family = cast(Loadable, AutoModelForCausalLM if checkpoint.kind == "causal" else AutoModelForSeq2SeqLM)
    folder = str(checkpoint.folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return tokenizer, whole_model(family, folder, _PRECISION)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelUnusableError(
            f"{checkpoint.name} cannot be loaded: {reason}.", "Get the model once more, or choose another."
        ) from error


def _end(own: int | list[int] | None, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Give the token with which an answer ends, if the model knows one."""
    ends = own if own is not None else tokenizer.eos_token_id
    return ends[:1] if isinstance(ends, list) else [] if ends is None else [ends]


def _window(config: PreTrainedConfig, answer: int) -> int:
    """Tokens for the prompt, where a causal model's answer takes its share of the window."""
    positions = getattr(config, "n_positions", None) or getattr(config, "max_position_embeddings", None)
    return max(1, min((positions or _DEFAULT_WINDOW) - answer, _LONGEST_PROMPT))


def _templated(tokenizer: PreTrainedTokenizerBase, messages: list[Message]) -> str:
    return str(
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    )
