"""Two processes with the same tokens and one database: whatever both hear is answered once, and nobody notices."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord_lab import Lab as DiscordLab
from discord_lab import lab as discord_lab
from loopback_slack import Message
from slack_lab import OPENING, PARKING
from slack_lab import Lab as SlackLab
from slack_lab import lab as slack_lab
from structlog.testing import capture_logs

from adapters.discord import DiscordAdapter
from adapters.discord.identifiers import Route
from bot.adapter import Receipt, Records
from bot.application import Application
from bot.messages import IncomingMessage, Place, Reply

ANSWER = "8 in the morning"


@contextlib.asynccontextmanager
async def _twice(settings: object, platform: str) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            application = Application(settings)  # type: ignore[arg-type]
            await stack.enter_async_context(application.running([application.adapter(platform)]))
        yield


@pytest.fixture
async def discord(tmp_path: Path) -> AsyncIterator[DiscordLab]:
    async with discord_lab(tmp_path) as lab, _twice(lab.settings, "discord"):
        await lab.discord.connected(2, 20)
        await lab.discord.until(lambda: bool(lab.discord.commands()))
        yield lab


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[SlackLab]:
    async with slack_lab(tmp_path) as lab, _twice(lab.settings, "slack"):
        await lab.slack.connected(2)
        yield lab


async def test_on_discord_each_message_that_both_hear_has_one_answer(discord: DiscordLab) -> None:
    people = [discord.guild.member(f"Person {number}") for number in range(4)]
    with capture_logs() as logged:
        asked = [await one.says(discord.general, OPENING, mentions_bot=True) for _ in range(4) for one in people]
        await discord.discord.until(lambda: len(discord.general.bot_messages) >= len(asked), 20)
        await discord.discord.calm()
    answered = [message.reference.id for message in discord.general.bot_messages if message.reference]
    assert sorted(answered) == [question.id for question in asked]
    assert not [line for line in logged if line["log_level"] in ("warning", "error")]


async def test_on_discord_each_command_that_both_hear_is_deferred_and_answered_once(discord: DiscordLab) -> None:
    with capture_logs() as logged:
        for private in (False, True) * 3:
            asked = await discord.ada.invokes(discord.general, "ask", {"question": OPENING, "private": private})
            answer = await asked.answer()
            await discord.discord.until(lambda answer=answer: ANSWER in answer.content)  # type: ignore[misc]
            await discord.discord.calm()
            assert len(asked.responses) == 1
            assert not asked.followups
    assert not [line for line in logged if line["log_level"] in ("warning", "error")]


async def test_on_discord_a_press_and_a_completion_that_both_hear_are_taken_once(
    discord: DiscordLab, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await discord.ask(OPENING)
    await discord.discord.until(lambda: bool(answer.buttons))
    with capture_logs() as logged:
        pressed = await discord.ada.presses(answer, "👍")
        await discord.discord.until(lambda: bool(pressed.followups))
        completed = await discord.ada.types(discord.general, "ask", "question", "Off")
        await discord.discord.until(lambda: bool(completed.responses))
        await discord.discord.calm()
    assert len(pressed.followups) == 1
    assert len(completed.responses) == 1
    assert not caplog.records
    assert not [line for line in logged if line["log_level"] in ("warning", "error")]


async def test_on_discord_what_neither_can_read_is_told_once(discord: DiscordLab) -> None:
    answer = await discord.ask(OPENING)
    await discord.discord.calm()
    before = len(discord.general.bot_messages)
    await discord.ada.says(discord.general, "And then?", reply_to=answer, pings=False)
    await discord.general.next_message()
    await discord.discord.calm()
    assert len(discord.general.bot_messages) == before + 1


async def test_on_discord_an_answer_waits_for_the_other_process_to_defer_its_command(tmp_path: Path) -> None:
    async with discord_lab(tmp_path) as lab, lab.running():
        other = DiscordAdapter(lab.settings.discord, Records())
        with lab.discord.hold("POST /interactions/*/*/callback"):
            asked = await lab.ada.invokes(lab.general, "ask", {"question": OPENING, "private": True})
            await other.start(_heard_by_the_other)
            route = Route(lab.ada.id, "command", lab.discord.application_id, asked.token, hidden=True).text
            place = Place("discord", str(lab.guild.id), str(lab.general.id))
            reply = Reply("From the other", in_reply_to=str(asked.id), ephemeral=True, route=route)
            sending = asyncio.create_task(other.send(place, reply, "key"))
            await lab.discord.until(lambda: bool(asked.refused))
        await sending
        await other.stop()
        assert [message.ephemeral for message in asked.messages] == [True]
        assert not lab.ada.dm.bot_messages, "the way around, by direct message, was not needed"


async def _heard_by_the_other(message: IncomingMessage) -> Receipt:
    return Receipt(is_new=False)


async def test_on_slack_whatever_either_hears_and_however_often_has_one_answer(slack: SlackLab) -> None:
    async def _ask(number: int) -> Message:
        question = await slack.ada.says(slack.general, f"<@BOT> {(OPENING, PARKING)[number % 2]}")
        for delivery in question.deliveries:
            for again in range(3):
                await slack.slack.redeliver(delivery, again + 1)
        return question

    asked = [await _ask(number) for number in range(6)]
    await slack.slack.until(lambda: len(slack.general.from_bot) >= len(asked), 20)
    await slack.calm()
    assert sorted(message.thread_ts for message in slack.general.from_bot) == [question.ts for question in asked]
    heard_by = {connection for connection in slack.slack.socket.connections if connection.acknowledged}
    assert len(heard_by) == 2
