"""Connections that break under load: whatever the platform delivers again is answered, and once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from contract import contract_settings
from loopback_discord import LoopbackDiscord
from loopback_slack import LoopbackSlack

from bot.application import Application

_PEOPLE = 6
_QUESTIONS = ("When does the office open?", "Where do visitors park?", "What is Newton's first law?")
_SIZES = [60, pytest.param(2_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]


async def _under_load(
    questions: int, ask: Callable[[int, str], Awaitable[None]], breaks: Callable[[int], Awaitable[None]]
) -> None:
    """Have some people ask side by side, and break the connection a dozen times meanwhile."""
    numbers = iter(range(questions))

    async def _person(person: int) -> None:
        for number in numbers:
            await ask(person, _QUESTIONS[number % len(_QUESTIONS)])
            if number % (questions // 12) == 0:
                await breaks(number)

    await asyncio.gather(*(_person(person) for person in range(_PEOPLE)))


@pytest.mark.parametrize("questions", _SIZES)
async def test_discord_breaking_off_under_load_loses_nothing(tmp_path: Path, questions: int) -> None:
    async with LoopbackDiscord() as discord:
        guild = discord.guild("Lab")
        channels = [guild.channel(f"channel-{number}") for number in range(_PEOPLE)]
        people = [guild.member(f"Person {number}") for number in range(_PEOPLE)]
        section = {"enabled": True, "token": discord.token, "base_url": discord.rest_url}
        application = Application(contract_settings(tmp_path, discord=section))
        asked = []

        async def _ask(person: int, question: str) -> None:
            asked.append(await people[person].says(channels[person], question, mentions_bot=True))

        async def _break(number: int) -> None:
            await (discord.drop_connection() if number % 2 else discord.request_reconnect())

        def _answers() -> dict[object, int]:
            counts = dict.fromkeys((one.id for one in asked), 0)
            for channel in channels:
                for message in channel.bot_messages:
                    if message.reference is not None:
                        counts[message.reference.id] += 1
            return counts

        async with application.running([application.adapter("discord")]):
            await discord.connected()
            await _under_load(questions, _ask, _break)
            await discord.until(lambda: all(_answers().values()), within=30 + questions / 10)
            await discord.calm(1.0)
        assert set(_answers().values()) == {1}


@pytest.mark.parametrize("questions", _SIZES)
async def test_slack_breaking_off_under_load_loses_nothing(tmp_path: Path, questions: int) -> None:
    async with LoopbackSlack() as slack:
        channels = [slack.channel(f"channel-{number}") for number in range(_PEOPLE)]
        people = [slack.user(f"Person {number}") for number in range(_PEOPLE)]
        tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token, "base_url": slack.base_url}
        application = Application(contract_settings(tmp_path, slack={"enabled": True} | tokens))
        asked = []

        async def _ask(person: int, question: str) -> None:
            asked.append(await people[person].says(channels[person], f"<@BOT> {question}"))

        async def _break(number: int) -> None:
            if number % 2:
                slack.drop_connections()
            else:
                await slack.say_goodbye()

        def _answers() -> dict[str, int]:
            counts = dict.fromkeys((one.ts for one in asked), 0)
            for channel in channels:
                for message in channel.from_bot:
                    counts[message.thread_ts] += 1
            return counts

        async with application.running([application.adapter("slack")]):
            await slack.connected()
            await _under_load(questions, _ask, _break)
            await slack.until(lambda: all(_answers().values()), 30 + questions / 10)
            await slack.settle()
        assert set(_answers().values()) == {1}


@pytest.mark.parametrize("seconds", [0.0, 0.0005, 0.001, 0.002, 0.005, 0.05])
async def test_a_stop_in_the_midst_of_a_reconnect_to_discord_ends(tmp_path: Path, seconds: float) -> None:
    async with LoopbackDiscord() as discord:
        section = {"enabled": True, "token": discord.token, "base_url": discord.rest_url}
        application = Application(contract_settings(tmp_path, discord=section))
        async with asyncio.timeout(15), application.running([application.adapter("discord")]):
            await discord.connected()
            await discord.drop_connection()
            await asyncio.sleep(seconds)


async def test_of_edits_close_together_the_last_one_holds(tmp_path: Path) -> None:
    async with LoopbackDiscord() as discord:
        guild = discord.guild("Lab")
        general, ada = guild.channel("general"), guild.member("Ada")
        section = {"enabled": True, "token": discord.token, "base_url": discord.rest_url}
        application = Application(contract_settings(tmp_path, discord=section))
        async with application.running([application.adapter("discord")]):
            await discord.connected()
            for _ in range(5):
                question = await ada.says(general, "Where do visitors park?", mentions_bot=True)
                for text in ("What is Newton's first law?", "When does the office open?"):
                    await ada.edits(question, f"{discord.bot_user.mention} {text}")
                await discord.until(lambda: "8 in" in "".join(one.text for one in general.bot_messages[-1:]), within=10)
                await discord.calm(0.5)
                assert "8 in the morning" in general.bot_messages[-1].text
