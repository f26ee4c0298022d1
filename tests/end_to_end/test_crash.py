"""Processes that die at any moment, on both platforms at once: every question is answered once, and nothing is lost.

`python -m tests.end_to_end.crash --help` runs the same as long as one likes.
"""

import asyncio
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

from bot import database_file
from bot.adapter import Accept, InMemoryAdapter, Limits
from bot.application import Application
from bot.database import Database
from bot.delivery import Delivery
from bot.messages import Author, IncomingMessage, Place, Reply
from bot.settings import Settings
from tests.end_to_end.crash import Options, Trial
from tests.end_to_end.crash.moments import AIMS
from tests.end_to_end.crash.old_databases import make_old, rows

_UPGRADE = "import sys; from pathlib import Path; from bot.database_file import upgrade; upgrade(Path(sys.argv[1]))"

_MIGRATES = 0.15
"""Seconds that a small database's copy and migration take, about."""


async def _survives(folder: Path, options: Options) -> None:
    trial = Trial(folder, options)
    sys.stdout.write(f"{options}\n")
    verdict = await trial.run()
    sys.stdout.write(f"killed {dict(trial.killer.hits)}; {verdict.counts()}\n")
    assert verdict.is_good, "\n".join(failing.line for failing in verdict.failings)
    assert verdict.asked == verdict.answered == options.messages
    assert sum(bot.kills for bot in trial.bots) >= options.kills


@pytest.mark.timeout(300)
async def test_every_question_has_one_answer_though_the_process_is_killed_again_and_again(tmp_path: Path) -> None:
    await _survives(tmp_path, Options(messages=40, kills=len(AIMS), seed=random.randrange(10**6)))


@pytest.mark.timeout(300)
async def test_two_processes_that_hear_everything_four_times_answer_once_though_they_are_killed(tmp_path: Path) -> None:
    await _survives(tmp_path, Options(messages=40, kills=2, seed=random.randrange(10**6), processes=2, times=4))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("processes", "times"), [(1, 1), (2, 4)])
async def test_ten_thousand_questions_and_two_hundred_deaths(tmp_path: Path, processes: int, times: int) -> None:
    await _survives(tmp_path, Options(messages=10_000, kills=200, processes=processes, times=times))


class _Repeating(InMemoryAdapter):
    """A door whose platform sends again, all through the start, what it had no receipt for, and then something new."""

    name = "memory"

    def __init__(self, first: IncomingMessage, second: IncomingMessage) -> None:
        super().__init__(Limits(reaches_later=True))
        self._first, self._second = first, second
        self._again: asyncio.Task[None] | None = None
        self.said: asyncio.Queue[str] = asyncio.Queue()

    async def start(self, accept: Accept) -> None:
        await accept(self._second)
        self._again = asyncio.create_task(self._send_again(accept))

    async def _send_again(self, accept: Accept) -> None:
        while self.said.empty():
            await accept(self._first)

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        self.said.put_nowait(reply.text)
        return idempotency_key

    async def stop(self) -> None:
        if self._again:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)


async def test_what_a_dead_process_left_comes_first_though_its_event_comes_again_during_the_start(
    settings: Settings,
) -> None:
    place, ada = Place("memory", "lab", "general"), Author("ada", "Ada")
    first = IncomingMessage("1", place, ada, "What is Newton's first law?")
    adapter = _Repeating(first, IncomingMessage("2", place, ada, "When does the office open?"))
    database_file.upgrade(settings.database_file)
    database = Database(settings.database_file)
    await database.open()
    await Delivery(database).accept(first, f"{place.id} {first.person_id}")
    await database.close()
    async with Application(settings).running([adapter]):
        said = [await asyncio.wait_for(adapter.said.get(), 20) for _ in range(2)]
    assert "at rest" in said[0]
    assert "8 in the morning" in said[1]


@pytest.mark.parametrize("revision", ["0001", "0005"])
@pytest.mark.parametrize("deaths", [4, pytest.param(40, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_a_database_of_an_older_version_loses_nothing_by_deaths_in_its_migration(
    tmp_path: Path, revision: str, deaths: int
) -> None:
    file, pristine = tmp_path / "data" / "preceptor.sqlite3", tmp_path / "pristine" / "preceptor.sqlite3"
    make_old(pristine, revision)
    before, chance = rows(pristine), random.Random(revision)
    shutil.copytree(pristine.parent, file.parent)
    died = 0
    while died < deaths:
        aimed = chance.random() < 0.5
        died += _killed_while_migrating(file, chance.uniform(0.0, 0.01 if aimed else _MIGRATES), aimed=aimed)
        assert database_file.revision(file) in (revision, database_file.HEAD)
        assert rows(file) == before
        if database_file.revision(file) == database_file.HEAD:
            # It was quicker this time: once more from the beginning.
            shutil.rmtree(file.parent)
            shutil.copytree(pristine.parent, file.parent)
    database_file.upgrade(file)
    database_file.check_integrity(file)
    assert database_file.revision(file) == database_file.HEAD
    assert rows(file) == before
    # However often it was begun, there is one copy, and it is whole.
    (copy,) = (file.parent / "backups").iterdir()
    assert database_file.revision(copy) == revision
    assert rows(copy) == before


def _killed_while_migrating(file: Path, seconds: float, *, aimed: bool) -> bool:
    """Kill a process so long after it began to copy the database, or to write into it; False where it was done by then.

    What is written before the whole is committed is there for whoever looks, unless it is all in one transaction.
    """
    backups, log = file.parent / "backups", file.with_name(f"{file.name}-wal")
    backups.mkdir(exist_ok=True)
    untouched = backups.stat().st_mtime_ns
    process = subprocess.Popen([sys.executable, "-c", _UPGRADE, str(file)])
    while backups.stat().st_mtime_ns == untouched and process.poll() is None:
        sleep(0.001)
    while aimed and process.poll() is None and not _has_grown(log):
        pass
    sleep(seconds)
    process.kill()
    return process.wait() == -signal.SIGKILL


def _has_grown(log: Path) -> bool:
    try:
        return log.stat().st_size > 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("revision", ["", "0001", "0005"])
def test_processes_that_start_at_once_on_an_old_database_migrate_it_once(tmp_path: Path, revision: str) -> None:
    file = tmp_path / "data" / "preceptor.sqlite3"
    if revision:
        make_old(file, revision)
    processes = [subprocess.Popen([sys.executable, "-c", _UPGRADE, str(file)]) for _ in range(3)]
    assert [process.wait(30) for process in processes] == [0, 0, 0]
    assert database_file.revision(file) == database_file.HEAD
    backups = file.parent / "backups"
    assert len(list(backups.iterdir()) if backups.exists() else []) == bool(revision)
