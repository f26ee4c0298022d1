"""Questions a second through the whole road (inbox, search, answer, database, outbox), every answer stored.

    python benchmarks/throughput.py --questions 2000

Beside it, in the same run, the same questions through search and extractive answer alone: the ratio is what
everything that is not retrieval costs.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot import logs
from bot.adapter import InMemoryAdapter
from bot.application import Application
from bot.messages import Author, IncomingMessage, Place
from bot.settings import Settings
from bot.settings.tree import LogSettings
from knowledge import starter
from models.generation import GroundingPassage
from models.generation.extractive import ExtractiveGenerator

Ask = Callable[[str], Awaitable[None]]


async def _measure(ask: Ask, questions: list[str], at_once: int) -> dict[str, float]:
    """Put `questions` with `at_once` askers, each waiting for its answer; seconds and milliseconds."""
    latencies: list[float] = []
    waiting = iter(questions)

    async def _asker() -> None:
        for question in waiting:
            started = time.perf_counter()
            await ask(question)
            latencies.append((time.perf_counter() - started) * 1000)

    started = time.perf_counter()
    await asyncio.gather(*(_asker() for _ in range(at_once)))
    elapsed = time.perf_counter() - started
    return {
        "questions_per_second": len(questions) / elapsed,
        "median_ms": statistics.median(latencies),
        "p99_ms": statistics.quantiles(latencies, n=100)[-1],
    }


def _whole_road(adapter: InMemoryAdapter) -> Ask:
    async def _ask(question: str) -> None:
        person = uuid.uuid4().hex
        message = IncomingMessage(person, Place("memory", "bench", person), Author(person), question)
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


async def _run(number: int) -> dict[int, dict[str, dict[str, float]]]:
    asked = [item["question"] for item in json.loads(starter.answerable().read_text(encoding="utf-8"))]
    questions = list(itertools.islice(itertools.cycle(asked), number))
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_directory=Path(folder))
        application = Application(settings)
        adapter = InMemoryAdapter()
        async with application.running([adapter]):
            ways = {"whole road": _whole_road(adapter), "retrieval alone": _retrieval_alone(application)}
            for ask in ways.values():
                await _measure(ask, questions[:100], 8)
            for at_once in (1, 8, 64):
                figures[at_once] = {name: await _measure(ask, questions, at_once) for name, ask in ways.items()}
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logs.set_up(LogSettings(level="warning"))
    figures = asyncio.run(_run(options.questions))
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{'at once':>8}{'':>18}{'questions/s':>14}{'median ms':>12}{'p99 ms':>10}{'rate ratio':>12}")
    for at_once, ways in figures.items():
        for name, figure in ways.items():
            ratio = figure["questions_per_second"] / ways["retrieval alone"]["questions_per_second"]
            print(
                f"{at_once:>8}{name:>18}{figure['questions_per_second']:>14.0f}"
                f"{figure['median_ms']:>12.2f}{figure['p99_ms']:>10.2f}{ratio:>11.2f}×"
            )


if __name__ == "__main__":
    main()
