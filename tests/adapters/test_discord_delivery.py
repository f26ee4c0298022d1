"""What is said on Discord: long answers, sources, files, and what becomes of them when Discord will not take them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from contract import LONG_ANSWER
from discord_lab import Lab, Permission, lab, running_lab
from loopback_discord import Message
from structlog.testing import capture_logs

from bot.errors import DeliveryRefusedError, RateLimitedError
from bot.messages import Place, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "When does the office open?"
ANSWER = "8 in the morning"
POST = "POST /channels/*/messages"
PATCH = "PATCH /channels/*/messages/*"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """A bot as it is without any settings."""
    async with running_lab(tmp_path_factory.mktemp("delivery")) as opened:
        yield opened


async def test_a_long_answer_comes_in_messages_that_discord_takes_and_loses_nothing(desk: Lab) -> None:
    channel = desk.guild.channel("long")
    question = await desk.ada.says(channel, "How do I set up the printer?", mentions_bot=True)
    await desk.discord.until(lambda: any("-# [1]" in message.content for message in channel.bot_messages), 10)
    messages = channel.bot_messages
    said = "\n".join(message.content for message in messages)
    assert all(0 < len(message.content) <= 2_000 for message in messages)
    assert all(message.content.count("```") % 2 == 0 for message in messages), "every block of code is closed"
    assert [message.reference for message in messages] == [question] + [None] * (len(messages) - 1)
    assert [bool(message.buttons) for message in messages] == [False] * (len(messages) - 1) + [True]
    for line in LONG_ANSWER.splitlines():
        if line.startswith(("Step", "printer.")):
            assert line in said


async def test_an_answer_grows_in_one_message_and_ends_complete(desk: Lab) -> None:
    answer = await desk.ask(QUESTION, desk.guild.channel("growing"))
    assert len(answer.history) > 1
    assert not answer.history[0].components
    assert "-# [1]" not in answer.history[0].content
    assert "-# [1]" in answer.content
    assert answer.buttons


async def test_nothing_the_bot_says_shows_previews_or_pings(desk: Lab) -> None:
    answer = await desk.ask(f"{QUESTION} @everyone <@&{desk.guild.id}>", desk.guild.channel("quiet"))
    assert answer.flags & 4, "embeds are suppressed"
    assert answer.pings.nobody
    assert not any((answer.allowed_mentions or {"parse": "missing"}).values())


async def test_it_types_while_it_works(desk: Lab) -> None:
    channel = desk.guild.channel("typing")
    with desk.discord.hold(POST):
        await desk.ada.says(channel, QUESTION, mentions_bot=True)
        await desk.discord.until(lambda: bool(channel.typing))
    await channel.next_answer()


async def test_where_it_may_not_write_the_asker_is_told_once_and_the_log_names_the_permission(desk: Lab) -> None:
    channel = desk.guild.channel("read only", deny={desk.guild.bot: Permission.SEND_MESSAGES})
    grace = desk.guild.member("Grace")
    with capture_logs() as logged:
        await grace.says(channel, QUESTION, mentions_bot=True)
        told = await grace.dm.next_answer()
        assert "“Send Messages”" in told.content
        assert channel.mention in told.content
        await grace.says(channel, QUESTION, mentions_bot=True)
        await desk.discord.calm()
    assert len(grace.dm.bot_messages) == 1
    assert {line["missing"] for line in logged if "missing" in line} == {"Send Messages"}
    assert not [line for line in logged if line["log_level"] == "error"]


async def test_in_a_thread_another_permission_is_the_missing_one(desk: Lab) -> None:
    channel = desk.guild.channel("no threads", deny={desk.guild.bot: Permission.SEND_MESSAGES_IN_THREADS})
    henry = desk.guild.member("Henry")
    thread = await henry.starts_thread(channel, "Opening")
    await henry.says(thread, QUESTION, mentions_bot=True)
    assert "“Send Messages in Threads”" in (await henry.dm.next_answer()).content


async def test_where_it_may_see_no_more_the_asker_of_a_growing_answer_is_told(desk: Lab) -> None:
    channel = desk.guild.channel("closing")
    lea = desk.guild.member("Lea")
    with capture_logs() as logged:
        with desk.discord.hold(PATCH):
            await lea.says(channel, QUESTION, mentions_bot=True)
            await channel.next_message()
            channel.deny(desk.guild.bot, Permission.VIEW_CHANNEL)
        assert "“View Channel”" in (await lea.dm.next_answer()).content
    assert {line["missing"] for line in logged if "missing" in line} == {"View Channel"}


async def test_what_is_missing_in_a_locked_thread_is_the_right_to_manage_it(desk: Lab) -> None:
    mia = desk.guild.member("Mia")
    thread = await mia.starts_thread(desk.guild.channel("with threads"), "Locked")
    thread.locked = True
    await mia.says(thread, QUESTION, mentions_bot=True)
    assert "“Manage Threads”" in (await mia.dm.next_answer()).content


async def test_an_asker_who_takes_no_messages_is_let_go(desk: Lab) -> None:
    channel = desk.guild.channel("read only", deny={desk.guild.bot: Permission.SEND_MESSAGES})
    ines = desk.guild.member("Ines")
    ines.user.accepts_messages = False
    with capture_logs() as logged:
        await ines.says(channel, QUESTION, mentions_bot=True)
        async with asyncio.timeout(10):
            while not any(line["event"] == "reply given up" for line in logged):  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.02)
    assert {line["missing"] for line in logged if "missing" in line} == {"Send Messages"}


async def test_without_the_right_to_read_the_history_the_answer_comes_without_a_reference(desk: Lab) -> None:
    channel = desk.guild.channel("no history", deny={desk.guild.bot: Permission.READ_MESSAGE_HISTORY})
    answer = await desk.ask(QUESTION, channel)
    assert ANSWER in answer.content
    assert answer.reference is None


async def test_what_is_for_one_person_goes_by_direct_message(desk: Lab) -> None:
    channel = desk.guild.channel("private matters")
    jo = desk.guild.member("Jo")
    await jo.says(channel, "/help", mentions_bot=True)
    assert "/forget" in (await jo.dm.next_answer()).content
    assert not channel.bot_messages


async def test_who_takes_no_messages_is_led_to_the_command(desk: Lab) -> None:
    channel = desk.guild.channel("private matters")
    kim = desk.guild.member("Kim")
    kim.user.accepts_messages = False
    question = await kim.says(channel, "/history", mentions_bot=True)
    answer = await channel.next_answer()
    assert answer.reference is question
    assert "`/history`" in answer.content
    assert answer.pings.nobody


async def test_a_question_edited_into_a_private_one_is_not_answered_where_everyone_reads_it(desk: Lab) -> None:
    channel = desk.guild.channel("private matters")
    lou = desk.guild.member("Lou")
    question = await lou.says(channel, QUESTION, mentions_bot=True)
    answer = await channel.next_answer()
    await lou.edits(question, f"{desk.discord.bot_user.mention} /help")
    assert "/forget" in (await lou.dm.next_answer()).content
    await desk.discord.until(lambda: answer.deleted)
    assert "/forget" not in "".join(version.content for version in answer.history)


async def test_an_edit_does_not_show_everyone_what_could_not_be_sent_privately(desk: Lab) -> None:
    channel = desk.guild.channel("private matters")
    max_ = desk.guild.member("Max")
    max_.user.accepts_messages = False
    question = await max_.says(channel, "/knowledge", mentions_bot=True)
    answer = await channel.next_answer()
    await max_.edits(question, f"{desk.discord.bot_user.mention} /help")
    await desk.discord.until(lambda: answer.deleted)
    assert "`/help`" in channel.bot_messages[-1].content
    assert not any("/forget" in message.content for message in channel.log)


async def test_what_tells_nothing_private_is_said_in_the_channel(desk: Lab) -> None:
    answer = await desk.ask("???", desk.guild.channel("nonsense"))
    assert "I see no question in that" in answer.content


async def test_a_rate_limit_is_waited_for(desk: Lab) -> None:
    channel = desk.guild.channel("limited")
    desk.discord.rate_limit(POST, 0.3)
    desk.discord.rate_limit(PATCH, 0.3)
    assert ANSWER in (await desk.ask(QUESTION, channel)).content
    assert len(channel.bot_messages) == 1


async def test_a_long_rate_limit_is_left_to_the_core(desk: Lab) -> None:
    channel = desk.guild.channel("exhausted")
    desk.discord.rate_limit(POST, 40.0)
    with pytest.raises(RateLimitedError) as raised:
        await desk.send(channel, Reply("Hello"))
    assert raised.value.seconds == 40.0


async def test_a_ban_by_discords_proxy_is_a_rate_limit(desk: Lab) -> None:
    channel = desk.guild.channel("banned")
    desk.discord.rate_limit(POST, 3_600.0, banned=True)
    with pytest.raises(RateLimitedError) as raised:
        await desk.send(channel, Reply("Hello"))
    assert raised.value.seconds == 3_600.0


async def test_a_channel_that_is_gone_is_no_reason_to_try_again(desk: Lab) -> None:
    gone = replace(desk.guild.channel("gone"), id=1)
    with pytest.raises(DeliveryRefusedError):
        await desk.send(gone, Reply("Hello"))


async def test_a_server_error_is_tried_again_and_answers_once(desk: Lab) -> None:
    channel = desk.guild.channel("errors")
    desk.discord.fail_next(route=POST, status=502)
    assert ANSWER in (await desk.ask(QUESTION, channel)).content
    assert len(channel.bot_messages) == 1


async def test_an_answer_whose_receipt_was_lost_stands_once(desk: Lab) -> None:
    channel = desk.guild.channel("lost")
    desk.discord.lose_answer(POST)
    await desk.ada.says(channel, QUESTION, mentions_bot=True)
    await desk.discord.until(lambda: any(ANSWER in one.content and one.buttons for one in channel.bot_messages), 10)
    await desk.discord.calm()
    assert len(channel.bot_messages) == 1


async def test_somebody_elses_answer_to_the_same_question_is_not_taken_for_ones_own(desk: Lab) -> None:
    channel = desk.guild.channel("popular")
    hers, his = await desk.ada.says(channel, QUESTION), await desk.guild.member("Noah").says(channel, QUESTION)
    place = Place("discord", str(desk.guild.id), str(channel.id))

    def _answer_to(question: Message) -> list[Reply]:
        return [Reply(f"Part {part}", in_reply_to=str(question.id), part=part) for part in range(2)]

    sent = [await desk.send(channel, part, f"his {part.part}") for part in _answer_to(his)]
    assert desk.adapter is not None
    assert [await desk.adapter.find(place, part, "") for part in _answer_to(hers)] == ["", ""]
    assert [await desk.adapter.find(place, part, "") for part in _answer_to(his)] == sent


async def test_an_answer_that_came_late_in_a_busy_channel_is_found_again(desk: Lab) -> None:
    channel, noah = desk.guild.channel("busy"), desk.guild.member("Noah")
    question = await desk.ada.says(channel, QUESTION)
    for number in range(320):
        await noah.says(channel, f"{number} is a number.")
    answer = [Reply(f"Part {part}", in_reply_to=str(question.id), part=part) for part in range(2)]
    sent = [await desk.send(channel, part, f"late {part.part}") for part in answer]
    place = Place("discord", str(desk.guild.id), str(channel.id))
    assert desk.adapter is not None
    assert [await desk.adapter.find(place, part, "") for part in answer] == sent


async def test_an_answer_that_stood_before_a_crash_is_found_again(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        async with opened.started():
            await opened.discord.connected()
            with opened.discord.hold(PATCH):
                await opened.ada.says(opened.general, QUESTION, mentions_bot=True)
                await opened.general.next_message()
                opened.discord.advance(3_600)  # the nonce is forgotten by now
        async with opened.running():
            await opened.discord.until(lambda: bool(opened.general.bot_messages[0].buttons), 10)
            await opened.discord.calm()
        assert len(opened.general.bot_messages) == 1


async def test_a_command_taken_before_a_crash_is_answered_after_it(tmp_path: Path) -> None:
    async with lab(tmp_path, dispatch={"shutdown_seconds": 0.1}) as opened:
        async with opened.running():
            with opened.discord.hold("PATCH /webhooks/*/*/messages/@original"):
                asked = await opened.ada.invokes(opened.general, "ask", {"question": QUESTION})
                assert (await asked.response()).deferred
        async with opened.running():
            await opened.discord.until(lambda: any("-# [1]" in one.content for one in asked.messages), 10)
        assert len(asked.messages) == 1
        assert ANSWER in asked.messages[0].content


async def test_who_finds_no_room_is_told_at_once(tmp_path: Path) -> None:
    async with running_lab(tmp_path, dispatch={"queue": 1, "workers": 1}) as opened:
        with opened.discord.hold("PATCH /webhooks/*/*/messages/@original"):
            first = await opened.ada.invokes(opened.general, "ask", {"question": QUESTION})
            await first.response()
            question = await opened.ada.says(opened.general, QUESTION, mentions_bot=True)
            await opened.discord.until(lambda: any("before yours" in one.content for one in opened.general.messages))
            told = opened.general.bot_messages[-1]
            assert told.reference is question
            assert told.pings.nobody
            second = await opened.ada.invokes(opened.general, "ask", {"question": QUESTION})
            response = await second.response()
            assert response.ephemeral
            assert "waiting before yours" in response.data["content"]
        assert ANSWER in (await first.answer()).content


async def test_whose_edited_question_finds_no_room_is_told_at_once(tmp_path: Path) -> None:
    async with running_lab(tmp_path, dispatch={"queue": 1, "workers": 1}) as opened:
        question = await opened.ada.says(opened.general, "Where do visitors park?", mentions_bot=True)
        await opened.general.next_answer()
        with opened.discord.hold("PATCH /webhooks/*/*/messages/@original"):
            first = await opened.ada.invokes(opened.general, "ask", {"question": QUESTION})
            await first.response()
            await opened.ada.edits(question, f"{opened.discord.bot_user.mention} {QUESTION}")
            await opened.discord.until(lambda: any("before yours" in one.content for one in opened.general.messages))
            assert opened.general.bot_messages[-1].reference is question
