"""``python -m tests.adapters.fuzz --platform discord --events 100000 --seed 1``."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.discord_run import discord_run
from fuzz.slack_run import slack_run


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.adapters.fuzz", description=__doc__)
    parser.add_argument("--platform", choices=("discord", "slack"), default="discord")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", action="store_true", help="show one log line and one traceback of each kind")
    asked = parser.parse_args()
    run = {"discord": discord_run, "slack": slack_run}[asked.platform]
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(Path(folder), asked.events, asked.seed, _say))
    _say(found.report())
    if asked.examples:
        for line in (*found.log.samples.values(), *found.log.examples.values()):
            _say(line)
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
