"""Questions a second through the whole road (inbox, search, answer, database, outbox), every answer stored.

    python benchmarks/throughput.py --processes 1 2

Each process answers on its own; all of them share one database with full durability. Beside it, in the same run:

- the same questions through search and extractive answer alone: the ratio is what all the rest costs;
- both again with questions that arrive at random, as people ask, at half of what the road can take: how much longer
  an answer takes than retrieval alone is what all the rest adds;
- the rows that were written, written again by plain sqlite3: three transactions a question, one after the other.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import multiprocessing
import random
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bot import database_file, logs
from bot.adapter import InMemoryAdapter
from bot.application import Application
from bot.messages import Author, IncomingMessage, Place
from bot.settings import Settings
from bot.settings.tree import LogSettings
from knowledge import starter
from models.generation import GroundingPassage
from models.generation.extractive import ExtractiveGenerator

Ask = Callable[[str], Awaitable[None]]

_ROAD, _RETRIEVAL = "whole road", "retrieval alone"
_ACCEPTED = ("inbox",)
_ANSWERED = ("workspaces", "places", "people", "conversations", "messages", "citations", "outbox")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one way, over all processes: answers a second, and milliseconds from question to answer."""

    per_second: float
    median_ms: float
    p99_ms: float


async def _closed_loop(ask: Ask, questions: Iterable[str], at_once: int) -> list[float]:
    """Put questions with `at_once` askers, each waiting for its answer; give the seconds of each."""
    seconds: list[float] = []
    waiting = iter(questions)

    async def _asker() -> None:
        for question in waiting:
            started = time.perf_counter()
            await ask(question)
            seconds.append(time.perf_counter() - started)

    await asyncio.gather(*(_asker() for _ in range(at_once)))
    return seconds


async def _open_loop(ask: Ask, questions: Iterable[str], per_second: float) -> list[float]:
    """Put questions that arrive by chance (a Poisson process), whether others are answered or not."""
    chance = random.Random(7)
    seconds: list[float] = []

    async def _put(question: str, due: float) -> None:
        await ask(question)
        seconds.append(time.perf_counter() - due)

    due = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for question in questions:
            due += chance.expovariate(per_second)
            await asyncio.sleep(due - time.perf_counter())
            tasks.create_task(_put(question, due))
    return seconds


def _whole_road(adapter: InMemoryAdapter) -> Ask:
    async def _ask(question: str) -> None:
        person = uuid.uuid4().hex
        message = IncomingMessage(person, Place("memory", person, person), Author(person), question)
        reply = await (await adapter.post(message)).complete()
        if reply.outcome not in ("answered", "declined"):
            sys.exit(f"{question!r}: {reply.text}")

    return _ask


def _retrieval_alone(application: Application) -> Ask:
    generator = ExtractiveGenerator()
    thread = ThreadPoolExecutor(1)

    def _answer(question: str) -> None:
        hits = application.knowledge.search(question, 5)
        passages = [
            GroundingPassage(number, hit.passage.text, hit.passage.title, hit.score)
            for number, hit in enumerate(hits, start=1)
        ]
        if passages and hits[0].confidence >= application.knowledge.threshold:
            generator.answer(question, passages)

    async def _ask(question: str) -> None:
        await asyncio.get_running_loop().run_in_executor(thread, _answer, question)

    return _ask


def _process(orders: Connection, folder: Path) -> None:
    logs.set_up(LogSettings(level="warning"))
    asyncio.run(_obey(orders, folder))


async def _obey(orders: Connection, folder: Path) -> None:
    """Run one Preceptor, and measure as told until told to end."""
    application, adapter = Application(Settings(data_directory=folder)), InMemoryAdapter()
    asked = itertools.cycle(item["question"] for item in json.loads(starter.answerable().read_text(encoding="utf-8")))
    async with application.running([adapter]):
        ways = {_ROAD: _whole_road(adapter), _RETRIEVAL: _retrieval_alone(application)}
        orders.send(None)
        while order := await asyncio.to_thread(orders.recv):
            way, questions, at_once, per_second = order
            some = itertools.islice(asked, questions)
            orders.send(
                await (
                    _open_loop(ways[way], some, per_second) if per_second else _closed_loop(ways[way], some, at_once)
                )
            )


class Processes:
    """Processes that answer from one database."""

    def __init__(self, orders: list[Connection]) -> None:
        self._orders = orders

    def measure(self, way: str, questions: int, at_once: int = 1, per_second: float = 0.0) -> Figures:
        """Have the questions, and the askers or the rate, shared among all and measure over all."""
        shares = len(self._orders)
        started = time.perf_counter()
        for one in self._orders:
            one.send((way, questions // shares, max(at_once // shares, 1), per_second / shares))
        seconds = [taken for one in self._orders for taken in one.recv()]
        elapsed = time.perf_counter() - started
        milliseconds = [1000 * taken for taken in seconds]
        p99 = statistics.quantiles(milliseconds, n=100)[-1]
        return Figures(len(seconds) / elapsed, statistics.median(milliseconds), p99)


@contextlib.contextmanager
def _running(number: int, folder: Path) -> Iterator[Processes]:
    spawning = multiprocessing.get_context("spawn")
    orders: list[Connection] = []
    processes = []
    for _ in range(number):
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=_process, args=(theirs, folder))
        process.start()
        theirs.close()
        # One after the other: the first one builds the index.
        ours.recv()
        orders.append(ours)
        processes.append(process)
    try:
        yield Processes(orders)
    finally:
        for one in orders:
            one.send(None)
        for process in processes:
            process.join()


def _measured(number: int, questions: int, at_once: list[int]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        with _running(number, Path(name)) as processes:
            for way in (_ROAD, _RETRIEVAL):
                processes.measure(way, 400, 8)
            closed = {
                askers: {way: processes.measure(way, questions, askers) for way in (_ROAD, _RETRIEVAL)}
                for askers in at_once
            }
            half = max(ways[_ROAD].per_second for ways in closed.values()) / 2
            arriving = {way: processes.measure(way, questions, per_second=half) for way in (_ROAD, _RETRIEVAL)}
        plain = _plain_sqlite(Settings(data_directory=Path(name)).database_file, Path(name, "plain.sqlite3"), questions)
    return {"closed": closed, "half": half, "arriving": arriving, "plain_sqlite_per_second": plain}


def _plain_sqlite(written: Path, file: Path, number: int) -> float:
    """Write what was written for the first questions once more: accept, answer and close, each flushed to the disk."""
    database_file.upgrade(file)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = full")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("ATTACH ? AS written", (str(written),))
        steps = [_rows(connection, tables, number) for tables in (_ACCEPTED, _ANSWERED)]
        close = "UPDATE outbox SET is_sent = 1 WHERE inbox_key = ?", "UPDATE inbox SET payload = NULL WHERE key = ?"
        started = time.perf_counter()
        for accepted, answered in zip(*steps, strict=True):
            key = accepted[0][1][1]
            for statements in (accepted, answered, [(statement, (key,)) for statement in close]):
                connection.execute("BEGIN IMMEDIATE")
                for statement, row in statements:
                    connection.execute(statement, row)
                connection.execute("COMMIT")
        return number / (time.perf_counter() - started)


_OF_A_QUESTION = {
    "inbox": "inbox.id = ?",
    "outbox": "outbox.inbox_key = (SELECT key FROM written.inbox WHERE id = ?)",
    "messages": "messages.inbox_key = (SELECT key FROM written.inbox WHERE id = ?)",
    "citations": "message_id IN (SELECT id FROM written.messages WHERE inbox_key ="
    " (SELECT key FROM written.inbox WHERE id = ?))",
    "conversations": "place_id = (SELECT place_id FROM written.inbox WHERE id = ?)",
    "people": "id = (SELECT person_id FROM written.inbox WHERE id = ?)",
    "places": "id = (SELECT place_id FROM written.inbox WHERE id = ?)",
    "workspaces": "id = (SELECT workspace_id FROM written.places WHERE id ="
    " (SELECT place_id FROM written.inbox WHERE id = ?))",
}


def _rows(
    connection: sqlite3.Connection, tables: Iterable[str], number: int
) -> list[list[tuple[str, tuple[object, ...]]]]:
    """Give, for each question, the statements that write its rows."""
    found = []
    for (question,) in connection.execute("SELECT id FROM written.inbox ORDER BY id LIMIT ?", (number,)).fetchall():
        rows = []
        for table in tables:
            query = f"SELECT * FROM written.{table} AS {table} WHERE {_OF_A_QUESTION[table]}"
            written = connection.execute(query, (question,)).fetchall()
            rows += [(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row) for row in written]
        found.append(rows)
    return found


def _print(number: int, figures: dict[str, Any]) -> None:
    print(f"\n{number} process{'es' if number > 1 else ''}, one database")
    print(f"{'at once':>10}{'':>18}{'questions/s':>14}{'median ms':>12}{'p99 ms':>10}{'rate ratio':>12}")
    for askers, ways in figures["closed"].items():
        for way, one in ways.items():
            ratio = one.per_second / ways[_RETRIEVAL].per_second
            print(
                f"{askers:>10}{way:>18}{one.per_second:>14.0f}{one.median_ms:>12.2f}{one.p99_ms:>10.2f}{ratio:>11.2f}×"
            )
    for way, one in figures["arriving"].items():
        rate = f"{figures['half']:.0f}/s"
        print(f"{rate:>10}{way:>18}{one.per_second:>14.0f}{one.median_ms:>12.2f}{one.p99_ms:>10.2f}")
    road, retrieval = figures["arriving"][_ROAD], figures["arriving"][_RETRIEVAL]
    added = (road.median_ms - retrieval.median_ms, road.p99_ms - retrieval.p99_ms)
    print(f"added to retrieval by all the rest: p50 {added[0]:.2f} ms, p99 {added[1]:.2f} ms")
    best = max(ways[_ROAD].per_second for ways in figures["closed"].values())
    plain = figures["plain_sqlite_per_second"]
    print(f"the same rows by plain sqlite3, one after the other: {plain:.0f} questions/s; ratio {best / plain:.2f}×")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--at-once", type=int, nargs="+", default=[2, 8, 64])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = {number: _measured(number, options.questions, options.at_once) for number in options.processes}
    if options.json:
        print(json.dumps(figures, default=asdict))
        return
    for number, measured in figures.items():
        _print(number, measured)


if __name__ == "__main__":
    main()
