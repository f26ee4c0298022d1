"""What the metrics cost: microseconds that counting and tracing add to a question, and how long a collection takes.

    python benchmarks/metrics.py

- the steps of one question (accept, search, generate, send, and the count of how it ended) with nobody who wants to
  know, counted, and counted and traced; beside what a question takes on its whole road, in the same process;
- a collection while 100,000 messages were answered before, and 1,000 wait; alone, and beside a writer at work.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert

from bot import logs
from bot.adapter import InMemoryAdapter
from bot.application import Application
from bot.database import Change, Database
from bot.messages import Author, IncomingMessage, Place
from bot.metrics import Metrics
from bot.settings import Settings
from bot.settings.tree import LogSettings
from bot.stages import Stage, Stages
from bot.tables import inbox, outbox
from knowledge import starter

_STEPS: tuple[Stage, ...] = ("accept", "search", "generate", "send")
_MESSAGE = IncomingMessage("key", Place("memory", "workspace", "channel"), Author("person"), "What is Ohm's law?")


def _micros_of_steps(stages: Stages, rounds: int = 2_000) -> float:
    """Time the steps of one question in which nothing is done; give microseconds, the median of many."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        for step in _STEPS:
            with stages.at(step, _MESSAGE, outcome="answered"):
                pass
        stages.ended(_MESSAGE, "answer", "answered", delivered=True)
        taken.append(time.perf_counter() - started)
    return 1e6 * statistics.median(taken)


def _traced() -> Stages:
    """Give what traces to a port on which nobody listens."""
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    from bot.spans import Spans

    return Stages(Metrics(), Spans())


async def _micros_of_a_question(adapter: InMemoryAdapter, number: int) -> float:
    questions = [item["question"] for item in json.loads(starter.answerable().read_text(encoding="utf-8"))]
    taken = []
    for at in range(number):
        person = uuid.uuid4().hex
        question = questions[at % len(questions)]
        message = IncomingMessage(person, Place("memory", person, person), Author(person), question)
        started = time.perf_counter()
        await (await adapter.post(message)).complete()
        taken.append(time.perf_counter() - started)
    return 1e6 * statistics.median(taken)


async def _millis(work: Callable[[], Awaitable[object]], rounds: int = 30) -> tuple[float, float]:
    """Give the median and the longest of many runs, in milliseconds."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        await work()
        taken.append(1e3 * (time.perf_counter() - started))
    return statistics.median(taken), max(taken)


def _fill(answered: int, waiting: int) -> Callable[[Connection], None]:
    """Give what writes messages that were answered, and some that wait with their replies written."""
    now = datetime.now(UTC)

    def _write(connection: Connection) -> None:
        known = {"platform": "memory", "person_id": "memory:ada", "payload": None, "received_at": now}
        keys = [(f"memory/{number}", number >= answered) for number in range(answered + waiting)]
        connection.execute(insert(inbox), [{**known, "key": key, "is_open": is_open} for key, is_open in keys])
        parts = [
            {
                "idempotency_key": f"{key}#reply/0",
                "inbox_key": key,
                "is_sent": not is_open,
                "payload": "{}" if is_open else None,
                "created_at": now,
            }
            for key, is_open in keys
        ]
        connection.execute(insert(outbox), parts)

    return _write


async def _write_on(database: Database) -> None:
    """Write until cancelled, one commit after the other."""
    for number in itertools.count():
        await database.write(Change((insert(inbox),), ([_row(number)],)))


def _row(number: int) -> dict[str, object]:
    key = f"writer/{number}"
    return {
        "key": key,
        "platform": "memory",
        "person_id": "",
        "received_at": datetime.now(UTC),
        "is_open": False,
    }


async def _measure(questions: int, answered: int, waiting: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_directory=Path(folder))
        application, adapter = Application(settings), InMemoryAdapter()
        async with application.running([adapter]):
            figures = {
                "nobody": _micros_of_steps(Stages()),
                "counted": _micros_of_steps(Stages(Metrics())),
                "traced": _micros_of_steps(_traced()),
                "question": await _micros_of_a_question(adapter, questions),
            }
            return figures | await _collections(application, settings, _fill(answered, waiting))


async def _collections(
    application: Application, settings: Settings, fill: Callable[[Connection], None]
) -> dict[str, float]:
    async def _collect() -> None:
        await application.metrics.exposition("")

    other, figures = Database(settings.database_file), {}
    await other.open()
    await other.transact(fill)
    await _collect()
    figures["alone"], figures["alone, longest"] = await _millis(_collect)
    writing = asyncio.create_task(_write_on(other))
    figures["beside a writer"], figures["beside a writer, longest"] = await _millis(_collect)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await other.close()
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--answered", type=int, default=100_000)
    parser.add_argument("--waiting", type=int, default=1_000)
    options = parser.parse_args()
    logs.set_up(LogSettings(level="error"))
    figures = asyncio.run(_measure(options.questions, options.answered, options.waiting))
    for name in ("nobody", "counted", "traced"):
        share = (figures[name] - figures["nobody"]) / figures["question"]
        print(f"{f'steps of a question, {name}':<34}{figures[name]:>9.1f} µs{share:>9.2%} of a question")
    print(f"{'a question on its whole road':<34}{figures['question']:>9.0f} µs")
    for name in ("alone", "beside a writer"):
        longest = figures[f"{name}, longest"]
        print(f"{f'a collection, {name}':<34}{figures[name]:>9.1f} ms, the longest of 30 {longest:.1f} ms")


if __name__ == "__main__":
    main()
