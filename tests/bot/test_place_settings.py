"""What admins set for a place holds there, from the narrowest place on, in all processes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import database_file
from bot.access import ADMIN
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.database import Database
from bot.messages import Author, IncomingMessage, Place
from bot.place_settings import Held, PlaceSettings
from bot.settings import Settings
from tests.conftest import Conversation

HERE, THREAD = Place("memory", "lab", "general"), Place("memory", "lab", "general", "t1")
ROOT = Author("root", "Root", frozenset({ADMIN}))


@pytest.fixture
async def database(tmp_path: Path) -> Any:
    file = tmp_path / "kept.sqlite3"
    database_file.upgrade(file)
    database = Database(file)
    await database.open()
    yield database
    await database.close()


def _settings(tmp_path: Path, **sections: Any) -> Settings:
    return Settings(data_directory=tmp_path, **sections)


def _admin() -> IncomingMessage:
    return IncomingMessage("k", HERE, ROOT, "")


async def test_where_nobody_sets_anything_all_is_kept_for_ever(database: Database, tmp_path: Path) -> None:
    places = PlaceSettings(database, _settings(tmp_path))
    await places.load()
    assert places.keeps(HERE)
    assert places.retention_days(HERE) == 0
    assert places.value(HERE, "redact") is None


async def test_the_narrowest_place_counts_and_there_what_an_admin_set(database: Database, tmp_path: Path) -> None:
    settings = _settings(
        tmp_path,
        privacy={"retention_days": 90, "retention": {"memory/lab": 30, "memory/lab/general": 7}},
        conversations={"not_kept": ("memory/lab",)},
    )
    places = PlaceSettings(database, settings)
    assert [places.retention_days(place) for place in (THREAD, Place("memory", "lab", "x"), Place("slack", "T"))] == [
        7,
        30,
        90,
    ]
    await places.put(_admin(), "memory/lab", "retention_days", "1")
    assert places.retention_days(THREAD) == 7
    await places.put(_admin(), HERE.channel_id, "retention_days", "0")
    assert places.held(THREAD, "retention_days") == Held("0", HERE.channel_id, by_admin=True)
    assert places.shortest_retention() == 1
    assert not places.keeps(THREAD)
    await places.put(_admin(), HERE.channel_id, "keep", "on")
    assert places.keeps(THREAD)
    await places.drop(HERE.channel_id, "keep")
    assert not places.keeps(THREAD)
    assert places.something_is_not_kept


async def test_what_one_process_is_told_holds_in_the_others_too(database: Database, tmp_path: Path) -> None:
    one, other = (PlaceSettings(database, _settings(tmp_path)) for _ in range(2))
    following = asyncio.create_task(other.follow())
    await one.put(_admin(), "memory/lab", "redact", "off")
    await _until(lambda: other.value(HERE, "redact") == "off")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_admins_are_shown_what_holds_and_where_it_comes_from(ada: Conversation) -> None:
    root = ada.other(author=ROOT)
    assert (await ada.say("/settings")).error == "not_allowed"
    shown = await root.say("/settings")
    assert shown.ephemeral
    assert "`keep` is **on** (whether what is said is kept; set for all places)" in shown.text
    said = await root.say("/settings retention 30 server")
    assert "`retention` is **30 days**" in said.text
    assert "set for this server by an admin" in said.text
    assert said.data["settings"]["retention_days"] == {"value": "30", "set_for": "memory/lab", "by_admin": True}
    in_thread = root.other(place=THREAD)
    assert "set for this thread by an admin" in (await in_thread.say("/settings keep off here")).text
    assert "`keep` is **on**" in (await root.say("/settings")).text
    assert "`retention` is **never**" in (await root.say("/settings retention never")).text
    assert "`retention` is **30 days**" in (await root.say("/settings retention default")).text


async def test_what_is_set_for_a_server_is_said_not_to_count_where_the_channel_has_its_own(ada: Conversation) -> None:
    root = ada.other(author=ROOT)
    assert (await root.say("/settings keep on channel")).text.startswith("Set. ")
    said = await root.say("/settings keep off server")
    assert said.text.startswith("Set for this server; but this channel has its own value, which counts here.")


@pytest.mark.parametrize(
    "words",
    ["keep", "keep maybe", "colour blue", "retention -1", "retention 1e3", "retention 99999999", "keep off moon"],
)
async def test_what_cannot_be_set_is_refused_with_how_it_is_written(ada: Conversation, words: str) -> None:
    reply = await ada.other(author=ROOT).say(f"/settings {words}")
    assert (reply.outcome, reply.error) == ("refused", "question_invalid")
    assert "`keep off`" in reply.text
    assert await _held(ada) == {"keep": "on", "redact": "", "retention_days": "0"}


async def _held(ada: Conversation) -> dict[str, str]:
    document = (await ada.other(author=ROOT).say("/settings")).data["settings"]
    return {name: one["value"] for name, one in document.items()}


async def test_where_nothing_is_kept_questions_are_answered_and_only_their_keys_are_left(settings: Settings) -> None:
    adapter = InMemoryAdapter(Limits(streaming=True, buttons=True))
    async with Application(settings).running([adapter]):
        ada = Conversation(adapter)
        await ada.other(author=ROOT).say("/settings keep off")
        answer = await ada.say("When does the office open?", key="k17")
        assert (answer.outcome, answer.answer_id, answer.conversation_id) == ("answered", 0, "")
        assert "Nothing was said" in (await ada.say("/history")).text
        # Written over by the time that it is said; nobody waits for the log to be cut.
        await _until(lambda: not _files_with(settings.data_directory, b"When does the office"))
        assert _files_with(settings.data_directory, b"memory/k17")


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - it comes about in the database, which tells nobody
            await asyncio.sleep(0.01)


def _files_with(folder: Path, words: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and words in file.read_bytes()]
