"""Conversations go when they are older than is set for their place, with all that hangs on them, and nothing else."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kept_questions import KeptQuestions, Person
from sqlalchemy import func, insert, select, update

from bot import compacting
from bot.access import ADMIN
from bot.adapter import InMemoryAdapter
from bot.adapter import Limits as InMemoryLimits
from bot.application import Application
from bot.cleaning import Cleaning
from bot.cleaning_jobs import cleaning
from bot.errors import StorageError
from bot.messages import Author, Place
from bot.place_settings import PlaceSettings
from bot.retention import Retention
from bot.settings import Settings
from bot.tables import (
    citations,
    conversations,
    escalations,
    feedback,
    generation_usage,
    inbox,
    messages,
    pairing_codes,
    people,
    pictures,
    places,
)
from tests.conftest import Conversation

NOW = datetime(2026, 3, 14, 3, tzinfo=UTC)
LAB, OFFICE = Place("memory", "lab", "general"), Place("slack", "T1", "C1")


def _days(number: float) -> datetime:
    return NOW - timedelta(days=number)


async def _asked(kept: KeptQuestions, days: float, place: Place = LAB, name: str = "ada", text: str = "Who?") -> str:
    message = Person(name, place).message(text, received_at=_days(days), opens_conversation=True)
    conversation_id = uuid.uuid4().hex
    await kept.answered(message, conversation_id=conversation_id)
    return conversation_id


def _retention(kept: KeptQuestions, tmp_path: Path, **privacy: Any) -> Retention:
    places = PlaceSettings(kept.database, Settings(data_directory=tmp_path, privacy=privacy))
    return Retention(kept.database, places)


async def _left(kept: KeptQuestions) -> set[str]:
    return set(await kept.database.read(lambda connection: connection.scalars(select(conversations.c.id)).all()))


async def _count(kept: KeptQuestions, table: Any) -> int:
    query = select(func.count()).select_from(table)
    return await kept.database.read(lambda connection: connection.scalar(query)) or 0


async def test_where_nothing_is_set_nothing_is_deleted(kept: KeptQuestions, tmp_path: Path) -> None:
    await _asked(kept, 10_000)
    retention = _retention(kept, tmp_path)
    assert await retention.due(NOW) == 0
    assert await retention.clean(NOW) == 0
    assert len(await _left(kept)) == 1


async def test_each_place_has_its_own_days(kept: KeptQuestions, tmp_path: Path) -> None:
    await _asked(kept, 31)
    young = await _asked(kept, 29)
    await _asked(kept, 8, OFFICE)
    new = await _asked(kept, 6, OFFICE)
    for_ever = await _asked(kept, 9_999, Place("slack", "T2", "C1", "1.2"))
    retention = _retention(kept, tmp_path, retention_days=30, retention={"slack/T1": 7, "slack/T2": 0})
    assert await retention.due(NOW) == 2
    assert await retention.clean(NOW) == 2
    assert await _left(kept) == {young, new, for_ever}
    assert await retention.clean(NOW) == 0


async def test_it_counts_from_the_last_thing_that_was_said(kept: KeptQuestions, tmp_path: Path) -> None:
    conversation_id = await _asked(kept, 40)
    later = Person("ada", LAB).message("And now?", received_at=_days(1), conversation_id=conversation_id)
    await kept.answered(later)
    assert await _retention(kept, tmp_path, retention_days=30).clean(NOW) == 0


async def test_all_that_hangs_on_a_conversation_goes_with_it(kept: KeptQuestions, tmp_path: Path) -> None:
    conversation_id = await _asked(kept, 40, text="Where is the wolpertinger?")
    answer = await kept.database.read(
        lambda c: c.scalar(select(messages.c.id).where(messages.c.role == "answer")),
    )
    verdict = {"message_id": answer, "person_id": "memory:grace", "verdict": 1, "at": _days(39)}
    call = {"id": answer, "message_id": answer, "inbox_key": "k", "person_id": "memory:ada", "asked_at": _days(39)}
    shown = {"message_id": answer, "number": 1, "person_id": "memory:ada", "channel_id": LAB.channel_id, "thread": ""}
    shown |= {"shown_as": "m", "is_private": False, "model": "m", "embedding": b"12", "at": _days(40)}
    used = {"day": "2026-02-01", "at": _days(40), "workspace_id": "memory/lab", "conversation_id": conversation_id}
    used |= {"generator": "gemini", "model": "m", "input_tokens": 1, "output_tokens": 2, "cost": 0.5}
    rows: Mapping[Any, Any] = {feedback: verdict, escalations: call, pictures: shown, generation_usage: used}
    await kept.database.transact(lambda c: [c.execute(insert(table), [row]) for table, row in rows.items()])
    assert await _retention(kept, tmp_path, retention_days=30).clean(NOW) == 1
    for table in (messages, citations, feedback, escalations, pictures, people, places):
        assert await _count(kept, table) == 0, table.name
    used_by = select(generation_usage.c.conversation_id, generation_usage.c.input_tokens)
    assert await kept.database.read(lambda c: [tuple(row) for row in c.execute(used_by)]) == [("", 1)]
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"wolpertinger" in file.read_bytes()]


async def test_people_with_something_left_keep_their_names(kept: KeptQuestions, tmp_path: Path) -> None:
    await _asked(kept, 40, name="ada")
    await _asked(kept, 40, name="grace")
    await _asked(kept, 1, name="grace")
    await _retention(kept, tmp_path, retention_days=30).clean(NOW)
    assert await kept.database.read(lambda c: c.scalars(select(people.c.name)).all()) == ["Grace"]


async def test_many_are_deleted_a_few_at_a_time(kept: KeptQuestions, tmp_path: Path) -> None:
    await _asked(kept, 1)
    row = {"place_id": LAB.id, "person_id": "memory:ada", "started_at": _days(50), "last_at": _days(40)}
    rows = [row | {"id": f"{number:05}"} for number in range(4_321)]
    await kept.database.transact(lambda connection: connection.execute(insert(conversations), rows))
    assert await _retention(kept, tmp_path, retention_days=30).clean(NOW) == 4_321
    assert len(await _left(kept)) == 1


async def test_two_processes_that_clean_at_once_are_no_harm(kept: KeptQuestions, tmp_path: Path) -> None:
    import asyncio

    for number in range(120):
        await _asked(kept, 40 if number % 2 else 1)
    one, other = (_retention(kept, tmp_path, retention_days=30) for _ in range(2))
    assert sum(await asyncio.gather(one.clean(NOW), other.clean(NOW))) == 60
    assert len(await _left(kept)) == 60


async def test_where_nothing_is_kept_events_lose_their_people(kept: KeptQuestions, tmp_path: Path) -> None:
    settings = Settings(data_directory=tmp_path, conversations={"not_kept": ("slack/T1",)})  # type: ignore[arg-type]
    retention = Retention(kept.database, PlaceSettings(kept.database, settings))
    await _asked(kept, 1)
    await _asked(kept, 1, OFFICE)
    await kept.delivery.accept(Person("open", OFFICE).message("Not answered yet"))
    assert await retention.unname(NOW) == 1
    named = select(inbox.c.person_id).where(inbox.c.person_id != "").order_by(inbox.c.id)
    assert await kept.database.read(lambda c: c.scalars(named).all()) == ["memory:ada", "slack:open"]
    assert await retention.unname(NOW) == 0


async def test_a_cleaning_is_remembered_and_what_fails_keeps_nothing_else_from_being_done(kept: KeptQuestions) -> None:
    def _gives(number: int) -> Callable[[datetime], Awaitable[int]]:
        async def _job(now: datetime) -> int:
            return number

        return _job

    async def _fails(now: datetime) -> int:
        raise StorageError("The disk is full.")

    jobs = {"conversations": _gives(2), "limits": _fails, "keys": _gives(3)}
    cleaner = Cleaning(kept.database, jobs)
    assert await cleaner.last() is None
    done = await cleaner.clean(NOW)
    assert done.deleted == {"conversations": 2, "keys": 3, "bytes": 0}
    assert done.failed == ("limits",)
    assert await cleaner.last() == done


async def test_the_whole_cleaning_runs_and_gives_room_back_to_the_disk(kept: KeptQuestions, tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite3"
    await kept.database.wipe()
    compacting.compact(file)
    for number in range(40):
        await _asked(kept, 40, text=f"Where is number {number}? " * 400)
    code = {"digest": "d", "platform": "slack", "by": "slack:U1", "expires_at": _days(1)}
    await kept.database.transact(lambda c: c.execute(insert(pairing_codes), [code]))
    await kept.database.wipe()
    before = file.stat().st_size
    settings = Settings(data_directory=tmp_path, privacy={"retention_days": 30})  # type: ignore[arg-type]
    done = await cleaning(kept.database, settings, PlaceSettings(kept.database, settings)).clean(NOW)
    assert (done.failed, done.deleted["conversations"], done.deleted["pairing_codes"]) == ((), 40, 1)
    await kept.database.wipe()
    assert before - file.stat().st_size == done.deleted["bytes"] > 300_000


async def test_an_older_file_is_made_small_by_hand(kept: KeptQuestions, tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite3"
    await kept.database.transact(lambda c: c.exec_driver_sql("PRAGMA auto_vacuum").scalar_one())
    for number in range(30):
        await _asked(kept, 40, text=f"Where is number {number}? " * 400)
    await kept.database.wipe()
    await _retention(kept, tmp_path, retention_days=30).clean(NOW)
    await kept.database.close()
    size = file.stat().st_size
    assert size - compacting.compact(file) == file.stat().st_size < size


async def test_a_conversation_that_goes_on_meanwhile_is_not_deleted(kept: KeptQuestions, tmp_path: Path) -> None:
    conversation_id = await _asked(kept, 40)
    retention = _retention(kept, tmp_path, retention_days=30)
    looked_at = [rows async for rows in retention._old(NOW)]
    await kept.database.transact(lambda c: c.execute(update(conversations).values(last_at=NOW)))
    assert await retention._delete(looked_at[0], NOW) == 0
    assert await _left(kept) == {conversation_id}


@pytest.mark.parametrize("days", [-1, 36_501, "a week"])
def test_days_that_are_none_are_refused(days: object) -> None:
    with pytest.raises(ValueError, match="retention"):
        Settings(privacy={"retention": {"slack/T1": days}})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no platform"):
        Settings(privacy={"retention": {"skype/T1": 3}})  # type: ignore[arg-type]


async def test_admins_are_told_of_the_last_cleaning(settings: Settings) -> None:
    adapter = InMemoryAdapter(InMemoryLimits(streaming=True))
    application = Application(settings)
    async with application.running([adapter]):
        root = Conversation(adapter, Author("root", "Root", frozenset({ADMIN})))
        assert "Last cleaned" not in (await root.say("/stats")).text
        await application.cleaning.clean(NOW)
        told = await root.say("/stats")
        assert "Last cleaned 2026-03-14 03:00 UTC: 0 old conversations deleted." in told.text
        assert told.data["cleaned"]["failed"] == []
