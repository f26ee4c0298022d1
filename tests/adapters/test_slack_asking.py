"""Asking on Slack: every way in, in both modes, and where the answer stands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contract import PICTURE, kept_conversation
from slack_lab import OPENING, PARKING, Lab, running_lab


@pytest.fixture(params=["socket", "http"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Lab]:
    """The bot on Slack, once over Socket Mode and once over HTTP."""
    async with running_lab(tmp_path, request.param) as opened:
        yield opened


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """The bot on Slack, where the mode makes no difference."""
    async with running_lab(tmp_path) as opened:
        yield opened


async def test_a_mention_is_answered_in_its_thread_with_the_source(either: Lab) -> None:
    question = await either.ada.says(either.general, f"<@BOT> {OPENING}")
    answer = await either.general.next_message()
    await answer.becomes("8 in the morning")
    await answer.becomes("Opening hours")
    assert answer.thread_ts == question.ts
    assert answer.labels == ["👍", "👎"]


async def test_a_mention_and_its_message_twin_are_one_question(either: Lab) -> None:
    question = await either.ada.says(either.general, f"<@BOT> {OPENING}")
    assert sorted(delivery.type for delivery in question.deliveries) == ["app_mention", "message"]
    assert all(delivery.acknowledged for delivery in question.deliveries)
    await either.calm()
    assert either.accepted == 1
    assert len(either.general.from_bot) == 1


async def test_a_slash_command_is_answered_for_its_giver_alone_who_can_share_it(either: Lab) -> None:
    grace = either.slack.user("Grace")
    await either.ada.commands(either.general, "/ask", OPENING)
    answer = await either.general.next_message()
    assert "8 in the morning" in answer.shown
    assert answer.ephemeral_for == either.ada.id
    assert answer not in grace.sees(either.general)
    await either.ada.presses(answer, "Share with everyone")
    shared = await either.general.next_message()
    assert "8 in the morning" in shared.shown
    assert "ada" in shared.shown
    assert shared in grace.sees(either.general)


async def test_a_shortcut_answers_the_chosen_message_for_whoever_chose_it(either: Lab) -> None:
    grace = either.slack.user("Grace")
    said = either.general.seed(grace, PARKING)
    await either.ada.uses_shortcut(said, "answer_this")
    answer = await either.general.next_message()
    assert "north side" in answer.shown
    assert answer.ephemeral_for == either.ada.id


async def test_a_direct_message_needs_no_mention_and_is_answered_in_its_thread(lab: Lab) -> None:
    dm = lab.slack.dm(lab.ada)
    question = await lab.ada.says(dm, "What is Newton's first law?")
    answer = await dm.next_message()
    await answer.becomes("at rest")
    assert answer.thread_ts == question.ts
    await lab.ada.says(dm, "and the third one?", thread=question)
    second = await dm.next_message()
    await second.becomes("equal and opposite")
    assert second.thread_ts == question.ts


async def test_each_direct_message_that_is_no_reply_begins_anew(lab: Lab) -> None:
    dm = lab.slack.dm(lab.ada)
    questions = [await lab.ada.says(dm, text) for text in (OPENING, PARKING)]
    await lab.calm()
    kept = [await kept_conversation(lab.settings, f"slack/{dm.id}:{question.ts}") for question in questions]
    assert len(set(kept)) == 2


async def test_a_follow_up_in_the_thread_needs_no_mention(lab: Lab) -> None:
    answer = await lab.ask("What is Newton's first law?")
    await answer.becomes("at rest")
    await lab.ada.says(lab.general, "and the third one?", thread=answer.thread_ts)
    second = await lab.general.next_message()
    await second.becomes("equal and opposite")
    assert second.thread_ts == answer.thread_ts


async def test_what_people_say_to_each_other_in_the_thread_is_left_alone(lab: Lab) -> None:
    grace = lab.slack.user("Grace")
    answer = await lab.ask()
    await answer.becomes("Opening hours")
    await lab.ada.says(lab.general, f"{grace.mention} {PARKING}", thread=answer.thread_ts)
    await lab.calm()
    assert lab.accepted == 1


@pytest.mark.parametrize("text", [PARKING, "hello everybody"])
async def test_what_is_not_said_to_it_is_left_alone(lab: Lab, text: str) -> None:
    opening = await lab.ada.says(lab.general, text)
    await lab.ada.says(lab.general, text, thread=opening.ts)
    await lab.calm()
    assert lab.accepted == 0


async def test_a_reply_that_is_also_sent_to_the_channel_is_a_message_like_any_other(lab: Lab) -> None:
    answer = await lab.ask()
    await answer.becomes("Opening hours")
    await lab.ada.says(lab.general, PARKING, thread=answer.thread_ts, broadcast=True)
    await (await lab.general.next_message()).becomes("north side")


async def test_in_a_private_channel_and_a_group_message_it_answers_when_it_is_mentioned(lab: Lab) -> None:
    private = lab.slack.channel("board", private=True)
    await (await lab.ask(OPENING, private)).becomes("8 in the morning")
    group = lab.slack.group_message([lab.ada, lab.slack.user("Grace")])
    await (await lab.ask(PARKING, group)).becomes("north side")


async def test_bots_are_not_answered(lab: Lab) -> None:
    robot = lab.slack.other_bot("Deploy")
    await robot.says(lab.general, f"<@BOT> {OPENING}")
    await robot.says(lab.slack.dm(lab.ada), OPENING)
    await lab.calm()
    assert lab.accepted == 0


async def test_it_does_not_answer_itself(lab: Lab) -> None:
    answer = await lab.ask(f"{OPENING} and say <@BOT>")
    await answer.becomes("Opening hours")
    await lab.calm()
    assert lab.accepted == 1


async def test_an_edit_that_brings_the_mention_is_a_question(lab: Lab) -> None:
    said = await lab.ada.says(lab.general, OPENING)
    await lab.ada.edits(said, f"<@BOT> {OPENING}")
    answer = await lab.general.next_message()
    await answer.becomes("8 in the morning")
    assert answer.thread_ts == said.ts
    await lab.calm()
    assert lab.accepted == 1


async def test_an_unfolded_link_is_no_edit(lab: Lab) -> None:
    question = await lab.ada.says(lab.general, f"<@BOT> {OPENING} https://example.com")
    await lab.general.next_message()
    await lab.slack.unfurls(question)
    await lab.calm()
    assert lab.accepted == 1


async def test_edits_and_deletions_of_what_it_was_not_asked_are_no_rows(lab: Lab) -> None:
    said = await lab.ada.says(lab.general, "hello")
    await lab.ada.edits(said, "hello everybody")
    await lab.ada.deletes(said)
    await lab.calm()
    assert lab.accepted == 0


async def test_a_deleted_question_takes_its_answer_with_it_also_in_a_direct_message(lab: Lab) -> None:
    dm = lab.slack.dm(lab.ada)
    question = await lab.ada.says(dm, OPENING)
    answer = await dm.next_message()
    await answer.becomes("Opening hours")
    await lab.ada.deletes(question)
    await lab.slack.until(lambda: answer.deleted)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "Ask me in your own words"),
        ("help", "Ask me in your own words"),
        ("HELP", "Ask me in your own words"),
        ("knowledge", "passages"),
        ("forget", "I keep nothing of yours"),
        ("reload", "is for admins"),
        ("stats", "is for admins"),
        ("helo", "There is no command"),
        ("person 1", "There is no command"),
        ("share 1", "There is no command"),
        ("feedback up 1", "There is no command"),
        ("solved 1", "There is no command"),
        ("withdraw", "There is no command"),
    ],
)
async def test_the_collective_command_knows_what_is_meant(lab: Lab, text: str, shown: str) -> None:
    await lab.ada.commands(lab.general, "/preceptor", text)
    answer = await lab.general.next_message()
    assert shown in answer.shown
    assert answer.ephemeral_for == lab.ada.id


async def test_the_collective_command_asks_too(lab: Lab) -> None:
    await lab.ada.commands(lab.general, "/preceptor", f"ask {OPENING}")
    answer = await lab.general.next_message()
    assert "8 in the morning" in answer.shown
    assert answer.ephemeral_for == lab.ada.id


async def test_a_command_without_a_question_says_so(lab: Lab) -> None:
    await lab.ada.commands(lab.general, "/ask", " ")
    answer = await lab.general.next_message()
    assert "question" in answer.shown
    assert answer.ephemeral_for == lab.ada.id


async def test_a_command_works_where_the_bot_is_no_member_and_can_be_shared_there(lab: Lab) -> None:
    elsewhere = lab.slack.channel("elsewhere", bot_is_member=False)
    await lab.ada.commands(elsewhere, "/ask", OPENING)
    answer = await elsewhere.next_message()
    assert "8 in the morning" in answer.shown
    await lab.ada.presses(answer, "Share with everyone")
    shared = await elsewhere.next_message()
    assert "8 in the morning" in shared.shown
    assert not shared.ephemeral_for


async def test_a_picture_that_comes_with_the_message_is_looked_at(lab: Lab) -> None:
    await lab.ada.says(lab.general, "<@BOT> /describe", files=[("holiday.png", PICTURE)])
    answer = await lab.general.next_message()
    await answer.becomes("1 × 1 pixels")
    [picture] = lab.slack.workspace.files.values()
    assert [download.allowed for download in picture.downloads] == [True]


async def test_the_picture_of_a_chosen_message_is_looked_at(lab: Lab) -> None:
    said = await lab.ada.says(lab.general, "look", files=[("holiday.png", PICTURE)])
    await lab.ada.uses_shortcut(said, "describe_image")
    answer = await lab.general.next_message()
    await answer.becomes("1 × 1 pixels")
    assert answer.ephemeral_for == lab.ada.id


async def test_an_answer_of_the_bot_is_no_ticket_into_a_thread_for_what_one_person_asked_alone(lab: Lab) -> None:
    said = await lab.ada.says(lab.general, PARKING)
    await lab.ada.uses_shortcut(said, "answer_this")
    await lab.general.next_message()
    await lab.ada.says(lab.general, OPENING, thread=said.ts)
    await lab.calm()
    assert lab.accepted == 1


async def test_what_is_meant_instead_can_be_pressed(lab: Lab) -> None:
    answer = await lab.ask("Newton's laws of office motion?")
    await answer.becomes("Did you mean")
    offered = next(label for label in answer.labels if "Newton" in label)
    await lab.ada.presses(answer, offered)
    second = await lab.general.next_message()
    await second.becomes("Newton")
    assert second.thread_ts == answer.thread_ts


async def test_shortcuts_buttons_and_events_of_others_are_taken_and_passed_over(lab: Lab) -> None:
    said = lab.general.seed(lab.ada, PARKING)
    assert (await lab.ada.uses_shortcut(said, "translate_this")).acknowledged
    assert (await lab.ada.uses_global_shortcut("open_everything")).acknowledged
    assert (await lab.slack.send_event({"type": "telepathy_changed", "event_ts": "1.0"}))[0].acknowledged
    await lab.calm()
    assert lab.accepted == 0
