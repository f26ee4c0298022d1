"""The perplexity of the right answers under a local model: how little they surprise it, given the prompt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch.nn.functional import cross_entropy

from models.evaluation.squad import Sample
from models.generation.engines.choice import BYTES, chosen, require_memory
from models.generation.engines.torch_model import TorchModel
from models.generation.fitting import fitted_prompt
from models.machine import usable_cores
from models.store.model_store import Checkpoint

_PRECISION: Final = "float32"
_BATCH = 8
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
        self._loaded = TorchModel(checkpoint, _PRECISION, _LONGEST_ANSWER)
        self._model = self._loaded.model

    def forced(self, sample: Sample) -> _Forced:
        """Give prompt and first right answer as the model reads them."""
        loaded, vocabulary = self._loaded, self._loaded.vocabulary
        prompt = fitted_prompt(sample.question, sample.passages, (), loaded.window, vocabulary.count, loaded.render)
        answer = vocabulary.encode(vocabulary.without_markers(sample.golds[0]), special=False)
        return _Forced(list(prompt), [*answer[:_LONGEST_ANSWER], *loaded.ends[:1]])

    def surprise(self, batch: Sequence[_Forced]) -> float:
        """Give the negative log-likelihood of all answers' tokens together, in nats."""
        with torch.inference_mode():
            logits, labels = self._causal(batch) if self._loaded.is_causal else self._sequence_to_sequence(batch)
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
