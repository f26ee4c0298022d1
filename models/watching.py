"""Tells whoever counts it what the model runtimes of this process do: loads, and batches that are computed."""

import contextlib
from collections.abc import Iterator
from typing import Literal, Protocol

Kind = Literal["answers", "names", "diagnosis", "pictures"]
"""What a runtime is for: a closed set, so that it can be counted by."""


class Watch(Protocol):
    """What wants to know. It is called in the runtimes' threads, and must neither block nor raise."""

    def model_loaded(self, kind: Kind, seconds: float, *, failed: bool) -> None:
        """A load has ended after so many seconds."""

    def batch_computed(self, kind: Kind, jobs: int, seconds: float) -> None:
        """So many jobs were computed together in so many seconds."""


_watches: tuple[Watch, ...] = ()


@contextlib.contextmanager
def watched_by(watch: Watch) -> Iterator[None]:
    """Tell `watch` what all runtimes of this process do, for the while of the body."""
    # The models of a process are the process's, whoever made them.
    global _watches
    _watches = (*_watches, watch)
    try:
        yield
    finally:
        _watches = tuple(one for one in _watches if one is not watch)


def tell_loaded(kind: Kind, seconds: float, *, failed: bool) -> None:
    """Say that a load has ended."""
    for watch in _watches:
        watch.model_loaded(kind, seconds, failed=failed)


def tell_computed(kind: Kind, jobs: int, seconds: float) -> None:
    """Say that a batch was computed."""
    for watch in _watches:
        watch.batch_computed(kind, jobs, seconds)
