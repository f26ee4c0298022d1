"""Runs any seq2seq or causal model of transformers on torch, a batch at a time."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, cast

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.utils import logging

from models.errors import ModelUnusableError
from models.generation.engines.contract import Engine, EngineOptions, TokenJob
from models.generation.engines.loading import Loadable, whole_model
from models.generation.engines.prompts import Message, chatted, instructed
from models.generation.engines.vocabulary import Vocabulary
from models.store.model_store import Checkpoint

# A longer prompt would take a processor so long to read that nobody waits for the answer.
_LONGEST_PROMPT = 4_096
_DEFAULT_WINDOW = 512


class TorchEngine(Engine):
    """Writes one batch at a time with all threads, through the model's own `generate`.

    Args:
        checkpoint: a seq2seq or causal model.
        options: how it computes; precision float32 or bfloat16.

    Raises:
        ModelUnusableError: the checkpoint cannot be loaded, or has no tokenizer that tells its tokens' text.
    """

    kind: ClassVar[str] = "torch"
    parallel = 1

    def __init__(self, checkpoint: Checkpoint, options: EngineOptions) -> None:
        self._threads = options.threads
        self._is_causal = checkpoint.kind == "causal"
        # What the library prints while loading is for developers; what matters is raised.
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        tokenizer, model = _loaded(checkpoint, options.precision)
        self._generate: Callable[..., object] = cast(Any, model).generate
        self.vocabulary = Vocabulary(tokenizer.backend_tokenizer)
        self._config = _greedy(model.generation_config, tokenizer, options.max_tokens)
        self.window = _window(model.config, options.max_tokens if self._is_causal else 0)
        template = getattr(tokenizer, "chat_template", None)
        if self._is_causal and template:
            self.render = chatted(self.vocabulary, partial(_templated, tokenizer), checkpoint.name)
        else:
            self.render = instructed(self.vocabulary)

    def compute(self, jobs: Sequence[TokenJob]) -> None:
        """See `Engine.compute`."""
        torch.set_num_threads(self._threads)
        longest = max(len(job.item) for job in jobs)
        pad = self._config.pad_token_id
        rows = [(list(job.item), [pad] * (longest - len(job.item))) for job in jobs]
        # A causal model writes on where the row ends, so that what pads it has to stand before.
        tokens = [filling + own if self._is_causal else own + filling for own, filling in rows]
        used = [
            [0] * len(filling) + [1] * len(own) if self._is_causal else [1] * len(own) + [0] * len(filling)
            for own, filling in rows
        ]
        with torch.inference_mode():
            self._generate(
                torch.tensor(tokens),
                attention_mask=torch.tensor(used),
                generation_config=self._config,
                stopping_criteria=StoppingCriteriaList([_Reader(jobs, self._config.eos_token_id)]),
            )

    def close(self) -> None:
        """Let go of the weights."""
        del self._generate


class _Reader(StoppingCriteria):
    """Gives each job its tokens after every step, and ends the rows that are complete or not wanted any more."""

    def __init__(self, jobs: Sequence[TokenJob], ends: Sequence[int]) -> None:
        self._jobs = jobs
        self._ends = frozenset(ends)
        self._done = [False] * len(jobs)

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: object) -> torch.BoolTensor:
        for row, (job, token) in enumerate(zip(self._jobs, input_ids[:, -1].tolist(), strict=True)):
            self._done[row] = self._done[row] or token in self._ends or not job.wanted
            if not self._done[row]:
                job.give(token)
        return torch.tensor(self._done)  # type: ignore[return-value]


def _loaded(checkpoint: Checkpoint, precision: str) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    family = cast(Loadable, AutoModelForCausalLM if checkpoint.kind == "causal" else AutoModelForSeq2SeqLM)
    folder = str(checkpoint.folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = whole_model(family, folder, precision)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelUnusableError(
            f"{checkpoint.name} cannot be loaded: {reason}.", "Get the model once more, or choose another."
        ) from error
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise ModelUnusableError(
            f"{checkpoint.name} has no tokenizer.json, and none can be made of what it has.", "Choose another model."
        )
    return tokenizer, model


def _greedy(own: GenerationConfig, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> GenerationConfig:
    """The model's own config with greedy decoding and nothing that only sampling or beams look at."""
    config = copy.deepcopy(own)
    ends = config.eos_token_id if config.eos_token_id is not None else tokenizer.eos_token_id
    config.eos_token_id = ends if isinstance(ends, list) else [ends] if ends is not None else []
    if config.pad_token_id is None:
        config.pad_token_id = next(
            (one for one in (tokenizer.pad_token_id, *config.eos_token_id) if one is not None), 0
        )
    config.update(  # type: ignore[no-untyped-call]
        do_sample=False,
        num_beams=1,
        temperature=None,
        top_p=None,
        top_k=None,
        max_length=None,
        min_length=0,
        early_stopping=False,
        length_penalty=None,
        max_new_tokens=max_tokens,
    )
    return config


def _window(config: PreTrainedConfig, answer: int) -> int:
    """Tokens for the prompt, where a causal model's answer takes its share of the window."""
    positions = getattr(config, "n_positions", None) or getattr(config, "max_position_embeddings", None)
    window = positions if isinstance(positions, int) and positions > 0 else _DEFAULT_WINDOW
    return max(1, min(window - answer, _LONGEST_PROMPT))


def _templated(tokenizer: PreTrainedTokenizerBase, messages: list[Message]) -> str:
    # Models that think aloud unless they are told not to would show their thoughts as the answer.
    return str(
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    )
