"""Decides whether the steps on messages' roads are written down as traces, and sees that they are sent at the end."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator

import structlog

from bot.stages import Stages

log = structlog.get_logger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OUR_PROTOCOL = "http/protobuf"

_FLUSH_SECONDS = 2.0
"""How long a stop waits for the last traces to be taken."""


def is_wanted() -> bool:
    """Say whether the environment names a collector, and does not switch traces off."""
    named = any(os.environ.get(name, "").strip() for name in _ENDPOINTS)
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return named and not is_off and os.environ.get("OTEL_TRACES_EXPORTER", "").strip() != "none"


@contextlib.asynccontextmanager
async def written(stages: Stages) -> AsyncIterator[None]:
    """Have steps written down for the while of the body, where that is wanted; nothing is imported where it is not."""
    if not is_wanted():
        yield
        return
    try:
        from bot.spans import Spans

        # In a thread: it takes a moment to import, and reads certificates.
        spans = await asyncio.to_thread(Spans)
    except ImportError:
        log.warning("no traces are written", reason="OpenTelemetry is not installed", fix="make tracing")
        yield
        return
    except (ValueError, OSError) as error:
        fix = "Look at the variables OTEL_… of the environment."
        log.warning("no traces are written", reason=type(error).__name__, fix=fix)
        yield
        return
    _warn_of_other_protocols()
    stages.tracer = spans
    try:
        yield
    finally:
        stages.tracer = None
        # A thread of its own, that nobody waits for at the end: a collector that hangs must not keep us from stopping.
        closing = threading.Thread(target=spans.close, name="traces: last ones", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, _FLUSH_SECONDS)
        if closing.is_alive():
            log.warning("last traces not taken", seconds=_FLUSH_SECONDS)
            spans.give_up()


def _warn_of_other_protocols() -> None:
    protocol = next(filter(None, (os.environ.get(name, "").strip() for name in _PROTOCOLS)), _OUR_PROTOCOL)
    if protocol != _OUR_PROTOCOL:
        log.warning("traces go over HTTP all the same", protocol=_OUR_PROTOCOL, fix="Most collectors take it at :4318.")
