"""Sets up the log: ids, sizes and timings on standard error, never a message's text and never a secret."""

import logging
import re
import sys
import traceback
from typing import TextIO

import structlog

from bot.recent_errors import RECENT
from bot.settings.tree import LogSettings

_SECRETS = re.compile(
    r"(?P<known>/webhooks/\d+/|/interactions/\d+/|hooks\.slack\.com/|\b(?:Bearer|Bot)\s+|[?&](?:key|token|ticket)=)"
    r"[^\s\"'/?&<>\\]{8,}(?:/[^\s\"'?&<>\\]+)?"
    r"|\bxox[a-z]-[\w-]{6,}|\bxapp-[\w-]{6,}|\bAIza[\w-]{10,}|\bsk-[\w-]{16,}",
    re.IGNORECASE,
)
"""Secrets by their look, for errors of other libraries that hold an address or a header."""


def set_up(settings: LogSettings) -> None:
    """Send our log, and warnings of the libraries, to standard error in the form the settings name."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        RECENT,
    ]
    as_json = settings.format == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_write_traceback)
    )
    tracing = structlog.processors.ExceptionRenderer(_Tracebacks())
    final = [tracing, renderer] if as_json else [renderer]
    formatter = _Masking(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final]
    )
    handler = _StandardError()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("bot", "adapters", "knowledge", "models"):
        logging.getLogger(ours).setLevel(settings.level.upper())
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class _Tracebacks:
    """Tells where errors came from, each with its cause before it: without their words and without local variables.

    Both may hold what people wrote.
    """

    def __call__(self, exc_info: structlog.typing.ExcInfo) -> str:
        chain: list[BaseException] = []
        one: BaseException | None = exc_info[1]
        while one is not None and one not in chain:
            chain.append(one)
            one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        return "\nand then\n".join(
            f"Traceback (most recent call last):\n{''.join(traceback.format_tb(one.__traceback__))}{type(one).__name__}"
            for one in reversed(chain)
        )


def _write_traceback(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    stream.write(_Tracebacks()(exc_info))


class _Masking(structlog.stdlib.ProcessorFormatter):
    """Writes lines in which what looks like a secret is masked."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub(lambda found: f"{found['known'] or ''}***", super().format(record))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the moment: where an answer grows on a terminal, log lines go above it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)
