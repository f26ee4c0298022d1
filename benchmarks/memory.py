"""Memory that a Preceptor holds after many questions, against what it holds after the first 5,000.

    python benchmarks/memory.py --questions 100000

All of them go through the whole road of the floor tier (inbox, search, answer, database, outbox), each from somebody
else in another place. Resident memory is the system's own count (/proc/self/statm), read while nothing is asked.
"""

import argparse
import asyncio
import itertools
import json
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from bot import logs
from bot.adapter import InMemoryAdapter
from bot.application import Application
from bot.messages import Author, IncomingMessage, Place
from bot.settings import Settings
from bot.settings.tree import LogSettings
from knowledge import starter

_FIRST = 5_000
_AT_ONCE = 16


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


async def _ask(adapter: InMemoryAdapter, questions: Iterator[str]) -> None:
    for question in questions:
        person = uuid.uuid4().hex
        message = IncomingMessage(person, Place("memory", person, person), Author(person), question)
        reply = await (await adapter.post(message)).complete()
        if reply.outcome not in ("answered", "declined"):
            sys.exit(f"{question!r}: {reply.text}")


async def _run(number: int) -> tuple[float, float]:
    """Put the questions; give the megabytes after the first ones and at the end."""
    asked = itertools.cycle(item["question"] for item in json.loads(starter.answerable().read_text(encoding="utf-8")))
    first = end = 0.0
    with tempfile.TemporaryDirectory() as folder:
        adapter = InMemoryAdapter()
        async with Application(Settings(data_directory=Path(folder))).running([adapter]):
            for done in range(_FIRST, number + 1, _FIRST):
                started = time.perf_counter()
                questions = itertools.islice(asked, _FIRST)
                await asyncio.gather(*(_ask(adapter, questions) for _ in range(_AT_ONCE)))
                end = _resident_megabytes()
                first = first or end
                rate = _FIRST / (time.perf_counter() - started)
                print(f"{done:>10,} questions{end:>10.1f} MB{end / first:>8.3f}×{rate:>8.0f}/s", flush=True)
    return first, end


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=100_000, help=f"a multiple of {_FIRST:,}")
    options = parser.parse_args()
    if options.questions < _FIRST:
        parser.error(f"at least {_FIRST:,} questions")
    logs.set_up(LogSettings(level="warning"))
    first, end = asyncio.run(_run(options.questions))
    print(f"after the first {_FIRST:,}: {first:.1f} MB; at the end: {end:.1f} MB; ratio {end / first:.3f}")


if __name__ == "__main__":
    main()
