"""Memory and latency of the Discord and Slack adapters over thousands of messages, beside a bare bot of the library.

    python benchmarks/platforms.py discord --messages 20000
    python benchmarks/platforms.py slack --messages 20000 --drop-every 500

The platform is the tests' loopback, in this process; `preceptor run` is a process of its own whose resident memory is
read. The peer, in the same run, is the smallest bot that the same library allows: it answers every mention with one
constant line. `--drop-every` cuts the connection after so many messages: every question must still have one answer.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from tests.adapters.loopback_discord import LoopbackDiscord
    from tests.adapters.loopback_slack import LoopbackSlack

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

PEOPLE = 8
QUESTIONS = ("What is Ohm's law?", "What is torque?", "What does Newton's third law say?", "Why is the sky blue?")
WAIT_SECONDS = 60.0

BARE_DISCORD = """
import discord, os
discord.http.Route.BASE = os.environ["BASE"]
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = __import__("yarl").URL(os.environ["GATEWAY"])
client = discord.AutoShardedClient(intents=discord.Intents(guilds=True, guild_messages=True), max_messages=None)
@client.event
async def on_message(message):
    if client.user in message.mentions and not message.author.bot:
        await message.reply("A constant line.")
client.run(os.environ["TOKEN"], log_handler=None)
"""

BARE_SLACK = """
import asyncio, os
from slack_bolt.async_app import AsyncApp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient
client = AsyncWebClient(token=os.environ["TOKEN"], base_url=os.environ["BASE"])
app = AsyncApp(client=client)
@app.event("app_mention")
async def answer(event, say):
    await say("A constant line.", thread_ts=event["ts"])
@app.event("message")
async def other(event): pass
async def main():
    await AsyncSocketModeHandler(app, os.environ["APP_TOKEN"]).start_async()
asyncio.run(main())
"""


Question = Any
"""A message of the platform's loopback."""


class Platform(ABC):
    """A platform that the bot is connected to, with people on it."""

    settings: dict[str, Any]
    bare: str
    environment: dict[str, str]

    @abstractmethod
    async def connected(self) -> None:
        """Wait until the bot is there."""

    @abstractmethod
    async def ask(self, person: int, question: str) -> Question:
        """Have somebody ask the bot; give the question."""

    @abstractmethod
    async def answered(self, question: Question) -> None:
        """Wait until its answer stands."""

    @abstractmethod
    async def drop(self) -> None:
        """Cut the bot's connection."""

    @abstractmethod
    def answers(self, question: Question) -> int:
        """Count the answers to a question."""


class DiscordPlatform(Platform):
    def __init__(self, discord: "LoopbackDiscord") -> None:
        self._discord = discord
        guild = discord.guild("Lab")
        self._channels = [guild.channel(f"channel-{number}") for number in range(PEOPLE)]
        self._people = [guild.member(f"Person {number}") for number in range(PEOPLE)]
        section = {"enabled": True, "token": discord.token, "base_url": discord.rest_url}
        self.settings = {"discord": section}
        self.bare = BARE_DISCORD
        self.environment = {"BASE": discord.rest_url, "GATEWAY": discord.gateway_url, "TOKEN": discord.token}

    async def connected(self) -> None:
        await self._discord.connected(within=WAIT_SECONDS)

    async def ask(self, person: int, question: str) -> Question:
        return await self._people[person].says(self._channels[person], question, mentions_bot=True)

    async def answered(self, question: Question) -> None:
        await self._discord.until(lambda: self.answers(question) > 0, WAIT_SECONDS)

    async def drop(self) -> None:
        await self._discord.drop_connection()

    def answers(self, question: Question) -> int:
        recent = question.channel.messages[-40:]
        return sum(message.reference is question for message in recent)


class SlackPlatform(Platform):
    def __init__(self, slack: "LoopbackSlack") -> None:
        self._slack = slack
        self._channels = [slack.channel(f"channel-{number}") for number in range(PEOPLE)]
        self._people = [slack.user(f"Person {number}") for number in range(PEOPLE)]
        tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token}
        self.settings = {"slack": {"enabled": True, "base_url": slack.base_url} | tokens}
        self.bare = BARE_SLACK
        self.environment = {"BASE": slack.base_url, "TOKEN": slack.bot_token, "APP_TOKEN": slack.app_token}

    async def connected(self) -> None:
        await self._slack.connected(within=WAIT_SECONDS)

    async def ask(self, person: int, question: str) -> Question:
        return await self._people[person].says(self._channels[person], f"<@BOT> {question}")

    async def answered(self, question: Question) -> None:
        await self._slack.until(lambda: self.answers(question) > 0, WAIT_SECONDS)

    async def drop(self) -> None:
        self._slack.drop_connections()

    def answers(self, question: Question) -> int:
        recent = question.channel.messages[-40:]
        return sum(one.thread_ts == question.ts and one.user == self._slack.bot_user for one in recent)


@contextlib.asynccontextmanager
async def platform(name: str) -> AsyncIterator[Platform]:
    """Open the loopback of that name."""
    if name == "discord":
        from tests.adapters.loopback_discord import LoopbackDiscord

        async with LoopbackDiscord() as discord:
            yield DiscordPlatform(discord)
    else:
        from tests.adapters.loopback_slack import LoopbackSlack

        async with LoopbackSlack() as slack:
            yield SlackPlatform(slack)


@contextlib.asynccontextmanager
async def process(*command: str, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[psutil.Process]:
    """Run the bot for the while of the body."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PRECEPTOR_")}
    child = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=inherited | dict(environment), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield psutil.Process(child.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await asyncio.wait_for(child.wait(), 30)


async def measure(there: Platform, bot: psutil.Process, messages: int, drop_every: int) -> dict[str, float]:
    """Ask so many questions, `PEOPLE` at once; milliseconds from the message to its answer, MiB of resident memory."""
    await there.connected()
    latencies: list[float] = []
    wrong = 0
    numbers = iter(range(messages))
    memory: list[float] = []

    async def _person(person: int) -> None:
        nonlocal wrong
        for number in numbers:
            started = time.perf_counter()
            question = await there.ask(person, QUESTIONS[number % len(QUESTIONS)])
            await there.answered(question)
            latencies.append((time.perf_counter() - started) * 1000)
            wrong += there.answers(question) != 1
            if number % max(messages // 20, 1) == 0:
                memory.append(bot.memory_info().rss / 2**20)
                print(f"  {number:>7,} messages  {memory[-1]:7.1f} MiB", file=sys.stderr)
            if drop_every and number % drop_every == drop_every - 1:
                await there.drop()

    started = time.perf_counter()
    await asyncio.gather(*(_person(person) for person in range(PEOPLE)))
    elapsed = time.perf_counter() - started
    half = memory[len(memory) // 2 :]
    return {
        "messages_per_second": messages / elapsed,
        "median_ms": statistics.median(latencies),
        "p99_ms": statistics.quantiles(latencies, n=100)[-1],
        "mib_first": memory[0],
        "mib_tenth": memory[len(memory) // 10],
        "mib_last": memory[-1],
        "mib_growth_in_second_half": half[-1] - half[0],
        "not_answered_once": wrong,
    }


async def ours(name: str, messages: int, drop_every: int) -> dict[str, float]:
    """Measure `preceptor run`."""
    async with platform(name) as there:
        with tempfile.TemporaryDirectory() as folder:
            sections = there.settings | {"http": {"enabled": False}, "log": {"level": "warning"}}
            text = "".join(
                f"[{section}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
                for section, values in sections.items()
            )
            (Path(folder) / "preceptor.toml").write_text(text)
            preceptor = str(Path(sys.executable).with_name("preceptor"))
            # The index is built beforehand, so that what building takes is not counted.
            async with process(preceptor, "knowledge", "build", folder=Path(folder), environment={}) as building:
                await asyncio.to_thread(building.wait)
            async with process(preceptor, "run", folder=Path(folder), environment={}) as bot:
                return await measure(there, bot, messages, drop_every)


async def bare(name: str, messages: int) -> dict[str, float]:
    """Measure the smallest bot of the same library."""
    async with platform(name) as there:
        with tempfile.TemporaryDirectory() as folder:
            command = (sys.executable, "-c", there.bare)
            async with process(*command, folder=Path(folder), environment=there.environment) as bot:
                return await measure(there, bot, messages, 0)


def main() -> None:
    """Measure both and print them beside each other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", choices=("discord", "slack"))
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--drop-every", type=int, default=0, help="cut the connection after so many messages")
    arguments = parser.parse_args()
    own = asyncio.run(ours(arguments.platform, arguments.messages, arguments.drop_every))
    peer = asyncio.run(bare(arguments.platform, min(arguments.messages, 2_000)))
    print(f"{'':28} {'preceptor':>10} {'bare bot':>10} {'ratio':>7}")
    for key, value in own.items():
        ratio = f"{value / peer[key]:7.2f}" if peer[key] else ""
        print(f"{key:28} {value:10.1f} {peer[key]:10.1f} {ratio}")


if __name__ == "__main__":
    main()
