"""The steps on messages' roads as OpenTelemetry spans; imported only where the environment names a collector."""

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from importlib.metadata import version
from threading import Lock

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, set_span_in_context

from bot.delivery import inbox_key
from bot.messages import IncomingMessage
from bot.stages import Attribute

log = structlog.get_logger(__name__)

_ROOT: ContextVar[tuple[int, int] | None] = ContextVar("root of a trace", default=None)
"""Trace and span that the next root is to be."""


class Spans:
    """Writes steps down as spans, one trace a message; a `bot.stages.Tracer`.

    Trace and root follow from the message's key (SHA-256), so that all its steps join, whichever task, process or run
    they are done in. The root is the accepting of it.

    Raises:
        ValueError: a variable ``OTEL_…`` of the environment has no value that can be used.
        OSError: a certificate that it names cannot be read.
    """

    def __init__(self) -> None:
        # What fails is told once, in our words: theirs repeat themselves, and may hold the collector's credentials.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
        self._exporter = _Exporter(OTLPSpanExporter())
        self._provider = TracerProvider(resource=_resource(), id_generator=_Ids(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("preceptor", version("preceptor"))

    def record(
        self,
        stage: str,
        message: IncomingMessage | None,
        times: tuple[int, int],
        attributes: Mapping[str, Attribute],
        error: str = "",
    ) -> None:
        """See `bot.stages.Tracer.record`."""
        known: dict[str, Attribute] = {f"preceptor.{name}": value for name, value in attributes.items()}
        context = Context()
        token = None
        if message is not None:
            digest = hashlib.sha256(inbox_key(message).encode()).digest()
            known |= {"preceptor.message": digest.hex()[:32], "preceptor.platform": message.place.platform}
            root = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
            if attributes.get("new"):
                token = _ROOT.set(root)
            else:
                context = self._below(root, stage)
        span = self._tracer.start_span(stage, context, attributes=known, start_time=times[0])
        if token:
            _ROOT.reset(token)
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(times[1])

    def _below(self, root: tuple[int, int], stage: str) -> Context:
        trace, span = root
        # What the sampler said of the root it says again: it looks at the trace alone.
        is_sampled = self._provider.sampler.should_sample(None, trace, stage).decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if is_sampled else TraceFlags.DEFAULT)
        return set_span_in_context(NonRecordingSpan(SpanContext(trace, span, is_remote=True, trace_flags=flags)))

    def close(self) -> None:
        """Send what was not sent yet; blocks until it is taken, or refused, or `give_up` is called."""
        self._provider.shutdown()

    def give_up(self) -> None:
        """Send no more."""
        self._exporter.shutdown()


class _Ids(RandomIdGenerator):
    """Chance, but for the roots of messages."""

    def generate_trace_id(self) -> int:
        root = _ROOT.get()
        return root[0] if root else super().generate_trace_id()

    def generate_span_id(self) -> int:
        root = _ROOT.get()
        return root[1] if root else super().generate_span_id()

    def is_trace_id_random(self) -> bool:
        """A digest's bits are as good as chance's, but an id that comes twice is none of chance."""
        return False


class _Exporter(SpanExporter):
    """Sends spans; tells once that they are not taken, and once that they are taken again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._is_failing = False
        self._is_closed = False
        self._closing = Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        is_failing = result is not SpanExportResult.SUCCESS
        # Once it was given up, that has been told.
        if is_failing != self._is_failing and not self._is_closed:
            self._is_failing = is_failing
            if is_failing:
                log.warning("traces are not taken", fix="See that OTEL_EXPORTER_OTLP_ENDPOINT names a collector.")
            else:
                log.info("traces are taken again")
        return result

    def shutdown(self) -> None:
        with self._closing:
            is_closed, self._is_closed = self._is_closed, True
        if not is_closed:
            self._exporter.shutdown()


def _resource() -> Resource:
    """Say who sends the traces; what the environment calls it goes first."""
    own: dict[str, str] = {"service.version": version("preceptor")}
    if not os.environ.get("OTEL_SERVICE_NAME") and "service.name=" not in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    ):
        own["service.name"] = "preceptor"
    return Resource.create(own)
