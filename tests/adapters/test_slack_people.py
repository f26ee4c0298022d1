"""A person instead of the bot, on Slack: set by an admin, called by a button, solved by a ✅ or a press."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from loopback_slack import Message, UserGroup
from slack_lab import Lab, running_lab


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path, access={"admin_roles": ["slack:owner"]}) as opened:
        yield opened


@pytest.fixture
async def support(running: Lab) -> UserGroup:
    """The group that an owner has set for the channel."""
    boss, grace = running.slack.user("Boss", owner=True), running.slack.user("Grace")
    group = running.slack.usergroup("support", [grace])
    await boss.commands(running.general, "/preceptor", f"people <!subteam^{group.id}|@support>")
    assert (await running.general.next_message()).ephemeral_for == boss.id
    return group


async def called(running: Lab, support: UserGroup) -> Message:
    """The message that calls the group, after Ada asked for a person."""
    answer = await running.ask()
    await answer.becomes("Ask a person")
    await running.ada.presses(answer, "Not helpful? Ask a person")
    call = await running.general.message_that(support.mention)
    assert call.thread_ts == answer.thread_ts
    assert "/archives/" in call.shown
    return call


async def test_a_person_is_called_in_the_thread_and_presses_solved(running: Lab, support: UserGroup) -> None:
    call = await called(running, support)
    grace = support.users[0]
    await grace.presses(call, "Solved")
    await call.becomes(lambda message: "Solved" not in message.labels)


@pytest.mark.parametrize("sign", ["white_check_mark", "heavy_check_mark"])
async def test_a_tick_on_the_call_solves_it(running: Lab, support: UserGroup, sign: str) -> None:
    call = await called(running, support)
    await support.users[0].reacts(call, sign)
    await call.becomes(lambda message: "Solved" not in message.labels)


async def test_other_signs_and_ticks_elsewhere_are_no_messages(running: Lab, support: UserGroup) -> None:
    call = await called(running, support)
    await running.calm()
    before = running.accepted
    said = running.general.seed(running.ada, "done")
    await support.users[0].reacts(call, "tada")
    await support.users[0].reacts(said, "white_check_mark")
    await running.calm()
    assert running.accepted == before


async def test_nobody_but_admins_says_who_is_called(running: Lab) -> None:
    await running.ada.commands(running.general, "/preceptor", f"people {running.ada.mention}")
    assert "is for admins" in (await running.general.next_message()).shown


async def test_nobody_has_what_another_asked_alone_shown_to_people(running: Lab, support: UserGroup) -> None:
    await running.ada.commands(running.general, "/ask", "When does the office open?")
    answer = await running.general.next_message()
    number = next(shown.value for shown in answer.buttons if "Ask a person" in shown.label).split()[1]
    mallory = running.slack.user("Mallory")
    await mallory.commands(running.general, "/preceptor", f"person {number}")
    told = await running.general.next_message()
    assert told.ephemeral_for == mallory.id
    assert "office" not in told.shown
