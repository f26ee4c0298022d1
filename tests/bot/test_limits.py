"""How much may be asked: of each person, in each channel and workspace, over restarts and processes."""

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, func, insert, select

from bot import database_file
from bot.access import ADMIN
from bot.asking import ASKED
from bot.database import Change, Database
from bot.limits import Limits, TooMany
from bot.messages import Author, IncomingMessage, Place
from bot.settings.limits import LimitSettings
from bot.tables import inbox, metadata, rate_limits

HERE, NEXT_DOOR, ELSEWHERE = Place("slack", "T1", "C1"), Place("slack", "T1", "C2"), Place("slack", "T2", "C9")
NO_BOUND = {"person_per_minute": 0, "channel_per_minute": 0, "workspace_per_minute": 0, "person_at_once": 0}


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def asked(person: str = "ada", place: Place = HERE, key: str = "k", **fields: object) -> IncomingMessage:
    return IncomingMessage(key, place, Author(person), "What is resonance?", **fields)  # type: ignore[arg-type]


def bounds(**numbers: object) -> LimitSettings:
    return LimitSettings.model_validate(NO_BOUND | numbers)


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[Database]:
    if not file.exists():
        database_file.upgrade(file)
    database = Database(file)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "limits.sqlite3") as database:
        yield database


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def take(database: Database, limits: Limits, message: IncomingMessage) -> TooMany | None:
    return await database.transact(lambda connection: limits.take(connection, message))


async def passed(database: Database, limits: Limits, message: IncomingMessage, times: int) -> int:
    return [await take(database, limits, message) for _ in range(times)].count(None)


async def test_as_many_as_set_may_come_at_once_and_the_next_one_is_told_how_long_to_wait(
    database: Database, clock: Clock
) -> None:
    limits = Limits(bounds(person_per_minute=20), clock=clock)
    assert await passed(database, limits, asked(), 20) == 20
    assert await take(database, limits, asked()) == TooMany(
        "That was quick: I take 20 questions a minute of each.", "Ask again in 3 seconds.", 3
    )
    clock.now += 3
    assert await take(database, limits, asked()) is None
    assert await take(database, limits, asked()) is not None


async def test_who_waits_as_long_as_they_are_told_may_always_ask(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_per_minute=7), clock=clock)
    for _ in range(40):
        refusal = await take(database, limits, asked())
        if refusal:
            clock.now += refusal.seconds
            assert await take(database, limits, asked()) is None


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.lists(st.floats(0, 90, allow_nan=False, allow_subnormal=False), min_size=1, max_size=120))
def test_in_no_minute_more_pass_than_twice_the_number_and_none_is_refused_that_kept_to_it(
    number: int, pauses: list[float]
) -> None:
    engine, clock, limits_of = create_engine("sqlite://"), Clock(), bounds(person_per_minute=number)
    limits = Limits(limits_of, clock=clock)
    moments: list[float] = []
    with engine.begin() as connection:
        metadata.create_all(connection)
        for pause in pauses:
            clock.now += pause
            refusal = limits.take(connection, asked())
            recent = sum(moment > clock.now - 60 for moment in moments)
            if refusal is None:
                moments.append(clock.now)
                assert recent < 2 * number
            else:
                assert recent >= 1
                assert 1 <= refusal.seconds <= 60
    engine.dispose()


async def test_each_person_channel_and_workspace_has_a_bucket_of_its_own(database: Database, clock: Clock) -> None:
    by_person = Limits(bounds(person_per_minute=2), clock=clock)
    assert await passed(database, by_person, asked("ada"), 3) == 2
    assert await passed(database, by_person, asked("ada", ELSEWHERE), 1) == 0
    assert await passed(database, by_person, asked("bob"), 3) == 2
    by_channel = Limits(bounds(channel_per_minute=2), clock=clock)
    assert await passed(database, by_channel, asked("cyd"), 1) == 1
    assert await passed(database, by_channel, asked("dan", dataclasses.replace(HERE, thread="7")), 3) == 1
    assert await passed(database, by_channel, asked("cyd", NEXT_DOOR), 3) == 2
    by_workspace = Limits(bounds(workspace_per_minute=2), clock=clock)
    assert await passed(database, by_workspace, asked("eve", NEXT_DOOR), 1) == 1
    assert await passed(database, by_workspace, asked("fay", HERE), 3) == 1
    assert await passed(database, by_workspace, asked("eve", ELSEWHERE), 3) == 2


async def test_the_refusal_says_what_is_asked_too_much(database: Database, clock: Clock) -> None:
    channel = Limits(bounds(channel_per_minute=1), clock=clock)
    await take(database, channel, asked())
    refusal = await take(database, channel, asked("bob"))
    assert refusal is not None
    assert refusal.sentence == "Much is asked in this channel: I take 1 question a minute in it."
    assert refusal.fix == "Ask again in 60 seconds."
    workspace = Limits(bounds(workspace_per_minute=1), clock=clock)
    await take(database, workspace, asked())
    clock.now += 59.5
    refusal = await take(database, workspace, asked("bob"))
    assert refusal is not None
    assert refusal.sentence.startswith("Much is asked here")
    assert refusal.fix == "Ask again in 1 second."


async def test_a_question_that_one_bucket_refuses_takes_from_none(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_per_minute=100, channel_per_minute=3, workspace_per_minute=4), clock=clock)
    assert await passed(database, limits, asked("ada"), 50) == 3
    assert await passed(database, limits, asked("bob", NEXT_DOOR), 50) == 1
    only_person = Limits(bounds(person_per_minute=100), clock=clock)
    assert await passed(database, only_person, asked("ada"), 200) == 97


async def test_a_place_may_have_other_numbers_and_the_narrowest_counts(database: Database, clock: Clock) -> None:
    limits = Limits(
        bounds(
            person_per_minute=2,
            places={"slack": {"person_per_minute": 3}, "slack/T1/C1": {"person_per_minute": 5}, "slack/T2": {}},
        ),
        clock=clock,
    )
    assert await passed(database, limits, asked("ada", HERE), 9) == 5
    assert await passed(database, limits, asked("bob", NEXT_DOOR), 9) == 3
    assert await passed(database, limits, asked("cyd", ELSEWHERE), 9) == 3
    assert await passed(database, limits, asked("dan", Place("discord", "1", "2")), 9) == 2


async def test_zero_is_no_bound(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_per_minute=1, places={"slack/T1": {"person_per_minute": 0}}), clock=clock)
    assert await passed(database, limits, asked(), 50) == 50


async def test_an_admin_is_not_limited(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_per_minute=1), clock=clock)
    admin = dataclasses.replace(asked(), author=Author("ada", roles=frozenset({ADMIN})))
    assert await passed(database, limits, admin, 20) == 20
    named = Limits(bounds(person_per_minute=1), lambda message: message.person_id == "slack:bob", clock)
    assert await passed(database, named, asked("bob"), 20) == 20


@pytest.mark.parametrize("command", ["forget", "withdraw", "export", "feedback", "person"])
async def test_what_is_no_question_is_neither_counted_nor_refused(
    database: Database, clock: Clock, command: str
) -> None:
    limits = Limits(bounds(person_per_minute=1), clock=clock)
    assert await passed(database, limits, asked(command=command), 9) == 9
    assert await passed(database, limits, asked(), 9) == 1
    assert await passed(database, limits, asked(command=command), 9) == 9


@pytest.mark.parametrize("command", ASKED)
async def test_every_question_is_counted(database: Database, clock: Clock, command: str) -> None:
    assert await passed(database, Limits(bounds(person_per_minute=1), clock=clock), asked(command=command), 9) == 1


async def test_a_restart_and_another_process_find_the_buckets_as_they_are(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "both.sqlite3"
    async with opened(file) as database:
        assert await passed(database, Limits(bounds(person_per_minute=3), clock=clock), asked(), 2) == 2
    async with opened(file) as one, opened(file) as other:
        limits = [Limits(bounds(person_per_minute=3), clock=clock) for _ in range(2)]
        assert await passed(one, limits[0], asked(), 1) == 1
        assert await passed(other, limits[1], asked(), 1) == 0


_PROCESS = """
import asyncio, sys
from pathlib import Path
from bot.database import Database
from bot.limits import Limits
from bot.messages import Author, IncomingMessage, Place
from bot.settings.limits import LimitSettings

async def main():
    database = Database(Path(sys.argv[1]), busy_seconds=20)
    await database.open()
    limits = Limits(LimitSettings(person_at_once=0, person_per_minute=30), clock=lambda: 1_800_000_000.0)
    message = IncomingMessage("k", Place("slack", "T1", "C1"), Author("ada"), "Why?")
    take = lambda: database.transact(lambda connection: limits.take(connection, message))
    print([await take() for _ in range(30)].count(None))
    await database.close()

asyncio.run(main())
"""


async def test_two_processes_at_once_let_no_more_pass_than_one(tmp_path: Path) -> None:
    file = tmp_path / "both.sqlite3"
    database_file.upgrade(file)
    command = (sys.executable, "-c", _PROCESS, str(file))
    processes = [await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(2)]
    counts = [int((await process.communicate())[0]) for process in processes]
    assert sum(counts) == 30


async def test_a_question_that_is_not_committed_takes_nothing(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_per_minute=1), clock=clock)

    def take_and_fail(connection: Connection) -> None:
        assert limits.take(connection, asked()) is None
        raise KeyError

    with pytest.raises(KeyError):
        await database.transact(take_and_fail)
    assert await take(database, limits, asked()) is None


@pytest.mark.parametrize("jump", [-3_600.0, -30 * 86_400.0])
async def test_a_clock_that_is_set_back_keeps_nobody_waiting_longer_than_a_minute(
    database: Database, clock: Clock, jump: float
) -> None:
    limits = Limits(bounds(person_per_minute=5), clock=clock)
    await passed(database, limits, asked(), 5)
    clock.now += jump
    refusal = await take(database, limits, asked())
    assert refusal is None or refusal.seconds <= 60
    clock.now += 60
    assert await passed(database, limits, asked(), 9) == 5


async def test_a_clock_that_jumps_ahead_fills_the_buckets_once(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_per_minute=5), clock=clock)
    await passed(database, limits, asked(), 5)
    clock.now += 1e7
    assert await passed(database, limits, asked(), 9) == 5


async def open_question(database: Database, key: str, person: str = "slack:ada") -> None:
    row = {
        "key": f"slack/{key}",
        "platform": "slack",
        "person_id": person,
        "received_at": datetime.now(UTC),
        "is_open": True,
    }
    await database.write(Change((insert(inbox),), ([row],)))


async def test_who_has_as_many_questions_open_as_may_be_is_asked_to_wait(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_at_once=2), clock=clock)
    await open_question(database, "k1")
    await open_question(database, "k2")
    assert await take(database, limits, asked(key="k2")) is None
    await open_question(database, "k3")
    refusal = await take(database, limits, asked(key="k3"))
    assert refusal is not None
    assert refusal.sentence == "I am still at your last 2 questions."
    assert refusal.fix == "Ask again when I have answered."
    assert await take(database, limits, asked("bob", key="k4")) is None


async def test_an_edited_question_is_not_one_more_of_those_that_wait(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_at_once=1), clock=clock)
    await open_question(database, "k1")
    assert await take(database, limits, asked(key="k1:2", revises="k1")) is None


async def test_a_flood_is_told_once_a_minute_in_each_channel(database: Database, clock: Clock) -> None:
    limits = Limits(bounds(person_per_minute=1), clock=clock)
    await take(database, limits, asked())
    refusals = [await take(database, limits, asked()) for _ in range(5)]
    assert [refusal.is_told for refusal in refusals if refusal] == [True, False, False, False, False]
    elsewhere = await take(database, limits, asked(place=NEXT_DOOR))
    assert elsewhere is not None
    assert elsewhere.is_told
    clock.now += 60
    refusals = [await take(database, limits, asked()) for _ in range(3)]
    assert [refusal and refusal.is_told for refusal in refusals] == [None, True, False]


@pytest.mark.parametrize(("place", "command"), [(HERE, "ask"), (Place("http"), "ask"), (Place("http"), "")])
async def test_where_somebody_waits_for_the_answer_they_are_always_told(
    database: Database, clock: Clock, place: Place, command: str
) -> None:
    limits = Limits(bounds(person_per_minute=1), clock=clock)
    refusals = [await take(database, limits, asked(place=place, command=command)) for _ in range(5)]
    assert [refusal and refusal.is_told for refusal in refusals] == [None, True, True, True, True]


async def test_a_written_command_that_only_its_asker_sees_the_answer_of_is_always_answered(
    database: Database, clock: Clock
) -> None:
    """Slack's ``/preceptor ask …`` is one: without a word of ours nothing at all would be seen."""
    limits = Limits(bounds(person_per_minute=1), clock=clock)
    refusals = [await take(database, limits, asked(private=True)) for _ in range(3)]
    assert [refusal and refusal.is_told for refusal in refusals] == [None, True, True]


async def kept(database: Database) -> int:
    query = select(func.count()).select_from(rate_limits)
    return await database.read(lambda connection: connection.scalar(query)) or 0


async def test_full_buckets_are_not_kept(database: Database, clock: Clock) -> None:
    limits = Limits(LimitSettings(), clock=clock)
    await take(database, limits, asked())
    clock.now += 4
    await take(database, limits, asked("bob", ELSEWHERE))
    assert await kept(database) == 6
    assert await database.transact(limits.prune) == 3
    clock.now -= 1e6
    assert await database.transact(limits.prune) == 3
    assert await kept(database) == 0
