"""One whole run: people ask all the while, processes die and are started again, and in the end all are answered."""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from .bots import Bot
from .moments import AIMS, YOUNG, Aim, Killer
from .old_databases import OLD_REVISIONS, take_back
from .places import Conversation, Question
from .verdict import Verdict, judge
from .world import World, opened_world

_DOWN = 0.3
"""Seconds, at the most, from a death to the next start."""

_PAUSE = 0.04
"""Seconds, at the most, between two questions."""

_BACKLOG = 500
"""Questions that may wait for an answer; people who see that nothing comes ask no more."""

_WORK = 8.0
"""Seconds, at the most, in which a process works off what waits before it is killed."""

_QUIET = 1.5
"""Seconds in which nothing more is said, after the last answer."""


_HOPELESS = 15.0
"""The same where answers are missing though nothing is open."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a trial is.

    Attributes:
        messages: how many questions are asked.
        kills: how often a process is killed, all processes together.
        seed: decides what is asked where, and when who is killed.
        processes: how many run at once, on one database and the same tokens.
        times: how often every event is delivered to them, all together.
        stalled: seconds without any answer after which what is missing counts as lost.
    """

    messages: int = 200
    kills: int = 5
    seed: int = 7
    processes: int = 1
    times: int = 1
    stalled: float = 45.0


class Trial:
    """One run; `tell` hears how it goes."""

    def __init__(self, folder: Path, options: Options, tell: Callable[[str], None] = lambda line: None) -> None:
        self.options = options
        self._chance = random.Random(options.seed)
        self._tell = tell
        self._folder = folder
        self._lives = 0
        self._asked = 0
        self._asking: set[asyncio.Task[None]] = set()
        self._next_life = asyncio.Event()
        self.bots = [Bot(folder, number) for number in range(options.processes)]
        self.killer = Killer(folder / "data" / "preceptor.sqlite3", random.Random(options.seed + 1))
        self.world: World | None = None

    async def run(self, then: Callable[[World, Verdict], None] = lambda world, verdict: None) -> Verdict:
        """Ask and kill until all is done; `then` looks at the world before it is closed."""
        options = self.options
        # On Discord each process is a connection, which hears everything; Slack tells one connection.
        times = max(1, options.times // options.processes), options.times
        things = max(100, options.messages // 8)
        async with opened_world(self._folder, things, times, self._chance, self.killer.watch) as self.world:
            try:
                await self._live_and_die(self.world)
                await self._all_answered(self.world)
                verdict = judge(self.world)
                then(self.world, verdict)
            finally:
                for bot in self.bots:
                    await bot.stop()
        return verdict

    async def _live_and_die(self, world: World) -> None:
        await self._first_life(world)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask_all(world))
            for bot in self.bots:
                group.create_task(self._haunt(bot, world))
        await asyncio.gather(*self._asking)

    async def _first_life(self, world: World) -> None:
        """Have something asked in every place, so that the bot knows that it is there."""
        for bot in self.bots:
            await bot.start()
        for bot in self.bots:
            await bot.until_ready()
        await world.discord.connected(len(self.bots))
        await world.slack.connected(len(self.bots))
        await world.discord.until(lambda: bool(world.discord.commands()))
        for conversation in world.conversations:
            await self._ask(conversation)
        await asyncio.gather(*self._asking)

    async def _haunt(self, bot: Bot, world: World) -> None:
        """Kill a process, start it again, as often as it is its turn; leave the last one alive."""
        for aim in self._aims(bot):
            if aim == "migrating":
                await bot.kill()
                await asyncio.to_thread(take_back, world.database, self._chance.choice(OLD_REVISIONS))
                await bot.start()
            if aim not in YOUNG:
                await self._work_off(bot, world)
            await self.killer.kill(bot, aim)
            world.forget_the_dead()
            await asyncio.sleep(self._chance.uniform(0, _DOWN))
            await bot.start()
            self._lives += 1
            self._next_life.set()
            self._tell(f"{self._lives} kills, {self._asked} asked, {world.missing} answers missing; {bot.kills}: {aim}")
        await bot.until_ready()

    async def _work_off(self, bot: Bot, world: World) -> None:
        """Let a process do some of what waits, or on a slow machine all questions would wait for the last one."""
        await bot.until_ready()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WORK):
                while world.missing > _BACKLOG // 2:  # noqa: ASYNC110 - two servers have no one event
                    await asyncio.sleep(0.05)

    def _aims(self, bot: Bot) -> list[Aim]:
        """Give the aims for one process's deaths: each once, and then by chance."""
        # While another process runs the database cannot be taken back to an earlier version's.
        aims = [aim for aim in AIMS if aim != "migrating" or len(self.bots) == 1]
        deaths = len(range(bot.number, self.options.kills, len(self.bots)))
        return (aims + [self._chance.choice(aims) for _ in range(deaths)])[:deaths]

    async def _ask_all(self, world: World) -> None:
        while self._asked < self.options.messages:
            if self._asked >= self._allowed or world.missing > _BACKLOG:
                await self._a_moment()
                continue
            await self._ask(self._chance.choice(world.conversations))
            await asyncio.sleep(self._chance.uniform(0, _PAUSE))

    @property
    def _allowed(self) -> int:
        """How many questions are asked by now, so that some are asked in every life."""
        if self._lives >= self.options.kills:
            return self.options.messages
        # Some while a process starts, and the others when it is there.
        lived = self._lives + (1.0 if all(bot.ready.is_set() for bot in self.bots) else 0.4)
        return int(lived * self.options.messages / (self.options.kills + 1))

    async def _a_moment(self) -> None:
        self._next_life.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._next_life.wait(), 0.2)

    async def _ask(self, conversation: Conversation) -> None:
        if self.world is None:
            raise RuntimeError("the world is not open")
        known = {question.thing for question in conversation.questions}
        things = [thing for thing in self.world.things if thing not in known]
        question = Question(self._asked, self._chance.choice(things))
        self._asked += 1
        task = asyncio.create_task(conversation.ask(question))
        self._asking.add(task)
        # What is asked first is posted first; the platform's waiting for the bot holds nobody up.
        await asyncio.sleep(0)

    async def _all_answered(self, world: World) -> None:
        """Wait until as many answers are there as questions and nothing is open, or nothing comes any more."""
        last, since = -1, monotonic()
        while monotonic() - since < self.options.stalled:
            said = world.messages_of_the_bot
            if said != last:
                last, since = said, monotonic()
            quiet = monotonic() - since
            if quiet > (_HOPELESS if world.missing > 0 else _QUIET) and not self._open_rows():
                return
            await asyncio.sleep(0.1)

    def _open_rows(self) -> int:
        with contextlib.closing(sqlite3.connect(self._folder / "data" / "preceptor.sqlite3")) as connection:
            return int(connection.execute("SELECT count(*) FROM inbox WHERE is_open").fetchone()[0])
