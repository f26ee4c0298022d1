"""Runs a trial by hand: ``python -m tests.end_to_end.crash --messages 10000 --kills 200 --seed 7``."""

import argparse
import asyncio
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import monotonic

from .trial import Options, Trial
from .verdict import Verdict, story
from .world import World

_SHOWN = 20
"""Failings that are printed, each on a line."""


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _told(folder: Path, world: World, verdict: Verdict) -> None:
    stories = folder / "failings.txt"
    stories.write_text("\n\n".join(story(world, failing) for failing in verdict.failings), encoding="utf-8")
    _print(f"asked {verdict.asked}, answered exactly once and rightly {verdict.answered}, failings {verdict.counts()}")
    _print(f"heard after a later one of the same conversation: {verdict.heard_late}")
    for failing in verdict.failings[:_SHOWN]:
        _print(f"  {failing.line}")
    if verdict.failings:
        _print(f"their whole stories are in {stories}")


def _options() -> tuple[Options, Path]:
    parser = argparse.ArgumentParser(prog="crash", description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--times", type=int, default=1, help="how often every event is delivered, all together")
    parser.add_argument("--folder", type=Path, help="where the processes run; a new one where none is named")
    given = parser.parse_args()
    options = Options(given.messages, given.kills, given.seed, given.processes, given.times)
    return options, given.folder or Path(tempfile.mkdtemp(prefix="preceptor-crash-"))


def main() -> int:
    """Run it, tell how it goes and what came of it; 1 where anything failed."""
    options, folder = _options()
    folder.mkdir(parents=True, exist_ok=True)
    _print(f"seed {options.seed}; the processes' logs and database are in {folder}")
    trial, began = Trial(folder, options, _print), monotonic()
    verdict = asyncio.run(trial.run(partial(_told, folder)))
    _print(f"kills {sum(bot.kills for bot in trial.bots)}: {dict(trial.killer.hits)}; {monotonic() - began:.0f} s")
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
