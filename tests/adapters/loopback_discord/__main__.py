"""Runs the loopback as a process of its own: ``python -m tests.adapters.loopback_discord --port 0``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from .server import LoopbackDiscord
from .sessions import PRIVILEGED, Intent


async def _serve(port: int, shards: int, intents: Intent, names: list[str]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with LoopbackDiscord(port=port, shards=shards, intents=intents) as discord:
        lab = discord.guild("Lab")
        lab.channel("general")
        for name in names:
            lab.member(name)
        sys.stdout.write(f"{discord.world.base_url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Serve until interrupted; the first line on the standard output is the server's address."""
    parser = argparse.ArgumentParser(prog="loopback_discord", description="A Discord on the loopback interface.")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0 for any free port")
    parser.add_argument("--shards", type=int, default=1, help="how many shards to recommend")
    parser.add_argument("--privileged", action="store_true", help="grant the privileged intents")
    parser.add_argument("--member", action="append", default=[], help="a member of the guild Lab; may be repeated")
    options = parser.parse_args()
    intents = PRIVILEGED if options.privileged else Intent(0)
    asyncio.run(_serve(options.port, options.shards, intents, options.member or ["Ada"]))


if __name__ == "__main__":
    main()
