"""When a process is killed: at any time, or at a moment that is watched for from outside."""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from .bots import Bot
from .platforms import Moment

Aim = Literal["any time", "starting", "accepted", "asked to send", "sent", "recovering", "migrating"]
"""When: some time after it is ready; while it starts; a message is committed and not answered; it asks the platform to
send; the platform has sent and it does not know; the platform has sent the first of what an earlier process left; it
brings the database of an earlier version up to date."""

AIMS: tuple[Aim, ...] = get_args(Aim)

YOUNG: tuple[Aim, ...] = ("starting", "recovering", "migrating")
"""Moments that come before a process has worked at all."""

_LIVES = 1.0
"""Seconds that a process is left alone, at the most, once it is ready."""

_PATIENCE = 4.0
"""Seconds that a moment is waited for; then the process is killed all the same."""

_MIGRATES = 0.3
"""Seconds that a migration takes, about."""

_GLANCE = 0.0005
"""Seconds between two looks at the database: a message is open for a few milliseconds."""


@dataclass(slots=True)
class Trap:
    """A wish to kill a process at a moment; `sprung` is set once that is done."""

    bot: Bot
    moment: Moment
    loses_request: bool
    sprung: asyncio.Event = field(default_factory=asyncio.Event)


class Killer:
    """Kills processes; the `chance` it is given decides when.

    Attributes:
        hits: how often each aim was met; what was waited for in vain counts as "too late for" it.
    """

    def __init__(self, database: Path, chance: random.Random) -> None:
        self.hits: Counter[str] = Counter()
        self._database = database
        self._chance = chance
        self._traps: list[Trap] = []

    def watch(self, moment: Moment, port: int) -> bool:
        """Spring the trap that waits for this moment in the process with this port; True where the request is lost."""
        for trap in self._traps:
            if trap.moment == moment and trap.bot.is_alive and trap.bot.has_port(port):
                trap.bot.strike()
                self._traps.remove(trap)
                trap.sprung.set()
                return trap.loses_request
        return False

    async def kill(self, bot: Bot, aim: Aim) -> None:
        """Kill a process that was just started, when `aim` says."""
        try:
            async with asyncio.timeout(None) as limit:
                await self._aim(bot, aim, limit)
            self.hits[aim] += 1
        except TimeoutError:
            self.hits[f"too late for: {aim}"] += 1
        finally:
            self._traps = [trap for trap in self._traps if trap.bot is not bot]
        await bot.kill()

    async def _aim(self, bot: Bot, aim: Aim, limit: asyncio.Timeout) -> None:
        if aim == "starting":
            await asyncio.sleep(self._chance.uniform(0, 3.0))
            return
        if aim == "migrating":
            await self._copied()
            await asyncio.sleep(self._chance.uniform(0, _MIGRATES))
            return
        moment: Moment = "asked to send" if aim == "asked to send" else "sent"
        trap = Trap(bot, moment, loses_request=self._chance.random() < 0.5)
        if aim == "recovering":
            self._traps.append(trap)
        await bot.until_ready()
        limit.reschedule(asyncio.get_running_loop().time() + _PATIENCE)
        if aim != "recovering":
            await asyncio.sleep(self._chance.uniform(0, _LIVES))
        if aim == "accepted":
            await asyncio.to_thread(self._see_an_open_row, _PATIENCE)
        elif aim in ("asked to send", "sent"):
            self._traps.append(trap)
        if aim in ("asked to send", "sent", "recovering"):
            await trap.sprung.wait()

    async def _copied(self) -> None:
        """Wait until a copy of the database is begun: it is made before a migration."""
        before = self._copies()
        while self._copies() == before:  # noqa: ASYNC110 - a folder has no event
            await asyncio.sleep(_GLANCE)

    def _copies(self) -> set[Path]:
        return set((self._database.parent / "backups").glob("*"))

    def _see_an_open_row(self, within: float) -> None:
        """Look until the inbox has a row that is not answered."""
        waiting = "SELECT max(id) FROM inbox WHERE is_open"
        with contextlib.closing(sqlite3.connect(self._database, timeout=within)) as connection:
            connection.execute("PRAGMA query_only = ON")
            for _ in range(int(within / _GLANCE)):
                if connection.execute(waiting).fetchone()[0] is not None:
                    return
                time.sleep(_GLANCE)
