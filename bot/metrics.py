"""The figures that a monitoring system collects: what was asked, how it ended, how long each step took.

Every label's values come from a closed set: platforms, outcomes, generators of the settings, templates of addresses.
No id, no name and no text is ever among them.
"""

import asyncio
import platform as machine
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import get_args

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bot.adapter import Figures
from bot.log_counts import Level, Room
from bot.stages import Stage
from models.generation import Usage
from models.generation.chain import Attempted
from models.watching import Kind

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LOAD_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_REQUEST_SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0, 60.0)
_LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_JOBS = (1, 2, 4, 8, 16, 32, 64)

# The moment at which each series began is of no use here, and doubles what is sent.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # it is not annotated


class Metrics(Figures):
    """All figures of one `bot.application.Application`, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._refresh: Callable[[], Awaitable[None]] | None = None
        self._count_the_road()
        self._count_generators()
        self._count_the_process()
        self._count_requests()

    def _count_the_road(self) -> None:
        self._questions = self._counter("questions", "Messages that ended, by how", "platform", "capability", "outcome")
        self._answer_seconds = self._histogram(
            "answer_seconds", "From acceptance to the delivered reply", _SECONDS, "platform"
        )
        self._stage_seconds = self._histogram(
            "stage_seconds", "How long a step on a message's road took", _SECONDS, "stage", "platform"
        )
        self._reloads = self._counter("reloads", "Times that the knowledge base was read", "outcome")
        for outcome in ("ok", "failed"):
            self._reloads.labels(outcome)

    def _count_generators(self) -> None:
        self._generations = self._counter(
            "generations", "Turns of a generator, by how they ended", "generator", "outcome"
        )
        self._tokens = self._counter("tokens", "Tokens read and written by generators", "generator", "direction")
        self._cost = self._counter("cost", "What generators cost, in the currency of their prices", "generator")
        self._load_seconds = self._histogram(
            "model_load_seconds", "How long models took to load", _LOAD_SECONDS, "runtime", "outcome"
        )
        # There from the start: of a series that begins at 1, Prometheus sees no increase, and no alert comes.
        for kind in get_args(Kind):
            self._load_seconds.labels(kind, "failed")
        self._batch_size = self._histogram("batch_size", "Requests that were computed together", _JOBS, "runtime")
        self._batch_seconds = self._histogram("batch_seconds", "How long a batch took", _SECONDS, "runtime")

    def _count_the_process(self) -> None:
        self._lag = self._histogram("loop_lag_seconds", "How late the event loop came back", _LAG_SECONDS)
        self._errors = self._counter("errors", "Warnings and errors in the log", "level", "room")
        for level in get_args(Level):
            for room in get_args(Room):
                self._errors.labels(level, room)
        build = Gauge("preceptor_build_info", "What runs here; always 1", ("version", "python"), registry=self.registry)
        build.labels(version("preceptor"), machine.python_version()).set(1)
        prometheus_client.ProcessCollector(registry=self.registry)
        prometheus_client.GCCollector(registry=self.registry)

    def _count_requests(self) -> None:
        self._requests = self._counter("http_requests", "HTTP requests", "route", "method", "status")
        self._request_seconds = self._histogram(
            "http_seconds", "From an HTTP request to the end of its response", _REQUEST_SECONDS, "route"
        )

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"preceptor_{name}", help_text, labels, registry=self.registry)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"preceptor_{name}", help_text, labels, buckets=buckets, registry=self.registry)

    def show_live(self, collector: Collector, refresh: Callable[[], Awaitable[None]]) -> None:
        """Add figures that are looked up when somebody asks; `refresh` is awaited before `collector` gives them."""
        self.registry.register(collector)
        self._refresh = refresh

    def ended(self, platform: str, capability: str, outcome: str, seconds: float | None = None) -> None:
        """Count a message that ended; `seconds` from its acceptance, where a reply was delivered."""
        self._questions.labels(platform, capability, outcome).inc()
        if seconds is not None:
            self._answer_seconds.labels(platform).observe(seconds)

    def stage(self, stage: Stage, platform: str, seconds: float) -> None:
        """Note how long a step on the road of a message took."""
        self._stage_seconds.labels(stage, platform).observe(seconds)

    def reloaded(self, *, failed: bool) -> None:
        """Count that the knowledge base was read, or could not be."""
        self._reloads.labels("failed" if failed else "ok").inc()

    def attempted(self, generator: str, outcome: Attempted) -> None:
        """Count a generator's turn."""
        self._generations.labels(generator, outcome).inc()

    def charged(self, generator: str, usage: Usage) -> None:
        """Count what an answer took."""
        self._tokens.labels(generator, "input").inc(usage.input_tokens)
        self._tokens.labels(generator, "output").inc(usage.output_tokens)
        self._cost.labels(generator).inc(usage.cost)

    def model_loaded(self, kind: Kind, seconds: float, *, failed: bool) -> None:
        """See `models.watching.Watch`."""
        self._load_seconds.labels(kind, "failed" if failed else "ok").observe(seconds)

    def batch_computed(self, kind: Kind, jobs: int, seconds: float) -> None:
        """See `models.watching.Watch`."""
        self._batch_size.labels(kind).observe(jobs)
        self._batch_seconds.labels(kind).observe(seconds)

    def lagged(self, seconds: float) -> None:
        """Note how late the event loop was."""
        self._lag.observe(seconds)

    def logged(self, level: Level, room: Room) -> None:
        """Count a line of the log."""
        self._errors.labels(level, room).inc()

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """See `Figures.request`."""
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        """See `Figures.exposition`."""
        if self._refresh:
            await self._refresh()
        encode, media_type = choose_encoder(accept)
        return await asyncio.to_thread(encode, self.registry), media_type
