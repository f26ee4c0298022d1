"""What was asked on Discord while the bot was not there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from busy_records import BusyRecords
from discord_lab import READS_CONTENT, Lab, lab
from loopback_discord import Message
from structlog.testing import capture_logs

from adapters.discord import DiscordAdapter
from bot.messages import Place

QUESTION = "When does the office open?"
ANSWER = "8 in the morning"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path, intents=READS_CONTENT, message_content=True) as opened:
        yield opened


async def _caught_up(desk: Lab, logged: list[Any]) -> None:
    async with asyncio.timeout(15):
        while not any(line["event"] == "caught up" for line in logged):  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.02)
    await desk.discord.calm()


def _answers(desk: Lab) -> list[Message | None]:
    """What the bot's messages in the channel refer to."""
    return [message.reference for message in desk.general.bot_messages]


async def test_what_was_asked_between_stop_and_start_is_answered_once_and_in_order(desk: Lab) -> None:
    async with desk.running():
        await desk.ask("Where do visitors park?")
    missed = [await desk.ada.says(desk.general, text, mentions_bot=True) for text in (QUESTION, "Who was Newton?")]
    await desk.ada.says(desk.general, "Nobody there?")
    for _ in range(2):
        with capture_logs() as logged:
            async with desk.running():
                await _caught_up(desk, logged)
        assert _answers(desk)[1:] == missed
    assert ANSWER in desk.general.bot_messages[1].content


async def test_what_was_asked_during_a_session_that_could_not_be_resumed_is_answered_once(desk: Lab) -> None:
    async with desk.running():
        first = await desk.ada.says(desk.general, "Where do visitors park?", mentions_bot=True)
        await desk.general.next_answer()
        with capture_logs() as logged:
            async with desk.discord.outage():
                missed = await desk.ada.says(desk.general, QUESTION, mentions_bot=True)
                desk.discord.gateway.forget_sessions()
            await _caught_up(desk, logged)
        assert len(desk.discord.sessions) == 2
    assert _answers(desk) == [first, missed]


async def test_a_direct_message_and_a_follow_up_in_a_thread_are_caught_up_too(desk: Lab) -> None:
    thread = await desk.ada.starts_thread(desk.general, "Office")
    before = await desk.ada.says(thread, "Who has the key?")
    async with desk.running():
        await desk.ask("Where do visitors park?", desk.ada.dm)
        await desk.ask("Where do visitors park?", thread)
    asked = [await desk.ada.says(place, QUESTION) for place in (desk.ada.dm, thread)]
    with capture_logs() as logged:
        async with desk.running():
            await _caught_up(desk, logged)
    answers = [place.bot_messages[1:] for place in (desk.ada.dm, thread)]
    assert [[answer.reference for answer in place] for place in answers] == [[one] for one in asked]
    assert before not in [answer.reference for answer in thread.bot_messages], "the bot had no part in the thread yet"


async def test_an_admin_by_role_is_known_as_one_in_what_was_missed(desk: Lab) -> None:
    role = desk.guild.role("Keepers")
    desk.ada.roles.append(role)
    access = desk.settings.access.model_copy(update={"admin_roles": (f"discord:role:{role.id}",)})
    desk.settings = desk.settings.model_copy(update={"access": access})
    async with desk.running():
        await desk.ask()
    await desk.ada.says(desk.general, "/reload", mentions_bot=True)
    with capture_logs() as logged:
        async with desk.running():
            await _caught_up(desk, logged)
    assert "is for admins" not in desk.ada.dm.bot_messages[-1].text


async def test_an_edit_that_was_missed_puts_the_answer_right_where_it_stands(desk: Lab) -> None:
    async with desk.running():
        question = await desk.ada.says(desk.general, "Where do visitors park?", mentions_bot=True)
        await desk.general.next_answer()
    await desk.ada.edits(question, f"{desk.discord.bot_user.mention} {QUESTION}")
    edits = []
    for _ in range(2):
        with capture_logs() as logged:
            async with desk.running():
                await _caught_up(desk, logged)
        (answer,) = desk.general.bot_messages
        assert ANSWER in answer.content
        edits.append(len(answer.history))
    assert edits[0] == edits[1], "it is not edited once more at the next start"


async def test_what_the_bot_answered_before_its_database_was_lost_is_not_answered_again(desk: Lab) -> None:
    name = f"discord/{desk.guild.id}/{desk.general.id}"
    catch_up = desk.settings.catch_up.model_copy(update={"channels": (name,)})
    desk.settings = desk.settings.model_copy(update={"catch_up": catch_up})
    async with desk.running():
        answered = await desk.ada.says(desk.general, "Where do visitors park?", mentions_bot=True)
        await desk.general.next_answer()
    desk.settings.database_file.unlink()
    desk.discord.advance(3_600)  # the nonce, too, would keep it from being said twice
    missed = await desk.ada.says(desk.general, QUESTION, mentions_bot=True)
    with capture_logs() as logged:
        async with desk.running():
            await _caught_up(desk, logged)
    assert _answers(desk) == [answered, missed], "and the channel is looked through as the settings say"


async def test_a_place_that_cannot_be_read_does_not_keep_the_others_from_being_read(desk: Lab) -> None:
    catch_up = desk.settings.catch_up.model_copy(update={"channels": ("discord/office/general",)})
    desk.settings = desk.settings.model_copy(update={"catch_up": catch_up})
    async with desk.running():
        await desk.ask("Where do visitors park?")
    missed = await desk.ada.says(desk.general, QUESTION, mentions_bot=True)
    with capture_logs() as logged:
        async with desk.running():
            await _caught_up(desk, logged)
    assert _answers(desk)[1:] == [missed]
    assert [line["channel"] for line in logged if line["event"] == "not looked through"] == ["discord/office/general"]


async def test_a_database_that_is_busy_for_a_moment_does_not_cost_a_question(desk: Lab) -> None:
    await desk.ada.says(desk.general, QUESTION, mentions_bot=True)
    records = BusyRecords(Place("discord", str(desk.guild.id), str(desk.general.id)))
    bot = DiscordAdapter(desk.settings.discord, records)
    with capture_logs() as logged:
        await bot.start(records.accept)
        try:
            await _caught_up(desk, logged)
        finally:
            await bot.stop()
    assert [line["messages"] for line in logged if line["event"] == "caught up"] == [1]


async def test_no_more_is_read_than_the_settings_allow(desk: Lab) -> None:
    catch_up = desk.settings.catch_up.model_copy(update={"messages": 2})
    desk.settings = desk.settings.model_copy(update={"catch_up": catch_up})
    async with desk.running():
        await desk.ask("Where do visitors park?")
    missed = [await desk.ada.says(desk.general, QUESTION, mentions_bot=True) for _ in range(3)]
    with capture_logs() as logged:
        async with desk.running():
            await _caught_up(desk, logged)
    assert _answers(desk)[1:] == missed[1:]


async def test_what_is_older_than_the_settings_allow_stays_unanswered(desk: Lab) -> None:
    async with desk.running():
        await desk.ask("Where do visitors park?")
    old = await desk.ada.says(desk.general, QUESTION, mentions_bot=True)
    catch_up = desk.settings.catch_up.model_copy(update={"minutes": 0})
    desk.settings = desk.settings.model_copy(update={"catch_up": catch_up})
    async with desk.running():
        await desk.ask("Where do visitors park?")
    assert old not in _answers(desk)
