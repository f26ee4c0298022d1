"""Runs a model off the event loop: a bounded queue, batches of requests of like length, results as they come."""

import asyncio
import contextlib
import math
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Generic, Protocol, TypeVar

import structlog

from models import watching
from models.errors import GeneratorBusyError, GeneratorUnreachableError, ModelError

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Piece = TypeVar("Piece")

_CLOSING_SECONDS = 10.0


class Job(Generic[Item, Piece]):
    """One request: made and read on the event loop, worked on in a thread.

    Attributes:
        item: what is asked.
        length: how long it is; those of like length are computed together.
        due: the `time.monotonic` from which it waits for no more company.
        wanted: whether somebody still waits; a worker that sees it false stops.
    """

    def __init__(self, item: Item, length: int, due: float) -> None:
        self.item = item
        self.length = length
        self.due = due
        self.wanted = True
        self._loop = asyncio.get_running_loop()
        self._pieces: deque[Piece] = deque()
        self._news = asyncio.Event()
        self._announced = False
        self._ended = False
        self._error: ModelError | None = None

    def give(self, piece: Piece) -> None:
        """Hand over a part of the result, from the worker's thread."""
        self._pieces.append(piece)
        self._announce()

    def end(self, error: ModelError | None = None) -> None:
        """Say that nothing follows, from any thread; with `error`, that what came is to be thrown away."""
        self._error = error
        self._ended = True
        self._announce()

    async def pieces(self) -> AsyncIterator[Piece]:
        """Yield the parts of the result.

        Raises:
            ModelError: there is no whole result.
        """
        ended = False
        while not ended:
            await self._news.wait()
            self._news.clear()
            # Both before the pieces are taken: what comes meanwhile is announced anew, and nothing comes after the end.
            self._announced = False
            ended = self._ended
            while self._pieces:
                yield self._pieces.popleft()
        if self._error:
            raise self._error

    def _announce(self) -> None:
        if self._announced:
            return
        self._announced = True
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop is closed
            self.wanted = False


class Model(Protocol[Item, Piece]):
    """What a runtime runs.

    Attributes:
        parallel: how many batches it computes side by side, from 1.
    """

    parallel: int

    def compute(self, jobs: Sequence[Job[Item, Piece]]) -> None:
        """Give each job its pieces, skipping those that are not wanted any more; called in several threads at once.

        Raises:
            ModelError: it cannot be done.
        """

    def close(self) -> None:
        """Let go of memory and threads; nothing is computed any more."""


Load = Callable[[threading.Event], Model[Item, Piece]]
"""Loads a model in a thread; when the event is set, nobody wants it any more."""


@dataclass(frozen=True, slots=True)
class RuntimeLimits:
    """How much a runtime takes on.

    Attributes:
        queue: jobs that may wait, from 1.
        batch: jobs computed at once over all batches, from 1.
        wait: seconds that the first job waits for others, at least 0.
        when_full: what is advised to whom the queue has no place for, one sentence.
    """

    queue: int = 64
    batch: int = 16
    wait: float = 0.004
    when_full: str = "Ask again in a moment; local.queue sets how many may wait."


class Runtime(Generic[Item, Piece]):
    """Loads a model when it is first needed, and has threads of its own compute what is asked of it.

    A worker takes the job that has waited longest and those nearest to it in length, so that little is padded; what
    waits is shared out among the workers that are idle. For one event loop.

    Args:
        name: what messages call the model.
        load: loads it.
        limits: how much it takes on.
        kind: what it is for.
    """

    def __init__(
        self, name: str, load: Load[Item, Piece], limits: RuntimeLimits, kind: watching.Kind = "answers"
    ) -> None:
        self._name = name
        self._kind = kind
        self._load = load
        self._limits = limits
        self._model: Model[Item, Piece] | None = None
        self._loading: asyncio.Future[Model[Item, Piece]] | None = None
        self._waiting: list[Job[Item, Piece]] = []
        self._running: set[Job[Item, Piece]] = set()
        self._changed = threading.Condition()
        self._idle = 0
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def is_loaded(self) -> bool:
        """Whether the model is there."""
        return self._model is not None

    @property
    def waiting(self) -> int:
        """How many jobs wait for a worker."""
        return len(self._waiting)

    async def load(self) -> Model[Item, Piece]:
        """Load the model unless it is there; all wait for the same load, and one that failed is tried again.

        Raises:
            ModelError: it cannot be loaded.
        """
        self._refuse_when_closed()
        if self._model is not None:
            return self._model
        if self._loading is None:
            self._threads.clear()  # that of a load that failed
            self._loading = asyncio.get_running_loop().create_future()
            self._start(self._load_in_thread, self._loading)
        return await asyncio.shield(self._loading)

    async def stream(self, item: Item, length: int = 1) -> AsyncGenerator[Piece, None]:
        """Yield an item's results as they come; who closes the iterator stops the work on it.

        Args:
            item: what is asked.
            length: how long it is, in whatever the model pads by.

        Raises:
            GeneratorBusyError: as many jobs wait as may.
            ModelError: the model cannot be loaded, or the result not be computed.
        """
        self.refuse_when_full()
        await self.load()
        job = self._submit(item, length)
        try:
            async for piece in job.pieces():
                yield piece
        finally:
            self._withdraw(job)

    async def run(self, items: Iterable[tuple[Item, int]]) -> list[Piece]:
        """Give the one result of each item, in their order; for models that do not answer piece by piece.

        Args:
            items: each with its length.

        Raises:
            ModelError: as `stream`; nothing is computed for the others then.
        """
        tasks = [asyncio.ensure_future(self._only(item, length)) for item, length in items]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def close(self) -> None:
        """Tell those who wait that nothing comes any more, and end the threads; a computation ends at its next step."""
        with self._changed:
            self._closing.set()
            waiting, self._waiting = self._waiting, []
            for job in self._running:
                job.wanted = False
            self._changed.notify_all()
        for job in waiting:
            job.end(self._gone())
        if self._loading:
            self._settle(self._loading, self._gone())
        await asyncio.to_thread(self._end_threads)

    def refuse_when_full(self) -> None:
        """Refuse, before anything is made ready for it.

        Raises:
            GeneratorBusyError: as many jobs wait as may.
        """
        if len(self._waiting) >= self._limits.queue:
            raise GeneratorBusyError(
                f"{len(self._waiting)} requests wait for {self._name} already, which is as many as may.",
                self._limits.when_full,
            )

    async def _only(self, item: Item, length: int) -> Piece:
        async with contextlib.aclosing(self.stream(item, length)) as pieces:
            async for piece in pieces:
                return piece
        raise GeneratorUnreachableError(f"{self._name} gave no result.", "Ask again.")

    def _submit(self, item: Item, length: int) -> Job[Item, Piece]:
        self._refuse_when_closed()
        self.refuse_when_full()
        job: Job[Item, Piece] = Job(item, length, monotonic() + self._limits.wait)
        with self._changed:
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    def _withdraw(self, job: Job[Item, Piece]) -> None:
        job.wanted = False
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)

    def _refuse_when_closed(self) -> None:
        if self._closing.is_set():
            raise self._gone()

    def _gone(self) -> ModelError:
        return GeneratorUnreachableError(f"{self._name} is shutting down.", "Ask again when the bot is back.")

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name=f"{self._name} {len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _end_threads(self) -> None:
        end = monotonic() + _CLOSING_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            log.warning("model still computes", model=self._name)
        elif self._model is not None:
            self._model.close()
            self._model = None

    def _load_in_thread(self, loading: asyncio.Future[Model[Item, Piece]]) -> None:
        outcome: Model[Item, Piece] | ModelError
        begun = monotonic()
        try:
            outcome = self._load(self._closing)
        except ModelError as error:
            outcome = error
        # The thread's boundary: whatever a library raises, those who wait for the model must hear of it.
        except Exception:
            log.exception("model not loaded", model=self._name)
            outcome = GeneratorUnreachableError(f"{self._name} cannot be loaded.", "The log holds the reason.")
        watching.tell_loaded(self._kind, monotonic() - begun, failed=isinstance(outcome, ModelError))
        if not isinstance(outcome, ModelError):
            self._model = outcome
            for _ in range(outcome.parallel):
                self._start(self._work, outcome)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loading.get_loop().call_soon_threadsafe(self._settle, loading, outcome)

    def _settle(self, loading: asyncio.Future[Model[Item, Piece]], outcome: Model[Item, Piece] | ModelError) -> None:
        self._loading = None
        if loading.done():  # closed meanwhile
            return
        if isinstance(outcome, ModelError):
            loading.set_exception(outcome)
            loading.exception()  # looked at, should nobody wait any more
        else:
            loading.set_result(outcome)

    def _work(self, model: Model[Item, Piece]) -> None:
        while jobs := self._next_batch(model.parallel):
            error: ModelError | None = None
            begun = monotonic()
            try:
                model.compute(jobs)
            except ModelError as raised:
                error = raised
            # One batch's failure must not end the worker.
            except Exception:
                log.exception("model failed", model=self._name, batch=len(jobs))
                error = GeneratorUnreachableError(f"{self._name} broke off.", "The log holds the reason.")
            watching.tell_computed(self._kind, len(jobs), monotonic() - begun)
            with self._changed:
                self._running.difference_update(jobs)
            for job in jobs:
                job.end(error or (self._gone() if self._closing.is_set() else None))

    def _next_batch(self, parallel: int) -> list[Job[Item, Piece]]:
        """Wait for jobs; none are given when the runtime closes."""
        most = math.ceil(self._limits.batch / parallel)
        with self._changed:
            self._idle += 1
            while not self._closing.is_set():
                seconds = self._seconds_to_wait(most)
                if seconds is not None and seconds <= 0:
                    jobs = self._take(most)
                    self._idle -= 1
                    return jobs
                self._changed.wait(seconds)
            return []

    def _seconds_to_wait(self, most: int) -> float | None:
        if not self._waiting:
            return None
        return 0.0 if len(self._waiting) >= most * self._idle else self._waiting[0].due - monotonic()

    def _take(self, most: int) -> list[Job[Item, Piece]]:
        count = min(most, math.ceil(len(self._waiting) / self._idle))
        oldest = self._waiting[0]
        nearest = sorted(self._waiting[1:], key=lambda job: abs(job.length - oldest.length))
        jobs = [oldest, *nearest[: count - 1]]
        self._waiting = [job for job in self._waiting if job not in jobs]
        self._running.update(jobs)
        return jobs
