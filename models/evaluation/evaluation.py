"""Evaluates generators: each is asked the same questions, as the chain would ask it, and its answers are scored."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from time import perf_counter

from models.errors import (
    AnswerBlockedError,
    AnswerUnusableError,
    EvaluationError,
    GeneratorBusyError,
    GeneratorRefusedError,
    GeneratorSlowError,
    GeneratorUnreachableError,
    ModelError,
)
from models.evaluation import answer_metrics
from models.evaluation.figures import Evaluation, GeneratorEvaluation, Outcome, figures_of, findable
from models.evaluation.squad import Sample
from models.generation.chain import FLOOR, Chain, ChainLimits, Draft
from models.generation.contract import Generator, GroundingPassage, Spent, Turn, Usage
from models.generation.extractive import ExtractiveGenerator
from models.generation.grounding.review import Verifier

Progress = Callable[[str, int], None]
"""Told a generator's name in the settings and how many questions it has been asked so far."""

_NOT_BORNE_OUT = "empty, or not borne out by the passages"
_CUT_SHORT = "failed, too slow, or without an end"
_GAVE_UP: dict[type[ModelError], str] = {
    GeneratorUnreachableError: "not reached",
    GeneratorBusyError: "busy",
    GeneratorSlowError: "too slow",
    AnswerBlockedError: "blocked by safety rules",
    AnswerUnusableError: "unusable",
}

_UNREACHABLE = 5
"""As often in a row a generator cannot be reached until the evaluation is given up: the rest would go no better."""


def _unwatched(generator: str, asked: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which conditions the generators are asked.

    Attributes:
        limits: how long they may take, and whether an answer that rests on no passage is given.
        verifier: judges written sentences besides words and numbers, where one is configured.
        threads: where answers are reviewed; None takes the event loop's own.
        at_once: questions asked at the same time, from 1; more than 1 lengthens the latencies.
        seed: of the intervals.
    """

    limits: ChainLimits = field(default_factory=ChainLimits)
    verifier: Verifier | None = None
    threads: Executor | None = None
    at_once: int = 1
    seed: int = 0


async def evaluate_generator(
    generators: Mapping[str, Generator],
    samples: Sequence[Sample],
    conditions: Conditions | None = None,
    progress: Progress = _unwatched,
) -> Evaluation:
    """Ask each generator each question, one generator after the other, with the review that answers get in life.

    A sample without passages is not asked: nothing was found, so the bot declines. Each generator is made ready
    before its time is taken. None of them is closed.

    Args:
        generators: by their name in the settings; where the extractive one is among them, it is the floor, too.
        samples: at least one, with their passages.
        conditions: how they are asked.
        progress: called after every question.

    Raises:
        EvaluationError: there is no sample, or no generator.
        ModelExtraError: a library of the metrics is not installed.
        ModelError: a generator cannot be made ready, refuses us, or cannot be reached time and again.
    """
    if not samples or not generators:
        raise EvaluationError("There is nothing to evaluate.", "Give at least one question and one generator.")
    await asyncio.to_thread(answer_metrics.require_libraries)
    conditions = conditions or Conditions()
    floor = generators.get(FLOOR) or ExtractiveGenerator()
    await _made_ready(floor, samples)
    done: list[GeneratorEvaluation] = []
    signature = ""
    for name, generator in generators.items():
        await generator.warm_up()
        trial = _Trial(name, generator, floor, conditions, progress)
        asked = await trial.ask_all(samples)
        outcomes = await asyncio.to_thread(_all_scored, asked)
        figures, signature = await asyncio.to_thread(figures_of, name, generator.name, outcomes, conditions.seed)
        done.append(GeneratorEvaluation(figures, outcomes))
    return Evaluation(tuple(done), findable(samples), signature, conditions.seed)


async def _made_ready(floor: Generator, samples: Sequence[Sample]) -> None:
    """Have the floor answer once, so that what it reads in for its first answer is not counted as anybody's time."""
    sample = next((sample for sample in samples if sample.passages), None)
    if sample:
        async for _ in floor.stream(sample.question, sample.passages):
            pass


def _all_scored(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    return tuple(_scored(outcome) for outcome in outcomes)


def _scored(outcome: Outcome) -> Outcome:
    said, golds = answer_metrics.plain(outcome.answer), outcome.sample.golds
    return replace(
        outcome,
        plain=said,
        exact_match=answer_metrics.exact_match(said, golds),
        f1=answer_metrics.token_f1(said, golds),
        rouge_l=answer_metrics.rouge_l(said, golds),
        meteor=answer_metrics.meteor(said, golds),
        holds_gold=answer_metrics.holds_gold(said, golds),
    )


class _Trial:
    """One generator, asked all questions."""

    def __init__(
        self, name: str, generator: Generator, floor: Generator, conditions: Conditions, progress: Progress
    ) -> None:
        self._name = name
        self._generator = generator
        self._floor = floor
        self._conditions = conditions
        self._progress = progress
        self._unreachable = 0

    async def ask_all(self, samples: Sequence[Sample]) -> list[Outcome]:
        """Give what became of each, in their order; raises ModelError where to go on makes no sense."""
        outcomes: dict[int, Outcome] = {}
        waiting = iter(enumerate(samples))

        async def _work() -> None:
            for place, sample in waiting:
                outcomes[place] = await self._ask(sample) if sample.passages else _unasked(sample)
                self._progress(self._name, len(outcomes))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._conditions.at_once):
                    group.create_task(_work())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [outcomes[place] for place in range(len(samples))]

    async def _ask(self, sample: Sample) -> Outcome:
        witness = _Witness(self._generator)
        floor = witness if self._name == FLOOR else self._floor
        chain = Chain(
            {self._name: witness, FLOOR: floor},
            self._conditions.limits,
            self._conditions.threads,
            self._conditions.verifier,
        )
        account = _Account(sample.key)
        started, first = perf_counter(), None
        last = Draft("")
        async for last in chain.write(sample.question, sample.passages, (), (self._name,), account):
            first = perf_counter() - started if first is None and last.text else first
        seconds = perf_counter() - started
        self._require_sense(witness.error)
        fell_back = witness.gave_up_because if floor is not witness and last.generator == floor.name else ""
        usage = account.usage
        answer = last.text.strip() if last.state == "answered" else ""
        return Outcome(
            sample=sample,
            answer=answer,
            wrote=last.generator,
            fell_back=fell_back,
            cited=last.cited,
            seconds=seconds,
            first_seconds=first,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=usage.cost,
        )

    def _require_sense(self, error: ModelError | None) -> None:
        """Raise what will befall every other question as well."""
        self._unreachable = self._unreachable + 1 if isinstance(error, GeneratorUnreachableError) else 0
        if error and (isinstance(error, GeneratorRefusedError) or self._unreachable >= _UNREACHABLE):
            raise error


def _unasked(sample: Sample) -> Outcome:
    """What becomes of a question for which nothing was found."""
    return Outcome(sample, answer="", wrote="", fell_back="", cited=False, seconds=0.0, first_seconds=None)


class _Account:
    """An account without a bound, that keeps what one answer took."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        self.usage = Usage()

    async def allows(self, generator: str) -> bool:
        return True

    def charge(self, generator: str, model: str, usage: Usage) -> None:
        self.usage = usage


class _Witness(Generator):
    """Passes everything on to a generator, and remembers how one answer of its ended.

    Attributes:
        error: what the generator raised.
        ended: whether it came to an end of its own.
    """

    def __init__(self, generator: Generator) -> None:
        self.name = generator.name
        self.quotes = generator.quotes
        self.error: ModelError | None = None
        self.ended = False
        self._generator = generator

    @property
    def gave_up_because(self) -> str:
        """Why the answer was not taken, in words."""
        if self.error:
            return _GAVE_UP.get(type(self.error), "unable")
        return _NOT_BORNE_OUT if self.ended else _CUT_SHORT

    async def stream(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        history: Sequence[Turn] = (),
        spent: Spent = lambda usage: None,
    ) -> AsyncIterator[str]:
        pieces = self._generator.stream(question, passages, history, spent)
        try:
            async for piece in pieces:
                yield piece
            self.ended = True
        except ModelError as error:
            self.error = error
            raise
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()
