"""Runs any seq2seq or causal model of transformers on torch, a batch at a time."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from models.generation.engines.contract import Engine, EngineOptions, TokenJob
from models.generation.engines.torch_model import TorchModel
from models.store.model_store import Checkpoint

# What a model's makers may say about writing that holds for the likeliest token, too; all else (beams, samples, time
# limits, assistants) would change what is asked of it here.
_KEPT = (
    "bos_token_id",
    "decoder_start_token_id",
    "forced_bos_token_id",
    "repetition_penalty",
    "encoder_repetition_penalty",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "bad_words_ids",
    "suppress_tokens",
    "begin_suppress_tokens",
)


class TorchEngine(Engine):
    """Writes one batch at a time with all threads, through the model's own `generate`.

    Args:
        checkpoint: a seq2seq or causal model.
        options: how it computes; precision float32 or bfloat16.

    Raises:
        ModelUnusableError: the checkpoint cannot be loaded, or has no tokenizer that tells its tokens' text.
        ModelExtraError: it needs a library that is not installed.
    """

    kind: ClassVar[str] = "torch"
    parallel = 1

    def __init__(self, checkpoint: Checkpoint, options: EngineOptions) -> None:
        self._threads = options.threads
        loaded = TorchModel(checkpoint, options.precision, options.max_tokens)
        self._is_causal = loaded.is_causal
        self._generate: Callable[..., object] = cast(Any, loaded.model).generate
        self._ends = loaded.ends
        self._config = _greedy(loaded, options.max_tokens)
        # The model's own config would fill in what is left out.
        loaded.model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        self.vocabulary, self.window, self.render = loaded.vocabulary, loaded.window, loaded.render
        self.render_translation = loaded.render_translation

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
                stopping_criteria=StoppingCriteriaList([_Reader(jobs, self._ends)]),
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


def _greedy(loaded: TorchModel, max_tokens: int) -> GenerationConfig:
    kept = {name: getattr(loaded.model.generation_config, name, None) for name in _KEPT}
    return GenerationConfig(  # type: ignore[no-untyped-call]
        **{name: value for name, value in kept.items() if value is not None},
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_tokens,
        eos_token_id=loaded.ends or None,
        pad_token_id=loaded.pad,
    )
