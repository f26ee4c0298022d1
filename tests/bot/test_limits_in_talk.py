"""Who asks too much, on the whole road: told once, kindly, and answered again after the wait."""

import asyncio
import sqlite3

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.messages import Author, Place
from bot.settings import Settings
from tests.conftest import Conversation

QUESTION = "When does the office open?"


def limited(settings: Settings, **numbers: object) -> Settings:
    sections = settings.model_dump() | {"limits": settings.limits.model_dump() | numbers}
    return Settings(**sections | {"access": sections["access"] | {"admins": ["memory:root"]}})


def outcomes(settings: Settings) -> list[str]:
    database = sqlite3.connect(settings.database_file)
    found = database.execute("SELECT outcome FROM inbox ORDER BY id").fetchall()
    database.close()
    return [outcome for (outcome,) in found]


async def test_who_asks_too_much_is_told_once_how_long_to_wait_and_others_are_answered(settings: Settings) -> None:
    settings, adapter = limited(settings, person_per_minute=2), InMemoryAdapter(Limits())
    async with Application(settings).running([adapter]):
        ada = Conversation(adapter)
        replies = [await ada.say(QUESTION) for _ in range(3)]
        bob = await ada.other(author=Author("bob")).say(QUESTION)
        elsewhere = await ada.other(place=Place("memory", "lab", "another")).say(QUESTION)
        await adapter.post(ada.message(QUESTION))
        root = [await ada.other(author=Author("root")).say(QUESTION) for _ in range(4)]
    assert [reply.outcome for reply in replies] == ["answered", "answered", "refused"]
    assert replies[2].text.startswith("That was quick: I take 2 questions a minute of each. Ask again in ")
    assert (replies[2].error, replies[2].ephemeral) == ("too_many", True)
    assert 0 < replies[2].data["seconds"] <= 30
    assert bob.outcome == "answered"
    assert (elsewhere.error, {reply.outcome for reply in root}) == ("too_many", {"answered"})
    assert outcomes(settings).count("denied") == 1
    assert None not in outcomes(settings)


async def test_help_and_the_commands_for_ones_own_data_work_for_who_asked_too_much(settings: Settings) -> None:
    settings, adapter = limited(settings, person_per_minute=1), InMemoryAdapter(Limits())
    async with Application(settings).running([adapter]):
        ada = Conversation(adapter)
        replies = [await ada.say(text) for text in (QUESTION, QUESTION, "/help", "/export")]
    assert [reply.error for reply in replies] == ["", "too_many", "", ""]


async def test_a_flood_in_one_moment_answers_no_more_than_the_bucket_holds(settings: Settings) -> None:
    settings, adapter = limited(settings, person_per_minute=5), InMemoryAdapter(Limits())
    async with Application(settings).running([adapter]):
        ada = Conversation(adapter)
        exchanges = [await adapter.post(ada.message(QUESTION, command="ask")) for _ in range(40)]
        replies = await asyncio.gather(*(exchange.complete() for exchange in exchanges))
    assert [reply.outcome for reply in replies].count("answered") == 5
    assert [reply.error for reply in replies].count("too_many") == 35
