"""The ways in on Discord: who is heard where, and what they get."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from discord_lab import Lab, running_lab, stays_silent

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "When does the office open?"
ANSWER = "8 in the morning"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """A bot without the message-content intent."""
    async with running_lab(tmp_path_factory.mktemp("lab")) as opened:
        yield opened


@pytest.mark.parametrize("form", ["{bot} {question}", "{question} {bot}", "Tell me, {bot}: {question}"])
async def test_a_mention_anywhere_is_answered_with_a_reply_that_names_its_source(lab: Lab, form: str) -> None:
    channel = lab.guild.channel("anywhere")
    text = form.format(bot=lab.discord.bot_user.mention, question=QUESTION)
    question = await lab.ada.says(channel, text)
    answer = await channel.next_answer()
    assert ANSWER in answer.content
    assert "-# [1] Office handbook › Opening hours" in answer.content
    assert answer.reference is question
    assert answer.pings.nobody


async def test_the_old_form_of_a_mention_is_one_too(lab: Lab) -> None:
    channel = lab.guild.channel("old")
    await lab.ada.says(channel, f"<@!{lab.discord.bot_user.id}> {QUESTION}")
    assert ANSWER in (await channel.next_answer()).content


async def test_what_is_asked_keeps_its_lines_and_loses_the_mention(lab: Lab) -> None:
    channel = lab.guild.channel("lines")
    await lab.ada.says(channel, f"{lab.discord.bot_user.mention}\n/help")
    assert "I answer from my knowledge base" in (await lab.ada.dm.next_answer()).content


async def test_a_message_without_a_mention_is_none_of_its_business(lab: Lab) -> None:
    channel = lab.guild.channel("others")
    await stays_silent(lab, await lab.ada.says(channel, QUESTION))
    await stays_silent(lab, await lab.ada.says(channel, f"@everyone {QUESTION}"))


async def test_bots_and_the_bot_itself_are_not_answered(lab: Lab) -> None:
    channel = lab.guild.channel("bots")
    robot = lab.guild.member("Robot", bot=True)
    await stays_silent(lab, await robot.says(channel, QUESTION, mentions_bot=True))


async def test_a_reply_to_the_bot_needs_no_mention(lab: Lab) -> None:
    channel = lab.guild.channel("replies")
    first = await lab.ask("What is Newton's first law?", channel)
    second = await lab.ada.says(channel, "and the third one?", reply_to=first)
    answer = await channel.next_answer()
    assert "equal and opposite" in answer.content
    assert answer.reference is second


async def test_a_reply_whose_text_discord_does_not_show_gets_to_know_why(lab: Lab) -> None:
    channel = lab.guild.channel("silent replies")
    first = await lab.ask(QUESTION, channel)
    second = await lab.ada.says(channel, "and where do visitors park?", reply_to=first, pings=False)
    answer = await channel.next_answer()
    assert "does not show me what you wrote" in answer.content
    assert answer.reference is second


async def test_a_reply_to_somebody_else_is_not_for_the_bot(lab: Lab) -> None:
    channel = lab.guild.channel("elsewhere")
    grace = lab.guild.member("Grace")
    hers = await grace.says(channel, "Lunch?")
    await stays_silent(lab, await lab.ada.says(channel, QUESTION, reply_to=hers))


async def test_a_direct_message_needs_no_mention(lab: Lab) -> None:
    await lab.ada.says(lab.ada.dm, QUESTION)
    assert ANSWER in (await lab.ada.dm.next_answer()).content


async def test_a_mention_in_a_thread_is_answered_in_the_thread(lab: Lab) -> None:
    channel = lab.guild.channel("with threads")
    thread = await lab.ada.starts_thread(channel, "Opening")
    await lab.ada.says(thread, QUESTION, mentions_bot=True)
    assert ANSWER in (await thread.next_answer()).content
    assert not channel.bot_messages


async def test_an_edited_question_is_answered_anew_in_place(lab: Lab) -> None:
    channel = lab.guild.channel("edits")
    question = await lab.ada.says(channel, "Where do visitors park?", mentions_bot=True)
    answer = await channel.next_answer()
    assert "north side" in answer.content
    await lab.ada.edits(question, f"{lab.discord.bot_user.mention} {QUESTION}")
    await lab.discord.until(lambda: ANSWER in answer.content)
    assert channel.bot_messages == [answer]


async def test_a_message_that_becomes_a_question_by_an_edit_is_one(lab: Lab) -> None:
    channel = lab.guild.channel("becoming")
    message = await lab.ada.says(channel, QUESTION)
    await lab.ada.edits(message, f"{lab.discord.bot_user.mention} {QUESTION}")
    assert (await channel.next_answer()).reference is message


async def test_the_answer_to_a_deleted_question_is_withdrawn(lab: Lab) -> None:
    channel = lab.guild.channel("deletions")
    question = await lab.ada.says(channel, QUESTION, mentions_bot=True)
    answer = await channel.next_answer()
    await lab.ada.deletes(question)
    await lab.discord.until(lambda: answer.deleted)


async def test_other_peoples_edits_deletions_and_reactions_leave_no_row(lab: Lab) -> None:
    channel = lab.guild.channel("busy")
    before = len(lab.discord.requests)
    message = await lab.ada.says(channel, "Lunch?")
    await lab.ada.edits(message, "Lunch at noon?")
    await lab.ada.reacts(message, "✅")
    await lab.ada.deletes(message)
    await lab.discord.calm()
    assert len(lab.discord.requests) == before


async def test_an_event_that_comes_twice_is_answered_once(lab: Lab) -> None:
    channel = lab.guild.channel("twice")
    question = await lab.ada.says(channel, QUESTION, mentions_bot=True)
    await lab.discord.redeliver(question)
    await channel.next_answer()
    await lab.discord.redeliver(question)
    await lab.discord.calm()
    assert len(channel.bot_messages) == 1


async def test_events_of_unknown_kinds_are_passed_over(lab: Lab) -> None:
    channel = lab.guild.channel("future")
    await lab.discord.sends("TELEPATHY_CREATE", {"guild_id": str(lab.guild.id), "thought": "…"})
    assert ANSWER in (await lab.ask(QUESTION, channel)).content


async def test_no_request_goes_where_discord_has_nothing(lab: Lab) -> None:
    assert not lab.discord.unknown_requests
