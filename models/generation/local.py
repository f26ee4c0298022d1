"""The local generator: a seq2seq or causal language model on this machine writes the answer, token by token."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import cast

import structlog

from models.errors import AnswerUnusableError
from models.generation.contract import Generator, GroundingPassage, Spent, Turn, Usage
from models.generation.engines.choice import Execution, Precision, chosen, opened
from models.generation.engines.contract import Engine, EngineOptions, Prompt
from models.generation.engines.vocabulary import GrowingText
from models.generation.fitting import fitted_prompt
from models.generation.translation import gathered
from models.machine import usable_cores
from models.runtime import Runtime, RuntimeLimits
from models.store.model_store import DEFAULT_MODEL, ModelStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How the local generator works; the fields are those of the settings.

    Attributes:
        model: by hub name or folder; empty takes what is in use, else google/flan-t5-small.
        revision: of the hub's model; empty takes what was pulled.
        execution: which engine.
        precision: how exactly it computes.
        max_tokens: tokens in the longest answer, from 1.
        batch: answers written together at the most, from 1.
        batch_wait_ms: milliseconds that the first one waits for others, at least 0.
        queue: questions that may wait, from 1.
        threads: threads that compute; 0 is one for each core this process may use.
    """

    model: str = ""
    revision: str = ""
    execution: Execution = "auto"
    precision: Precision = "auto"
    max_tokens: int = 160
    batch: int = 16
    batch_wait_ms: float = 4.0
    queue: int = 64
    threads: int = 0


class LocalGenerator(Generator):
    """Answers with a model of this machine. Nothing is loaded until it is asked, or told to warm up.

    Args:
        options: which model, and how it works.
        store: where models are found, and conversions are kept.

    Raises:
        ModelUnusableError: which model is in use cannot be read.
    """

    def __init__(self, options: LocalOptions, store: ModelStore) -> None:
        self._options = options
        self._store = store
        self._model = options.model or store.in_use("answers") or DEFAULT_MODEL
        self.name = Path(self._model).name
        limits = RuntimeLimits(options.queue, options.batch, options.batch_wait_ms / 1000)
        self._runtime: Runtime[Prompt, int] = Runtime(self.name, self._load, limits, "answers")
        # Prompts are fitted and taken apart here: it takes milliseconds, too long for the event loop.
        self._reading = ThreadPoolExecutor(1, thread_name_prefix=f"{self.name} prompts")

    @property
    def waking(self) -> bool:
        """Whether the model is not loaded yet."""
        return not self._runtime.is_loaded

    async def warm_up(self) -> None:
        """Load the model; see `Generator.warm_up`."""
        await self._runtime.load()

    async def close(self) -> None:
        """Stop what is being written, and let go of the model."""
        await self._runtime.close()
        self._reading.shutdown(wait=False, cancel_futures=True)

    async def stream(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        history: Sequence[Turn] = (),
        spent: Spent | None = None,
    ) -> AsyncIterator[str]:
        """Yield the answer as it is written; see `Generator.stream`.

        Raises:
            GeneratorBusyError: too many questions wait.
            AnswerUnusableError: the question alone is too long for the model.
            ModelError: the model cannot be loaded, or broke off.
        """
        prompting = partial(_prompt, question=question, passages=passages, history=history)
        async with contextlib.aclosing(self._written(prompting, spent)) as pieces:
            async for piece in pieces:
                yield piece

    async def translate(self, text: str, language: str, spent: Spent | None = None) -> str:
        """Give an English sentence in another language; see `Generator.translate`.

        Raises:
            GeneratorBusyError: too much waits.
            AnswerUnusableError: what the model wrote is no translation, or the sentence is too long for it.
            ModelError: the model cannot be loaded, or broke off.
        """
        prompting = partial(_translation_prompt, text=text, language=language)
        return await gathered(self._written(prompting, spent), text, language, self.name)

    async def _written(self, prompting: Callable[[Engine], Prompt], spent: Spent | None) -> AsyncGenerator[str]:
        """Yield what the model writes to a prompt, and tell what it took."""
        self._runtime.refuse_when_full()
        engine = cast(Engine, await self._runtime.load())
        prompt = await asyncio.get_running_loop().run_in_executor(self._reading, prompting, engine)
        text = GrowingText(engine.vocabulary)
        written = 0
        try:
            async with contextlib.aclosing(self._runtime.stream(prompt, len(prompt))) as tokens:
                async for token in tokens:
                    written += 1
                    if piece := text.add(token):
                        yield piece
            if piece := text.finish():
                yield piece
        finally:
            if spent:
                spent(Usage(len(prompt), written))

    def _load(self, stopping: threading.Event) -> Engine:
        started = monotonic()
        checkpoint = self._store.find(self._model, self._options.revision)
        engine, precision = chosen(checkpoint, self._options.execution, self._options.precision)
        options = EngineOptions(
            precision, self._options.max_tokens, self._options.threads or usable_cores(), self._options.batch
        )
        loaded = opened(checkpoint, engine, options, self._store.converted, stopping)
        log.info(
            "model loaded",
            model=self.name,
            execution=engine,
            precision=precision,
            batches=loaded.parallel,
            seconds=round(monotonic() - started, 2),
        )
        return loaded


def _prompt(engine: Engine, question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn]) -> Prompt:
    tokens = fitted_prompt(question, passages, history, engine.window, engine.vocabulary.count, engine.render)
    return tuple(tokens)


def _translation_prompt(engine: Engine, text: str, language: str) -> Prompt:
    tokens = tuple(engine.render_translation(text, language))
    if len(tokens) > engine.window:
        raise AnswerUnusableError(
            f"The text takes {len(tokens):,} tokens, and {engine.window:,} are what the model has room for.",
            "Give it in parts, or choose a model with a larger window.",
        )
    return tokens
