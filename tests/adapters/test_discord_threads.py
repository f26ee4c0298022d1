"""Threads on Discord: going on in one without a mention, and one for every question."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from discord_lab import READS_CONTENT, Lab, Permission, running_lab, stays_silent
from structlog.testing import capture_logs

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "When does the office open?"
ANSWER = "8 in the morning"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """A bot with the message-content intent that opens a thread for every question."""
    folder = tmp_path_factory.mktemp("threads")
    async with running_lab(folder, intents=READS_CONTENT, message_content=True, thread_channels=("*",)) as opened:
        yield opened


async def test_with_the_content_intent_a_thread_goes_on_without_a_mention(lab: Lab) -> None:
    thread = await lab.ada.starts_thread(lab.guild.channel("with threads"), "Newton")
    assert "at rest" in (await lab.ask("What is Newton's first law?", thread)).content
    await lab.ada.says(thread, "and the third one?")
    assert "equal and opposite" in (await thread.next_answer()).content


async def test_in_its_thread_what_people_say_to_each_other_is_not_for_the_bot(lab: Lab) -> None:
    thread = await lab.ada.starts_thread(lab.guild.channel("with threads"), "Talk")
    await lab.ask(QUESTION, thread)
    grace = lab.guild.member("Grace")
    await stays_silent(lab, await lab.ada.says(thread, f"{grace.mention} when does the office open?"))
    hers = await grace.says(thread, f"{lab.ada.mention} at 8")
    await stays_silent(lab, await lab.ada.says(thread, "thanks", reply_to=hers))
    await stays_silent(lab, await lab.ada.says(thread, "and when does it close?", reply_to=hers, pings=False))


async def test_who_replies_to_themselves_in_its_thread_goes_on(lab: Lab) -> None:
    thread = await lab.ada.starts_thread(lab.guild.channel("with threads"), "Newton again")
    first = await lab.ada.says(thread, "What is Newton's first law?", mentions_bot=True)
    await thread.next_answer()
    await lab.ada.says(thread, "and the third one?", reply_to=first, pings=False)
    assert "equal and opposite" in (await thread.next_answer()).content


async def test_a_thread_in_which_nobody_asked_is_not_the_bots(lab: Lab) -> None:
    thread = await lab.ada.starts_thread(lab.guild.channel("with threads"), "Private talk")
    await stays_silent(lab, await lab.ada.says(thread, QUESTION))


async def test_a_question_gets_a_thread_that_is_named_after_it(lab: Lab) -> None:
    channel = lab.guild.channel("help desk")
    grace = lab.guild.member("Grace")
    question = await lab.ada.says(channel, f"{QUESTION} {grace.mention} wants to know", mentions_bot=True)
    await lab.discord.until(lambda: bool(channel.threads))
    (thread,) = channel.threads
    await thread.next_answer()
    assert thread.starter is question
    assert thread.name == f"{QUESTION} @Grace wants to know"
    assert not channel.bot_messages


async def test_in_the_thread_of_a_question_its_asker_goes_on_without_a_mention(lab: Lab) -> None:
    channel = lab.guild.channel("help desk")
    await lab.ada.says(channel, "What is Newton's first law?", mentions_bot=True)
    await lab.discord.until(lambda: bool(channel.threads))
    (thread,) = channel.threads
    assert "at rest" in (await thread.next_answer()).content
    await lab.ada.says(thread, "and the third one?")
    assert "equal and opposite" in (await thread.next_answer()).content
    assert channel.threads == [thread]


async def test_an_edited_question_is_answered_anew_in_its_thread(lab: Lab) -> None:
    channel = lab.guild.channel("help desk")
    question = await lab.ada.says(channel, "Where do visitors park?", mentions_bot=True)
    await lab.discord.until(lambda: bool(channel.threads))
    answer = await channel.threads[0].next_answer()
    await lab.ada.edits(question, f"{lab.discord.bot_user.mention} {QUESTION}")
    await lab.discord.until(lambda: ANSWER in answer.content)
    assert channel.threads[0].bot_messages == [answer]


async def test_a_long_answer_stays_together_in_its_thread(lab: Lab) -> None:
    channel = lab.guild.channel("help desk")
    await lab.ada.says(channel, "How do I set up the printer?", mentions_bot=True)
    await lab.discord.until(lambda: any("That is all." in one.content for one in lab.discord.messages))
    await lab.discord.calm()
    assert len(channel.threads[0].bot_messages) > 2
    assert not channel.bot_messages


async def test_without_the_permission_a_question_is_answered_in_the_channel(lab: Lab) -> None:
    channel = lab.guild.channel("no threads", deny={lab.guild.bot: Permission.CREATE_PUBLIC_THREADS})
    question = await lab.ada.says(channel, QUESTION, mentions_bot=True)
    answer = await channel.next_answer()
    assert ANSWER in answer.content
    assert answer.reference is question
    assert not channel.threads


async def test_no_thread_is_started_where_it_could_not_answer_in_it(lab: Lab) -> None:
    channel = lab.guild.channel("no answers", deny={lab.guild.bot: Permission.SEND_MESSAGES_IN_THREADS})
    with capture_logs() as logged:
        assert ANSWER in (await lab.ask(QUESTION, channel)).content
    assert not channel.threads
    assert {line["missing"] for line in logged if "missing" in line} == {"Send Messages in Threads"}


async def test_a_long_answer_whose_thread_is_not_started_stays_together_in_the_channel(lab: Lab) -> None:
    channel = lab.guild.channel("still full of threads")
    lab.discord.fail_next(route="POST /channels/*/messages/*/threads", status=400)
    await lab.ada.says(channel, "How do I set up the printer?", mentions_bot=True)
    await lab.discord.until(lambda: any("That is all." in one.content for one in channel.bot_messages))
    assert len(channel.bot_messages) > 2
    assert not channel.threads


async def test_where_discord_starts_no_thread_the_answer_stands_in_the_channel(lab: Lab) -> None:
    channel = lab.guild.channel("full of threads")
    lab.discord.fail_next(route="POST /channels/*/messages/*/threads", status=400)
    question = await lab.ada.says(channel, QUESTION, mentions_bot=True)
    answer = await channel.next_answer()
    assert ANSWER in answer.content
    assert answer.reference is question
