"""Scores a model on pairs that were held out from its training, asked as in life, and tells which of two is better."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from models.errors import AnswerUnusableError
from models.evaluation import answer_metrics
from models.evaluation.squad import Sample
from models.generation.grounding.abstentions import abstains
from models.generation.local import LocalGenerator, LocalOptions
from models.store.model_store import Checkpoint, ModelStore


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a model answers.

    Attributes:
        loss: mean negative log-likelihood of a token of the right answers, in nats; None where none has one.
        perplexity: its exponential, from 1.
        exact_match: share of the answers that are a right one, 0 to 1, as SQuAD counts.
        f1: mean F1 of their words, 0 to 1, as SQuAD counts.
        vocabulary: tokens of the model; losses of models with different ones cannot be compared.
    """

    loss: float | None
    perplexity: float | None
    exact_match: float
    f1: float
    vocabulary: int

    def is_worse_than(self, other: "Scores") -> bool:
        """Whether its answers are worse: a lower F1, or the same one with a higher loss, where they can be compared."""
        if self.f1 != other.f1:
            return self.f1 < other.f1
        if self.loss is None or other.loss is None or self.vocabulary != other.vocabulary:
            return False
        return self.loss > other.loss


def scores_of(checkpoint: Checkpoint, samples: Sequence[Sample], store: ModelStore, max_tokens: int) -> Scores:
    """Have a model answer pairs, and force it to write their right answers. Not to be called on an event loop.

    Args:
        checkpoint: a seq2seq or causal model; computed in float32.
        samples: at least one, with their passages.
        store: where models are found.
        max_tokens: tokens in the longest answer.

    Raises:
        ModelError: it cannot be loaded, or a library is not installed.
    """
    # Imports torch: not before it is needed.
    from models.evaluation.perplexity import gold_perplexity

    try:
        perplexity = gold_perplexity(checkpoint, samples)
    except AnswerUnusableError:  # a question is longer than the window of a model that was not the one trained
        perplexity = None
    given = asyncio.run(_answers(checkpoint, samples, store, max_tokens))
    pairs = [(_said(answer), sample.golds) for answer, sample in zip(given, samples, strict=True)]
    return Scores(
        loss=None if perplexity is None else math.log(perplexity),
        perplexity=perplexity,
        exact_match=mean(answer_metrics.exact_match(said, golds) for said, golds in pairs),
        f1=mean(answer_metrics.token_f1(said, golds) for said, golds in pairs),
        vocabulary=_vocabulary(checkpoint),
    )


async def _answers(checkpoint: Checkpoint, samples: Sequence[Sample], store: ModelStore, max_tokens: int) -> list[str]:
    options = LocalOptions(
        str(checkpoint.folder), execution="torch", precision="float32", max_tokens=max_tokens, queue=len(samples)
    )
    generator = LocalGenerator(options, store)
    try:
        return await asyncio.gather(*(_answer(generator, sample) for sample in samples))
    finally:
        await generator.close()


async def _answer(generator: LocalGenerator, sample: Sample) -> str:
    try:
        return "".join([piece async for piece in generator.stream(sample.question, sample.passages)])
    except AnswerUnusableError:
        return ""


def _said(answer: str) -> str:
    said = answer_metrics.plain(answer)
    return "" if abstains(said) else said


def _vocabulary(checkpoint: Checkpoint) -> int:
    from models.generation.engines.choice import read_config

    size = read_config(checkpoint, "config.json").get("vocab_size", 0)
    return size if isinstance(size, int) else 0
