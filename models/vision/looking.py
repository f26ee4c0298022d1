"""One of the models that look at pictures, in a runtime of its own, and what is known of why it cannot be loaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from models.errors import ModelError, ModelExtraError, ModelMissingError
from models.runtime import Job, Runtime, RuntimeLimits
from models.vision.contract import Pixels
from models.vision.decoding.contract import View

log = structlog.get_logger(__name__)


class Loaded(Protocol):
    """A model that looks at pictures.

    Attributes:
        name: what it is called.
        view: how a picture is laid out for it.
    """

    name: str
    view: View

    def close(self) -> None:
        """Let go of its memory."""


Model = TypeVar("Model", bound=Loaded)
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a model cannot be loaded, and until when (by `time.monotonic`) that is taken for granted."""

    error: ModelError
    until: float


class Looking(Generic[Model, Row]):
    """A model of pictures that is loaded when it is first needed, and looks at several pictures at once.

    For one event loop.

    Args:
        what: what messages call it as long as it is not loaded.
        load: loads it, blocking; called in the runtime's thread.
        rows: has it look at pictures, shaped [pictures, height, width, 3], and gives what it says of each.
        limits: how much the runtime takes on.
        at_once: pictures in one call of `rows` at the most; between calls it is seen whether anybody still waits.
        again_after: seconds after which a model that could not be loaded is tried again.
    """

    def __init__(
        self,
        what: str,
        load: Callable[[], Model],
        rows: Callable[[Model, NDArray[np.uint8]], Sequence[Row]],
        limits: RuntimeLimits,
        at_once: int,
        again_after: float,
    ) -> None:
        self._what = what
        self._load = load
        self._rows = rows
        self._at_once = at_once
        self._again_after = again_after
        self._failure: Failure | None = None
        self._model: Model | None = None
        self._runtime: Runtime[Pixels, Row] = Runtime(what, lambda stopping: self._loaded(), limits, "pictures")

    @property
    def is_loaded(self) -> bool:
        """Whether the model is there."""
        return self._runtime.is_loaded

    @property
    def waking(self) -> bool:
        """Whether it has to be loaded first, as far as is known that it can be."""
        return not (self.is_loaded or (self._failure and monotonic() < self._failure.until))

    @property
    def state(self) -> Literal["loaded", "not loaded", "unavailable"]:
        """Whether the model is there, has not been needed yet, or could not be loaded when it was last tried."""
        if self.is_loaded:
            return "loaded"
        return "unavailable" if self._failure else "not loaded"

    @property
    def name(self) -> str:
        """What the model is called; empty as long as it is not loaded."""
        return self._model.name if self._model else ""

    async def ready(self) -> Model:
        """Load the model unless it is there.

        Raises:
            ModelError: it cannot be loaded, or could not be a moment ago.
        """
        if self._failure and monotonic() < self._failure.until:
            raise self._failure.error
        try:
            await self._runtime.load()
        except ModelError as error:
            self._failure = Failure(error, monotonic() + self._again_after)
            raise
        if self._model is None:
            raise RuntimeError("a model was loaded, and is not there")
        return self._model

    async def look(self, pixels: Pixels) -> Row:
        """Have the model look at a picture, laid out as its view says, together with others that wait.

        Raises:
            GeneratorBusyError: as many pictures wait as may.
            ModelError: the model broke off, or is shutting down.
        """
        (row,) = await self._runtime.run([(pixels, 1)])
        return row

    def refuse_when_full(self) -> None:
        """Refuse before a picture is decoded; raises `GeneratorBusyError`."""
        self._runtime.refuse_when_full()

    async def close(self) -> None:
        """Let go of the model; who still waits is told so."""
        await self._runtime.close()
        self._model = None

    def _loaded(self) -> "_InBatches[Model, Row]":
        try:
            self._model = self._load()
        except (ModelMissingError, ModelExtraError) as error:  # most often nobody asked for it
            log.info("model not there", model=self._what, because=str(error))
            raise
        except ModelError as error:
            log.warning("model not loaded", model=self._what, because=str(error))
            raise
        return _InBatches(self._model, self._rows, self._at_once)


class _InBatches(Generic[Model, Row]):
    """A model as the runtime runs it."""

    parallel = 1

    def __init__(self, model: Model, rows: Callable[[Model, NDArray[np.uint8]], Sequence[Row]], at_once: int) -> None:
        self._model = model
        self._rows = rows
        self._at_once = at_once

    def compute(self, jobs: Sequence[Job[Pixels, Row]]) -> None:
        for start in range(0, len(jobs), self._at_once):
            wanted = [job for job in jobs[start : start + self._at_once] if job.wanted]
            if wanted:
                rows = self._rows(self._model, np.stack([job.item for job in wanted]))
                for job, row in zip(wanted, rows, strict=True):
                    job.give(row)

    def close(self) -> None:
        self._model.close()
