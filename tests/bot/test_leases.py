"""Several processes on one database: what one leaves another finishes, and nothing is answered twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from noticeboard import Noticeboard, ended
from sqlalchemy import text

from bot import database_file
from bot.application import Application
from bot.database import Database
from bot.delivery import Delivery, Part, idempotency_key
from bot.errors import ClaimLostError
from bot.leases import Lease
from bot.messages import Author, Place, Reply
from bot.outgoing import Outgoing
from bot.settings import Settings
from tests.conftest import Conversation

ROOT = Path(__file__).parents[2]

CHILD = """
import asyncio, os, signal, sys
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.settings import Settings
from tests.conftest import Conversation

class Board(InMemoryAdapter):
    def parts(self, reply):
        # The answer is there, and not committed yet.
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
        return super().parts(reply)

    async def send(self, place, reply, key):
        print("sent", key, flush=True)
        return key

async def main():
    board = Board(Limits(reaches_later=True))
    async with Application(Settings.model_validate_json(sys.argv[1])).running([board]):
        talk = Conversation(board)
        for number in (1, 2):
            await board.post(talk.message("When does the office open?", key=str(number)))
        print("accepted", flush=True)
        await asyncio.sleep(4)

asyncio.run(main())
"""


def _child(settings: Settings, stop: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, settings.model_dump_json(), stop]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _with_lease(settings: Settings, seconds: float) -> Settings:
    return settings.model_copy(
        update={"dispatch": settings.dispatch.model_copy(update={"lease_seconds": seconds, "shutdown_seconds": 1.0})}
    )


class SharedBoard(Noticeboard):
    """One platform that two processes talk to."""

    def beside(self, other: Noticeboard) -> "SharedBoard":
        self.standing, self.sent, self._changed = other.standing, other.sent, other._changed
        return self


@asynccontextmanager
async def _two(settings: Settings) -> AsyncIterator[tuple[Noticeboard, Noticeboard]]:
    one = SharedBoard()
    two = SharedBoard().beside(one)
    async with AsyncExitStack() as stack:
        for board in (one, two):
            await stack.enter_async_context(Application(settings).running([board]))
        yield one, two


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    settings.data_directory.mkdir(exist_ok=True)
    database_file.upgrade(settings.database_file)
    database = Database(settings.database_file)
    await database.open()
    yield database
    await database.close()


async def test_what_a_killed_process_was_at_another_finishes_at_once_and_in_order(settings: Settings) -> None:
    # Long before the lease runs out.
    settings = _with_lease(settings, 600.0)
    killed = await asyncio.to_thread(_child, settings, "SIGKILL")
    board = Noticeboard()
    async with Application(settings).running([board]):
        await asyncio.to_thread(killed.wait)
        assert await ended(settings, "1") == await ended(settings, "2") == "answered"
    output, _ = killed.communicate()
    assert "sent" not in output
    assert board.sent == ["memory/1#reply/0", "memory/2#reply/0"]


async def test_a_process_that_was_stopped_sends_nothing_of_what_others_took_up_when_it_goes_on(
    settings: Settings,
) -> None:
    short = _with_lease(settings, 1.0)
    stopped = await asyncio.to_thread(_child, short, "SIGSTOP")
    await asyncio.to_thread(os.waitid, os.P_PID, stopped.pid, os.WSTOPPED | os.WNOWAIT)
    board = Noticeboard()
    async with Application(short).running([board]):
        assert await ended(short, "1") == await ended(short, "2") == "answered"
        stopped.send_signal(signal.SIGCONT)
        output, _ = await asyncio.to_thread(stopped.communicate)
    assert "sent" not in output
    assert board.sent == ["memory/1#reply/0", "memory/2#reply/0"]


async def test_four_deliveries_of_every_event_to_two_processes_are_answered_once(settings: Settings) -> None:
    async with _two(settings) as boards:
        people = [Conversation(boards[0], author=Author(f"p{number}")) for number in range(4)]
        messages = [
            person.message("When does the office open?", key=f"{person.author.id}-{number}")
            for number in range(3)
            for person in people
        ]
        for message in messages:
            await asyncio.gather(*(board.post(message) for board in boards * 2))
        for message in messages:
            assert await ended(settings, message.key) == "answered"
    assert sorted(boards[0].sent) == sorted(f"memory/{message.key}#reply/0" for message in messages)
    for person in people:
        mine = [key for key in boards[0].sent if key.startswith(f"memory/{person.author.id}-")]
        assert mine == sorted(mine)


async def test_one_conversation_through_two_processes_stays_in_order(settings: Settings) -> None:
    async with _two(settings) as boards:
        talk = Conversation(boards[0])
        for number in range(8):
            await boards[number % 2].post(talk.message("Where do visitors park?", key=str(number)))
        await boards[0].until(lambda texts: len(texts) == 8)
    assert boards[0].sent == [f"memory/{number}#reply/0" for number in range(8)]


async def test_what_a_stop_does_not_finish_another_process_takes_up_at_once(settings: Settings) -> None:
    hurried = _with_lease(settings, 600.0)
    one, two = Deaf(), SharedBoard()
    async with Application(hurried).running([two]):
        async with Application(hurried).running([one]):
            await one.post(Conversation(one).message("When does the office open?", key="1"))
            await one.reached.wait()
        await two.until(lambda texts: texts)
    assert two.sent == ["memory/1#reply/0"]
    assert list(settings.data_directory.glob("*.process-*")) == []


class Deaf(SharedBoard):
    """A platform that is reached, and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        self.reached.set()
        await asyncio.Event().wait()
        return ""


async def test_a_process_does_not_answer_what_is_of_platforms_that_it_does_not_serve(settings: Settings) -> None:
    async with Application(settings).running([]):
        pass
    database = Database(settings.database_file)
    await database.open()
    await Delivery(database).accept(Conversation(Noticeboard()).message("When does the office open?", key="1"))
    await database.close()
    other = Noticeboard()
    other.name = "slack"
    async with Application(settings).running([other]):
        talk = Conversation(other, place=Place("slack", "T1", "C1"))
        await other.post(talk.message("Where do visitors park?", key="2"))
        await other.until(lambda texts: texts)
    assert other.sent == ["slack/2#reply/0"]


async def test_a_lease_that_has_not_run_out_is_nobody_elses_to_take(settings: Settings, database: Database) -> None:
    one, two = (Lease(database, settings.database_file, 60.0) for _ in range(2))
    await one.take()
    await two.take()
    assert await database.read(one.dead) == []
    await two.release()
    await one.release()


@pytest.mark.parametrize("until", ["-1.0", "1e12"])
async def test_a_lease_that_ran_out_or_is_from_before_the_machine_was_restarted_is_over(
    settings: Settings, database: Database, until: str
) -> None:
    one, two = (Lease(database, settings.database_file, 60.0) for _ in range(2))
    await one.take()
    await two.take()
    change = text(f"UPDATE processes SET leased_until = {until} WHERE id = '{two.id}'")
    await database.transact(lambda connection: connection.execute(change).rowcount)
    assert await database.read(one.dead) == [two.id]
    await two.release()
    await one.release()


async def test_nothing_is_written_or_sent_of_what_another_process_has_taken_up(
    settings: Settings, database: Database
) -> None:
    one, two = (Lease(database, settings.database_file, 60.0) for _ in range(2))
    await one.take()
    await two.take()
    delivery, board = Delivery(database, one), Noticeboard()
    message = Conversation(board).message("When does the office open?", key="1")
    claim = one.id
    await delivery.accept(message)
    await database.transact(lambda c: c.execute(text(f"UPDATE inbox SET claimed_by = '{two.id}'")).rowcount)
    assert await delivery.unanswered(["memory/1"]) == []
    part = Part(idempotency_key(message, 0), Reply("At 8."))
    for write in (
        delivery.write(message, delivery.putting_out(message, [part])),
        delivery.begin(message, 0),
        delivery.close(message, "answered", [part]),
    ):
        with pytest.raises(ClaimLostError):
            await write
    # Declared dead, a process goes on under another name.
    await database.transact(lambda c: c.execute(text(f"DELETE FROM processes WHERE id = '{one.id}'")).rowcount)
    await one.renew()
    assert one.id != claim
    with pytest.raises(ClaimLostError):
        await Outgoing(board, delivery, message, 0.0, claim=claim).complete([part])
    assert board.sent == []
    await two.release()
    await one.release()
