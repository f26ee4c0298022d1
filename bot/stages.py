"""Times the steps on a message's road, for the metrics and the traces alike."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from time import perf_counter, time_ns
from types import TracebackType
from typing import Literal, Protocol, Self

from bot.messages import IncomingMessage

Stage = Literal["accept", "search", "generate", "diagnose", "describe", "send"]
"""Accepting commits the message; then the knowledge base is searched, an answer written, symptoms judged or pictures
looked at; and the reply is sent."""

Attribute = str | int | bool


class Watch(Protocol):
    """What counts, by platform, how messages end and how long steps take."""

    def stage(self, stage: Stage, platform: str, seconds: float) -> None:
        """A step has ended."""

    def ended(self, platform: str, capability: str, outcome: str, seconds: float | None = None) -> None:
        """A message has ended; `seconds` from its acceptance, where a reply was delivered."""

    def reloaded(self, *, failed: bool) -> None:
        """The knowledge base was read, or could not be."""


class Tracer(Protocol):
    """What writes steps down one by one."""

    def record(
        self,
        stage: str,
        message: IncomingMessage | None,
        times: tuple[int, int],
        attributes: Mapping[str, Attribute],
        error: str = "",
    ) -> None:
        """Write down a step that has ended.

        Args:
            stage: which one.
            message: on whose road; None for what serves all.
            times: its begin and its end, in nanoseconds since 1970.
            attributes: what is known of it; no texts, no people, no places.
            error: the name of the error that ended it; empty where none did.
        """


class Stages:
    """Hands out the clocks of steps; without anybody who wants to know, they do nothing.

    Args:
        watch: is told how long each step took, and how messages ended.
        tracer: is told of each step, with the message.
    """

    def __init__(self, watch: Watch | None = None, tracer: Tracer | None = None) -> None:
        self.watch = watch
        self.tracer = tracer

    def at(self, stage: Stage, message: IncomingMessage, **attributes: Attribute) -> "Step":
        """Give the context in which a step is done; of `attributes` see `Tracer.record`."""
        return Step(self, stage, message, attributes)

    def ended(self, message: IncomingMessage, capability: str, outcome: str, *, delivered: bool = False) -> None:
        """Say how a message ended, and whether a reply was delivered just now."""
        if self.watch:
            seconds = (datetime.now(UTC) - message.received_at).total_seconds() if delivered else None
            self.watch.ended(message.place.platform, capability, outcome, seconds)

    def reloaded(self, seconds: float, failed: bool) -> None:
        """Say that the knowledge base was read, or could not be; it is told in the thread that reads."""
        if self.watch:
            self.watch.reloaded(failed=failed)
        if self.tracer:
            now = time_ns()
            outcome = "failed" if failed else "ok"
            self.tracer.record("reload", None, (now - round(seconds * 1e9), now), {"outcome": outcome})


class Step:
    """One step: the while of a ``with``.

    Attributes:
        attributes: what is known of the step, to be filled in meanwhile; see `Tracer.record`.
    """

    __slots__ = ("_begun", "_begun_at", "_message", "_paused", "_stage", "_stages", "attributes")

    def __init__(
        self, stages: Stages, stage: Stage, message: IncomingMessage, attributes: dict[str, Attribute]
    ) -> None:
        self._stages = stages
        self._stage = stage
        self._message = message
        self._begun = self._paused = 0.0
        self._begun_at = 0
        self.attributes = attributes

    def __enter__(self) -> Self:
        self._begun_at = time_ns() if self._stages.tracer else 0
        self._begun = perf_counter()
        return self

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out the while of the body."""
        begun = perf_counter()
        try:
            yield
        finally:
            self._paused += perf_counter() - begun

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._stages.watch:
            seconds = perf_counter() - self._begun - self._paused
            self._stages.watch.stage(self._stage, self._message.place.platform, seconds)
        if self._stages.tracer:
            times = (self._begun_at, time_ns())
            failed = kind.__name__ if kind else ""
            self._stages.tracer.record(self._stage, self._message, times, self.attributes, failed)
