"""What every run counts, whichever the platform."""

import asyncio
import contextlib
import json
import logging
import re
import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from contract import contract_settings

from bot.settings import Settings

from .mutations import MARK

EVERY = 100
"""One event in so many is a valid question."""

QUESTIONS = (
    ("When does the office open?", "8 in the morning"),
    ("Where do visitors park?", "north side"),
    ("What is Newton's first law?", "at rest"),
)

_OF_THE_LIBRARY = "discord-ui-dynamic-item"
"""Tasks in which discord.py puts a message's buttons together anew: where one is none, the press has no effect."""

_NUMBERS = re.compile(r"\d+")


@dataclass
class Log:
    """The lines of the log as they are written, with tracebacks."""

    lines: Counter[str] = field(default_factory=Counter)
    marked: list[str] = field(default_factory=list)
    tracebacks: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)

    def take(self, line: str, error: BaseException | None, name: str) -> None:
        """Count a line by its name, and keep what must not be in it."""
        self.lines[name] += 1
        self.samples.setdefault(name, line[:300])
        if "reason" in line:
            self.samples.setdefault(_NUMBERS.sub("#", line)[:200], line[:300])
        if error is not None:
            text = "".join(traceback.format_exception(error))
            line += text
            where = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
            kind = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}" if where else repr(error)
            self.tracebacks[f"{name}: {kind}"] += 1
            self.examples.setdefault(f"{name}: {kind}", text)
        if MARK.lower() in line.lower():
            self.marked.append(line[:2_000])


class _Handler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._log.take(record.getMessage(), error, f"{record.name}: {_NUMBERS.sub('#', str(record.msg))[:80]}")


@contextlib.contextmanager
def logged() -> Iterator[Log]:
    """Keep what is logged, by us from INFO on and by the libraries from WARNING on, as in production."""
    log, before = Log(), structlog.get_config()

    def _keep(logger: Any, method: str, event: Any) -> Any:
        error = event.get("exc_info")
        error = error[1] if isinstance(error, tuple) else error
        if error is True:
            error = sys.exc_info()[1]
        log.take(json.dumps(event, default=str), error if isinstance(error, BaseException) else None, event["event"])
        raise structlog.DropEvent

    handler = _Handler(log)
    structlog.configure(processors=[structlog.processors.add_log_level, _keep], cache_logger_on_first_use=False)
    logging.getLogger().addHandler(handler)
    try:
        yield log
    finally:
        logging.getLogger().removeHandler(handler)
        structlog.configure(**before)


def _handled() -> BaseException | None:
    import sys

    return sys.exc_info()[1]


@dataclass
class Found:
    """What a run found.

    Attributes:
        seed: what it can be repeated with.
        events: how many were sent, valid ones among them.
        questions: how many of them were valid questions.
        unanswered: valid questions without an answer, in words.
        doubled: valid questions with more than one.
        accepted: rows in the inbox at the end.
        open_rows: those of them that are still open.
        outcomes: how the rows ended.
        answered_bent: how many answers the bot gave to bent events.
        log: what was logged.
        trouble: what else went wrong, by kind.
        seconds: how long it took.
    """

    seed: int
    events: int = 0
    questions: int = 0
    unanswered: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    accepted: int = 0
    open_rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    answered_bent: int = 0
    log: Log = field(default_factory=Log)
    trouble: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def problems(self) -> list[str]:
        """What must not be; empty where all is well."""
        return [
            *(f"not answered: {one}" for one in self.unanswered),
            *(f"answered more than once: {one}" for one in self.doubled),
            *([f"{self.open_rows} rows are still open"] if self.open_rows else []),
            *(f"in the log: {line}" for line in self.log.marked),
            *(f"{count} times: {what}" for what, count in self.trouble.items()),
        ]

    def report(self) -> str:
        """Give what there is to say, for people."""
        return "\n".join(
            [
                f"seed {self.seed}: {self.events:,} events in {self.seconds:,.0f} s",
                f"{self.questions:,} valid questions",
                f"{len(self.unanswered)} unanswered, {len(self.doubled)} doubled",
                f"{self.accepted:,} rows accepted, {self.open_rows} open; {self.outcomes}",
                f"{self.answered_bent:,} answers to bent events",
                *(f"  log: {count:7,} {line}" for line, count in self.log.lines.most_common(25)),
                *(f"  traceback: {count:7,} {what}" for what, count in self.log.tracebacks.most_common(25)),
                *(self.problems or ["no problem"]),
            ]
        )


def fuzz_settings(folder: Path, **sections: Any) -> Settings:
    """Give settings under which nothing is turned away for being too much."""
    plenty = {"person_per_minute": 0, "channel_per_minute": 0, "workspace_per_minute": 0, "person_at_once": 0}
    dispatch = {"queue": 100_000, "channel_queue": 100_000, "retry_seconds": 1.0}
    return contract_settings(folder, limits=plenty, dispatch=dispatch, database={"synchronous": "normal"}, **sections)


def rows(settings: Settings, found: Found) -> None:
    """Count the rows of the inbox."""
    with contextlib.closing(sqlite3.connect(settings.database_file)) as connection:
        found.accepted = connection.execute("SELECT count(*) FROM inbox").fetchone()[0]
        found.open_rows = _open(connection)
        ended = connection.execute("SELECT outcome, count(*) FROM inbox GROUP BY outcome").fetchall()
        open_ones = connection.execute("SELECT key, payload FROM inbox WHERE is_open").fetchall()
        found.log.samples |= {f"open {key}": f"open: {key} {payload}"[:1_000] for key, payload in open_ones}
        found.outcomes = {str(outcome): count for outcome, count in ended}


async def drained(settings: Settings, seconds: float, left: int = 0) -> bool:
    """Wait until no more than `left` rows are open, or for so many seconds; say which."""
    end = asyncio.get_running_loop().time() + seconds
    with contextlib.closing(sqlite3.connect(settings.database_file)) as connection:
        while _open(connection) > left:
            if asyncio.get_running_loop().time() > end:
                return False
            await asyncio.sleep(0.02)
    return True


def _open(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM inbox WHERE is_open").fetchone()[0])


@contextlib.contextmanager
def loop_troubles(found: Found) -> Iterator[None]:
    """Count what tasks raise that nobody awaits."""
    loop = asyncio.get_running_loop()
    before: Callable[..., Any] | None = loop.get_exception_handler()

    def _take(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error, task = context.get("exception"), context.get("future")
        if isinstance(task, asyncio.Task) and task.get_name().startswith(_OF_THE_LIBRARY):
            found.log.take(f"{context['message']}: {task.get_name()}", error, "discord.py could not take a press")
            return
        found.trouble[f"{context['message']}: {type(error).__name__}"] += 1
        if error is not None:
            found.log.examples.setdefault(f"task {type(error).__name__}", "".join(traceback.format_exception(error)))

    loop.set_exception_handler(_take)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
