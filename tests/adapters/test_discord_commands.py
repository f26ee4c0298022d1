"""Slash commands, context menus and completion on Discord."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from contract import PICTURE
from discord_lab import Lab, Permission, nobody_hears, running_lab
from loopback_discord import Upload, payloads
from loopback_discord.invocations import Unavailable

from adapters.discord.interactions import Interactions
from adapters.discord.underway import Attendance, Deferrals
from bot.adapter import Records
from bot.messages import Author, IncomingMessage, Place

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "When does the office open?"
ANSWER = "8 in the morning"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """A bot whose admins are those who manage the server."""
    folder = tmp_path_factory.mktemp("commands")
    async with running_lab(folder, access={"admin_roles": ("discord:manage_server",)}) as opened:
        yield opened


async def test_ask_is_deferred_at_once_and_answered_for_everyone(lab: Lab) -> None:
    asked = await lab.ada.invokes(lab.general, "ask", {"question": QUESTION})
    response = await asked.response()
    assert response.deferred
    assert not response.ephemeral
    answer = await asked.answer()
    await lab.discord.calm()
    assert ANSWER in answer.content
    assert "-# [1]" in answer.content
    assert [button["label"] for button in answer.buttons] == ["👍", "👎"]
    assert asked.messages == [answer]


async def test_a_private_question_is_answered_for_the_asker_alone(lab: Lab) -> None:
    asked = await lab.ada.invokes(lab.general, "ask", {"question": QUESTION, "private": True})
    assert (await asked.response()).ephemeral
    answer = await asked.answer()
    assert ANSWER in answer.content
    assert answer.ephemeral
    assert "Share with everyone" in [button["label"] for button in answer.buttons]


async def test_a_long_answer_to_a_command_follows_up_with_its_other_parts(lab: Lab) -> None:
    asked = await lab.ada.invokes(lab.general, "ask", {"question": "How do I set up the printer?", "private": True})
    await lab.discord.until(lambda: any("That is all." in message.content for message in asked.messages), 10)
    assert len(asked.messages) > 2
    assert all(message.ephemeral and len(message.content) <= 2_000 for message in asked.messages)
    assert "bell 14" in "".join(message.content for message in asked.messages)


async def test_what_goes_wrong_with_a_public_command_is_told_to_the_asker_alone(lab: Lab) -> None:
    channel = lab.guild.channel("public")
    asked = await lab.ada.invokes(channel, "ask", {"question": "???"})
    await lab.discord.until(lambda: bool(asked.followups))
    assert "I see no question in that" in asked.followups[0].content
    assert asked.followups[0].ephemeral
    assert not channel.messages


async def test_completion_offers_titles_of_the_knowledge_base(lab: Lab) -> None:
    typed = await lab.ada.types(lab.general, "ask", "question", "Newton")
    await typed.response()
    assert len(typed.choices) == 3
    assert all("Newton" in choice["name"] and len(choice["name"]) <= 100 for choice in typed.choices)


async def test_completion_offers_nothing_twice_and_nothing_blank() -> None:
    class _Titles(Records):
        async def titles(self, asker: IncomingMessage, limit: int) -> list[str]:
            return ["x" * 120, "x" * 130, " ", "y"]

    heard = Interactions(nobody_hears, _Titles(), Deferrals(), Attendance())
    assert await heard.titles(IncomingMessage("1", Place("discord"), Author("1"), "")) == ["x" * 100, "y"]


async def test_completion_of_nothing_known_offers_nothing(lab: Lab) -> None:
    typed = await lab.ada.types(lab.general, "ask", "question", "zzzz")
    await typed.response()
    assert typed.choices == []


async def test_help_lists_what_everyone_may_do_for_the_asker_alone(lab: Lab) -> None:
    asked = await lab.ada.invokes(lab.general, "help")
    answer = await asked.answer()
    assert answer.ephemeral
    assert "/forget" in answer.content
    assert "/reload" not in answer.content


async def test_describe_takes_a_picture(lab: Lab) -> None:
    picture = Upload("holiday.png", PICTURE)
    asked = await lab.ada.invokes(lab.general, "describe", {"picture": picture, "private": True})
    assert "1 × 1 pixels" in (await asked.answer()).content


async def test_what_is_no_picture_is_told_by_its_content(lab: Lab) -> None:
    words = Upload("holiday.png", b"Only words are in here.")
    asked = await lab.ada.invokes(lab.general, "describe", {"picture": words, "private": True})
    refusal = (await asked.answer()).content
    assert "holiday.png" in refusal
    assert "plain text" in refusal


async def test_answer_this_answers_somebody_elses_message(lab: Lab) -> None:
    grace = lab.guild.member("Grace")
    theirs = await grace.says(lab.general, QUESTION)
    asked = await lab.ada.invokes_on(theirs, "Answer this")
    answer = await asked.answer()
    await lab.discord.calm()
    assert ANSWER in answer.content
    assert not answer.ephemeral


async def test_describe_image_takes_a_messages_picture(lab: Lab) -> None:
    grace = lab.guild.member("Grace")
    theirs = await grace.says(lab.general, "Look!", attachments=(Upload("holiday.png", PICTURE),))
    asked = await lab.ada.invokes_on(theirs, "Describe image")
    assert "1 × 1 pixels" in (await asked.answer()).content


async def test_admin_commands_are_hidden_from_those_who_do_not_manage_the_server(lab: Lab) -> None:
    hidden = {command["name"] for command in lab.discord.commands() if command.get("default_member_permissions")}
    assert hidden == {"reload", "stats", "people", "access", "audit", "settings", "delivery"}
    with pytest.raises(Unavailable):
        await lab.ada.invokes(lab.general, "reload")


async def test_whoever_manages_the_server_reloads_and_hears_what_changed(lab: Lab) -> None:
    chief = lab.guild.member("Chief", permissions=Permission.MANAGE_GUILD)
    asked = await chief.invokes(lab.general, "reload")
    answer = await asked.answer()
    assert answer.ephemeral
    assert "files" in answer.content


async def test_a_role_that_discord_lets_in_is_still_refused_by_the_bot(lab: Lab) -> None:
    asked = await lab.ada.invokes(lab.ada.dm, "reload")
    assert "is for admins" in (await asked.answer()).content


async def test_stats_tells_admins_the_figures(lab: Lab) -> None:
    chief = lab.guild.member("Chief", permissions=Permission.MANAGE_GUILD)
    asked = await chief.invokes(lab.general, "stats")
    assert "Questions" in (await asked.answer()).content


async def test_what_is_kept_of_somebody_comes_as_a_file(lab: Lab) -> None:
    grace = lab.guild.member("Grace")
    await (await grace.invokes(lab.general, "ask", {"question": QUESTION})).answer()
    await lab.discord.calm()
    asked = await grace.invokes(lab.general, "export")
    answer = await asked.answer()
    assert answer.ephemeral
    assert QUESTION in json.dumps(json.loads(answer.attachments[0].data))


async def test_forget_asks_back_and_then_deletes(lab: Lab) -> None:
    grace = lab.guild.member("Grace")
    await (await grace.invokes(lab.general, "ask", {"question": QUESTION})).answer()
    await lab.discord.calm()
    asked = await grace.invokes(lab.general, "forget")
    sure = await asked.answer()
    assert "1 conversation" in sure.content
    pressed = await grace.presses(sure, "Delete all of it")
    done = await pressed.answer()
    assert "deleted" in done.content
    assert done.ephemeral


async def test_history_and_knowledge_are_there(lab: Lab) -> None:
    for command in ("history", "knowledge"):
        asked = await lab.ada.invokes(lab.general, command)
        assert (await asked.answer()).ephemeral


async def test_commands_work_in_direct_messages(lab: Lab) -> None:
    asked = await lab.ada.invokes(lab.ada.dm, "ask", {"question": QUESTION})
    assert ANSWER in (await asked.answer()).content


async def test_an_answer_too_late_for_its_command_stands_in_the_channel_and_names_the_asker(lab: Lab) -> None:
    channel = lab.guild.channel("late")
    with lab.discord.hold("PATCH /webhooks/*/*/messages/@original"):
        asked = await lab.ada.invokes(channel, "ask", {"question": QUESTION})
        await asked.response()
        lab.discord.expire(asked)
    await lab.discord.until(lambda: any("[1] Office" in message.content for message in channel.bot_messages))
    answer = channel.bot_messages[-1]
    assert ANSWER in answer.content
    assert answer.content.startswith(f"-# For {lab.ada.mention}\n")
    assert answer.pings.nobody


async def test_a_private_answer_too_late_for_its_command_comes_as_a_direct_message(lab: Lab) -> None:
    channel = lab.guild.channel("late")
    grace = lab.guild.member("Grace")
    with lab.discord.hold("PATCH /webhooks/*/*/messages/@original"):
        asked = await grace.invokes(channel, "ask", {"question": QUESTION, "private": True})
        await asked.response()
        lab.discord.expire(asked)
    assert ANSWER in (await grace.dm.next_answer()).content
    assert not channel.bot_messages


async def test_an_interaction_that_comes_twice_is_answered_once(lab: Lab) -> None:
    channel = lab.guild.channel("again")
    asked = await lab.ada.invokes(channel, "ask", {"question": QUESTION})
    await asked.answer()
    await lab.discord.calm()
    before = len(lab.discord.requests)
    await lab.discord.sends("INTERACTION_CREATE", payloads.interaction(asked))
    await lab.discord.calm()
    assert len(lab.discord.requests) == before


async def test_the_commands_fit_what_discord_takes(lab: Lab) -> None:
    names = [command["name"] for command in lab.discord.commands()]
    assert {"ask", "diagnose", "describe", "reload", "stats", "help", "forget", "export", "Answer this"} <= set(names)
    assert not lab.discord.unknown_requests


async def test_commands_are_for_servers_and_for_talks_with_the_bot_alone(lab: Lab) -> None:
    for command in lab.discord.commands():
        assert command["integration_types"] == [0], "nobody brings the bot along where it is no member"
        assert command["contexts"] == ([0] if command["name"] == "people" else [0, 1])
