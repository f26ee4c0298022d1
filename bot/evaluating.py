"""Evaluates the generators that the settings describe, on a file of questions with their right answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bot.evaluation_passages import with_passages
from bot.generators import make_generator, verifier
from bot.settings import Settings
from models.errors import ModelError
from models.evaluation.evaluation import Conditions, Progress, evaluate_generator
from models.evaluation.figures import Evaluation
from models.evaluation.squad import Sample, SampleFile
from models.generation import Generator
from models.generation.chain import FLOOR, ChainLimits
from models.generation.engines.choice import chosen
from models.store.model_store import DEFAULT_MODEL, ModelStore


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """What is evaluated, and how.

    Attributes:
        generators: names in the settings; empty: those of the chain for all places, and the extractive one.
        limit: how many questions are asked at most, drawn by `seed`; None: all.
        retrieve: whether questions are looked up in all contexts together.
        at_once: questions asked at the same time, from 1.
        seed: of the draw and of the intervals.
        perplexity: whether the local model's is measured.
    """

    generators: tuple[str, ...] = ()
    limit: int | None = None
    retrieve: bool = False
    at_once: int = 1
    seed: int = 0
    perplexity: bool = True


def names_of(settings: Settings, options: EvaluationOptions) -> list[str]:
    """Give the generators that are evaluated, in their order."""
    return list(dict.fromkeys(options.generators or (*settings.generation.chain, FLOOR)))


async def evaluate_answers(
    settings: Settings, file: SampleFile, options: EvaluationOptions, progress: Progress
) -> Evaluation:
    """Have the file's questions answered by each generator, as in life, and score the answers.

    Raises:
        ModelError: a generator cannot answer, the file has nothing to ask, or a library is not installed.
        KnowledgeError: questions without a context cannot be looked up.
    """
    everything = file.samples if options.retrieve else ()
    samples = await asyncio.to_thread(with_passages, drawn(file.samples, options), settings, everything)
    async with _generators(settings, names_of(settings, options)) as generators:
        evaluation = await evaluate_generator(generators, samples, _conditions(settings, options), progress)
    if not options.perplexity or "local" not in generators:
        return evaluation
    return await _with_perplexity(settings, evaluation, samples)


def drawn(samples: Sequence[Sample], options: EvaluationOptions) -> Sequence[Sample]:
    """Give as many samples as are to be asked, in the file's order; the same seed draws the same ones."""
    if options.limit is None or options.limit >= len(samples):
        return samples
    import numpy as np

    chosen = np.random.default_rng(options.seed).choice(len(samples), options.limit, replace=False)
    return [samples[at] for at in sorted(chosen)]


@asynccontextmanager
async def _generators(settings: Settings, names: Sequence[str]) -> AsyncIterator[dict[str, Generator]]:
    made: dict[str, Generator] = {}
    try:
        for name in names:
            made[name] = make_generator(settings, name)
        yield made
    finally:
        for generator in made.values():
            await generator.close()


def _conditions(settings: Settings, options: EvaluationOptions) -> Conditions:
    patience = settings.generation
    limits = ChainLimits(
        first_token=patience.first_token_seconds,
        whole=patience.seconds,
        withholds_uncited=patience.uncited == "withhold",
    )
    return Conditions(limits, verifier(settings), at_once=options.at_once, seed=options.seed)


async def _with_perplexity(settings: Settings, evaluation: Evaluation, samples: Sequence[Sample]) -> Evaluation:
    """Put the local model's perplexity into its figures, or a note why it has none.

    The model is loaded anew, once the generator has let go of it.
    """
    try:
        measured = await asyncio.to_thread(_perplexity, settings, samples)
    except ModelError as error:
        return replace(evaluation, notes=(*evaluation.notes, f"The perplexity was not measured: {error}"))
    generators = tuple(
        replace(one, figures=replace(one.figures, perplexity=measured)) if one.figures.generator == "local" else one
        for one in evaluation.generators
    )
    return replace(evaluation, generators=generators)


def _perplexity(settings: Settings, samples: Sequence[Sample]) -> float | None:
    store = ModelStore(settings.models_directory)
    name = settings.local.model or store.in_use("answers") or DEFAULT_MODEL
    checkpoint = store.find(name, settings.local.revision)
    # Before the import of what needs torch: says which library is missing.
    chosen(checkpoint, "torch", "float32")
    from models.evaluation.perplexity import gold_perplexity

    return gold_perplexity(checkpoint, samples)
