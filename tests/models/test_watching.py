"""Loads and batches of the model runtimes, told to whoever counts them."""

import threading
from collections.abc import Sequence

import pytest

from models.errors import ModelError, ModelUnusableError
from models.runtime import Job, Model, Runtime, RuntimeLimits
from models.watching import Kind, watched_by


class Notes:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.loads: list[tuple[Kind, bool]] = []
        self.batches: list[tuple[Kind, int]] = []
        self.seconds: list[float] = []

    def model_loaded(self, kind: Kind, seconds: float, *, failed: bool) -> None:
        self.loads.append((kind, failed))
        self.seconds.append(seconds)

    def batch_computed(self, kind: Kind, jobs: int, seconds: float) -> None:
        self.batches.append((kind, jobs))
        self.seconds.append(seconds)


class Doubling:
    parallel = 1

    def compute(self, jobs: Sequence[Job[int, int]]) -> None:
        for job in jobs:
            job.give(2 * job.item)

    def close(self) -> None:
        pass


def _loads(stopping: threading.Event) -> Model[int, int]:
    return Doubling()


def _fails(stopping: threading.Event) -> Model[int, int]:
    raise ModelUnusableError("It is damaged.", "Pull it again.")


async def test_loads_and_batches_are_told_by_what_the_runtime_is_for() -> None:
    notes = Notes()
    runtime = Runtime("doubling", _loads, RuntimeLimits(wait=0.2, batch=3), "pictures")
    with watched_by(notes):
        assert await runtime.run([(1, 1), (2, 1), (3, 1)]) == [2, 4, 6]
    await runtime.run([(4, 1)])
    await runtime.close()
    assert notes.loads == [("pictures", False)]
    assert notes.batches == [("pictures", 3)]
    assert all(seconds >= 0 for seconds in notes.seconds)


async def test_a_load_that_fails_is_told() -> None:
    notes = Notes()
    runtime: Runtime[int, int] = Runtime("broken", _fails, RuntimeLimits(), "names")
    with watched_by(notes), pytest.raises(ModelError, match="damaged"):
        await runtime.load()
    await runtime.close()
    assert notes.loads == [("names", True)]
