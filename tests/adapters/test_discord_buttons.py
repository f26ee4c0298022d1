"""Buttons and reactions on Discord: verdicts, a person instead, sharing; and what is left of them after a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from discord_lab import Lab, Permission, lab, running_lab
from loopback_discord import Channel, Member, Message

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "When does the office open?"
ANSWER = "8 in the morning"
PERSON = "Not helpful? Ask a person"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """A bot whose admins are those who manage the server."""
    folder = tmp_path_factory.mktemp("buttons")
    async with running_lab(folder, access={"admin_roles": ("discord:manage_server",)}) as opened:
        yield opened


async def _help_desk(lab: Lab, who: str) -> Channel:
    """Give a channel in which `who` is called when somebody asks for a person."""
    channel = lab.guild.channel("help desk")
    chief = lab.guild.member("Chief", permissions=Permission.MANAGE_GUILD)
    asked = await chief.invokes(channel, "people", {"who": who})
    assert "From now on I call" in (await asked.answer()).content
    return channel


async def _person_asked(lab: Lab, channel: Channel) -> Message:
    answer = await lab.ask(QUESTION, channel)
    await lab.ada.presses(answer, PERSON)
    return await channel.next_answer()


async def test_a_verdict_is_noted_and_thanked_for_privately(desk: Lab) -> None:
    answer = await desk.ask()
    before = answer.content
    pressed = await desk.ada.presses(answer, "👍")
    response = await pressed.response()
    assert response.kind == 6, "a press changes nothing that can be seen"
    thanks = await pressed.answer()
    assert "Thanks" in thanks.content
    assert thanks.ephemeral
    assert answer.content == before


async def test_a_private_answer_can_be_shared_with_everyone(desk: Lab) -> None:
    channel = desk.guild.channel("sharing")
    asked = await desk.ada.invokes(channel, "ask", {"question": QUESTION, "private": True})
    await desk.ada.presses(await asked.answer(), "Share with everyone")
    shared = await channel.next_answer()
    assert ANSWER in shared.content
    assert "Ada" in shared.content
    assert shared.pings.nobody


async def test_a_person_is_called_and_nobody_else_is_pinged(desk: Lab) -> None:
    grace = desk.guild.member("Grace")
    experts = desk.guild.role("Experts")
    channel = await _help_desk(desk, f"{grace.mention} {experts.mention}")
    call = await _person_asked(desk, channel)
    assert call.pings.users == {grace.id}
    assert call.pings.roles == {experts.id}
    assert "Ada" in call.content
    assert f"https://discord.com/channels/{desk.guild.id}/{channel.id}/" in call.content


async def test_a_check_mark_of_who_was_called_solves_it(desk: Lab) -> None:
    grace = desk.guild.member("Grace")
    channel = await _help_desk(desk, grace.mention)
    call = await _person_asked(desk, channel)
    await desk.ada.reacts(call, "🎉")
    await grace.reacts(call, "✅")
    await desk.discord.until(lambda: not call.buttons)
    assert "olved" in call.content


async def test_the_button_solves_it_too(desk: Lab) -> None:
    grace = desk.guild.member("Grace")
    channel = await _help_desk(desk, grace.mention)
    call = await _person_asked(desk, channel)
    await grace.presses(call, "Solved")
    await desk.discord.until(lambda: not call.buttons)
    assert "olved" in call.content


async def test_where_it_may_not_write_a_press_is_answered_with_what_is_missing(desk: Lab) -> None:
    grace = desk.guild.member("Grace")
    channel = await _help_desk(desk, grace.mention)
    channel.deny(desk.guild.bot, Permission.SEND_MESSAGES)
    asked = await desk.ada.invokes(channel, "ask", {"question": QUESTION})
    await desk.discord.until(lambda: any(message.buttons for message in asked.messages))
    pressed = await desk.ada.presses(asked.messages[0], PERSON)
    told = await pressed.answer()
    assert "“Send Messages”" in told.content
    assert told.ephemeral


async def test_where_nobody_is_set_no_person_is_offered(desk: Lab) -> None:
    answer = await desk.ask(QUESTION, desk.guild.channel("alone"))
    assert PERSON not in [button["label"] for button in answer.buttons]


async def test_everyone_cannot_be_set_as_the_person(desk: Lab) -> None:
    chief = desk.guild.member("Chief", permissions=Permission.MANAGE_GUILD)
    asked = await chief.invokes(desk.general, "people", {"who": f"<@&{desk.guild.id}>"})
    assert "which I never do" in (await asked.answer()).content


async def test_a_title_that_is_offered_instead_asks_it(tmp_path: Path) -> None:
    async with running_lab(tmp_path, answers={"threshold": 1.0}) as opened:
        answer = await opened.ask("Where do visitors park?")
        assert "Did you mean" in answer.content
        title = answer.buttons[0]["label"]
        await opened.ada.presses(answer, title)
        again = await opened.general.next_answer()
        assert again.reference is answer
        assert "I don't know" in again.content


async def _pressed_after_a_restart(opened: Lab, presser: Member, answer: Message, button: str) -> Message:
    async with opened.running():
        pressed = await presser.presses(answer, button)
        await pressed.response()
        return await pressed.answer()


async def test_buttons_still_work_after_a_restart(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        async with opened.running():
            answer = await opened.ask()
        thanks = await _pressed_after_a_restart(opened, opened.ada, answer, "👎")
        assert "Thanks" in thanks.content
        assert thanks.ephemeral


async def test_buttons_of_private_answers_still_work_after_a_restart(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        async with opened.running():
            asked = await opened.ada.invokes(opened.general, "ask", {"question": QUESTION, "private": True})
            answer = await asked.answer()
        async with opened.running():
            await opened.ada.presses(answer, "Share with everyone")
            assert ANSWER in (await opened.general.next_answer()).content


async def test_what_is_pressed_under_a_private_answer_is_answered_privately(tmp_path: Path) -> None:
    async with running_lab(tmp_path, answers={"threshold": 1.0}) as lab:
        asked = await lab.ada.invokes(lab.general, "ask", {"question": "Where do visitors park?", "private": True})
        meant = next(button["label"] for button in (await asked.answer()).buttons if "Parking" in button["label"])
        pressed = await lab.ada.presses(await asked.answer(), meant)
        assert (await pressed.answer()).ephemeral
        assert not lab.general.messages
