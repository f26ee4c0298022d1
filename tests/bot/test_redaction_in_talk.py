"""What is hidden from a server that writes answers, place by place, as people and admins see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.messages import Place
from bot.settings import Settings
from tests.conftest import Conversation
from tests.models.loopback_gemini import LoopbackGemini
from tests.models.loopback_server import Writes

HERE, ELSEWHERE = Place("memory", "lab", "general"), Place("memory", "lab", "another")
SECRETS = (
    "ada@example.org",
    "+49 30 1234567",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "55779911",
    "xoxb-123456789012-abcdefghijkl",
)
QUESTION = (
    "When does the office open? Write to ada@example.org or call +49 30 1234567. My card is 4111 1111 1111 1111, my"
    " IBAN is DE89 3704 0044 0532 0130 00, my account number is 55779911, the token is xoxb-123456789012-abcdefghijkl."
)


@pytest.fixture
async def gemini() -> AsyncIterator[LoopbackGemini]:
    async with LoopbackGemini(key="AIza-loopback") as server:
        yield server


@asynccontextmanager
async def talking(settings: Settings, gemini: LoopbackGemini, **sections: Any) -> AsyncIterator[Conversation]:
    adapter = InMemoryAdapter(Limits())
    told = {
        "generation": {"chain": ["gemini"]},
        "gemini": {"base_url": gemini.origin, "key": "AIza-loopback", "retries": 0} | sections.pop("cloud", {}),
        "access": {"admins": ["memory:ada"]},
        "answers": {"threshold": 0.0},
    }
    async with Application(Settings(**settings.model_dump() | told | sections)).running([adapter]):
        yield Conversation(adapter)


def leaked(gemini: LoopbackGemini) -> list[list[str]]:
    return [[secret for secret in SECRETS if secret in asked.body] for asked in gemini.asked]


async def test_nothing_personal_leaves_by_default_and_the_answer_has_it_again(
    settings: Settings, gemini: LoopbackGemini
) -> None:
    gemini.always = Writes(["The office is open from 8 in the morning until 6 in the evening [1]. Ask <email-1> [1]."])
    async with talking(settings, gemini) as ada:
        reply = await ada.say(QUESTION)
        await ada.say("and on Fridays?")
    assert "gemini" in reply.generator
    assert leaked(gemini) == [[], []]
    assert "<" not in reply.text


async def test_an_admin_switches_it_off_and_on_for_a_channel(settings: Settings, gemini: LoopbackGemini) -> None:
    async with talking(settings, gemini) as ada:
        await ada.say("/settings redact off")
        await ada.say(QUESTION)
        await ada.other(place=ELSEWHERE).say(QUESTION)
        await ada.say("/settings redact on")
        await ada.say(f"{QUESTION} Once more.")
    assert leaked(gemini) == [list(SECRETS), [], []]


async def test_the_settings_say_where_it_is_on(settings: Settings, gemini: LoopbackGemini) -> None:
    places = {"redact": {"memory/lab": False, "memory/lab/another": True}}
    async with talking(settings, gemini, privacy=places, cloud={"redact": False}) as ada:
        await ada.say(QUESTION)
        await ada.other(place=ELSEWHERE).say(QUESTION)
    assert leaked(gemini) == [list(SECRETS), []]


async def test_a_names_model_that_is_not_there_keeps_everything_here_and_the_floor_answers(
    settings: Settings, gemini: LoopbackGemini
) -> None:
    async with talking(settings, gemini, privacy={"names_model": "nobody/no-such-model"}) as ada:
        reply = await ada.say(QUESTION)
    assert reply.generator == "extractive"
    assert not gemini.asked
