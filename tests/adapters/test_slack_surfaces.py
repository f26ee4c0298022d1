"""What Slack has besides messages: the Assistant container, the status in a thread, App Home."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slack_lab import OPENING, Lab, running_lab

from bot.messages import Author, IncomingMessage


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path) as opened:
        yield opened


async def test_whoever_opens_the_assistant_is_greeted_and_shown_what_to_ask(running: Lab) -> None:
    thread = await running.ada.opens_assistant()
    greeting = await thread.channel.next_message()
    assert greeting.thread_ts == thread.ts
    assert "Ask me anything" in greeting.shown
    await running.slack.until(lambda: thread.prompts)
    assert 0 < len(thread.prompts) <= 4
    assert all(prompt["title"] and prompt["message"] for prompt in thread.prompts)


async def test_whoever_opens_the_assistant_is_greeted_once_though_slack_tells_it_twice(running: Lab) -> None:
    thread = await running.ada.opens_assistant()
    await thread.channel.next_message()
    [told] = [one for one in running.slack.deliveries if one.type == "assistant_thread_started"]
    assert (await running.slack.redeliver(told)).acknowledged
    await running.ask()
    assert len(thread.channel.from_bot) == 1


async def test_the_first_question_gives_the_thread_its_title(running: Lab) -> None:
    thread = await running.ada.opens_assistant()
    await thread.channel.next_message()
    await running.ada.says(thread.channel, OPENING, thread=thread.ts)
    answer = await thread.channel.next_message()
    await answer.becomes("8 in the morning")
    assert answer.thread_ts == thread.ts
    await running.slack.until(lambda: thread.title)
    assert thread.title == OPENING
    await running.ada.says(thread.channel, "and where do visitors park?", thread=thread.ts)
    await (await thread.channel.next_message()).becomes("north side")
    assert len(thread.titles) == 1


async def test_a_conversation_in_the_assistant_goes_on(running: Lab) -> None:
    thread = await running.ada.opens_assistant()
    await thread.channel.next_message()
    await running.ada.says(thread.channel, "What is Newton's first law?", thread=thread.ts)
    await (await thread.channel.next_message()).becomes("at rest")
    await running.ada.says(thread.channel, "and the third one?", thread=thread.ts)
    await (await thread.channel.next_message()).becomes("equal and opposite")


def asked(running: Lab, thread: str) -> IncomingMessage:
    dm = running.slack.dm(running.ada)
    return IncomingMessage("key", running.place(dm, thread), Author(running.ada.id), OPENING, route=running.ada.id)


async def test_while_an_answer_takes_its_time_the_thread_says_so(running: Lab) -> None:
    thread = await running.ada.opens_assistant()
    async with running.bot.working(asked(running, thread.ts)):
        await running.slack.until(lambda: "looking" in thread.status)
    await running.slack.until(lambda: not thread.status)


async def test_an_answer_that_comes_at_once_needs_no_announcement(running: Lab) -> None:
    thread = await running.ada.opens_assistant()
    async with running.bot.working(asked(running, thread.ts)):
        pass
    await running.bot.stop()
    assert not running.slack.calls_of("assistant.threads.setStatus")


@pytest.mark.parametrize("error", ["invalid_thread_ts", "missing_scope", "not_allowed_token_type"])
async def test_a_status_that_cannot_be_set_harms_nobody(running: Lab, error: str) -> None:
    running.slack.fail_next("assistant.threads.setStatus", times=2, error=error)
    async with running.bot.working(asked(running, "1.0")):
        await running.slack.until(lambda: running.slack.calls_of("assistant.threads.setStatus"))
    await running.ask()
    closed = asyncio.create_task(running.bot.closed())
    assert not (await asyncio.wait((closed,), timeout=0.1))[0]
    closed.cancel()


async def test_an_assistant_that_may_do_nothing_still_answers(running: Lab) -> None:
    running.slack.fail_next("assistant.threads.*", times=50, error="missing_scope")
    thread = await running.ada.opens_assistant()
    await thread.channel.next_message()
    await running.ada.says(thread.channel, OPENING, thread=thread.ts)
    await (await thread.channel.next_message()).becomes("8 in the morning")


async def test_home_says_what_it_knows_how_to_ask_and_what_it_keeps(running: Lab) -> None:
    await running.ada.opens_home()
    await running.slack.until(lambda: running.ada.home)
    home = running.ada.home
    assert home is not None
    said = str(home.content)
    for expected in ("What I know", "passages", "How to ask", "/ask", "My data"):
        assert expected in said
    assert [button.label for button in home.buttons] == ["Send me my data", "Forget me …"]


async def test_from_home_one_can_be_forgotten(running: Lab) -> None:
    await (await running.ask()).becomes("👍")
    await running.calm()
    await running.ada.opens_home()
    await running.slack.until(lambda: running.ada.home)
    home, dm = running.ada.home, running.slack.dm(running.ada)
    assert home is not None
    await running.ada.presses(home, "Forget me …")
    sure = await dm.next_message()
    assert "I keep 1 conversation" in sure.shown
    await running.ada.presses(sure, "Delete all of it")
    assert "deleted" in (await dm.next_message()).shown


async def test_from_home_one_gets_all_that_is_kept(running: Lab) -> None:
    await (await running.ask()).becomes("👍")
    await running.calm()
    await running.ada.opens_home()
    await running.slack.until(lambda: running.ada.home)
    assert running.ada.home is not None
    await running.ada.presses(running.ada.home, "Send me my data")
    await running.slack.until(lambda: [file for file in running.slack.workspace.files.values() if file.shared])


async def test_the_messages_tab_of_the_newer_kind_offers_what_to_ask(running: Lab) -> None:
    await running.ada.opens_home("messages")
    [call] = await running.slack.until(lambda: running.slack.calls_of("assistant.threads.setSuggestedPrompts"))
    assert call.arguments["channel_id"] == running.slack.dm(running.ada).id
    assert "thread_ts" not in call.arguments


async def test_thousands_who_open_their_home_at_once_do_not_pile_up(running: Lab) -> None:
    running.slack.slow("views.publish", 0.2, times=2_000)
    await asyncio.gather(*(running.ada.opens_home() for _ in range(600)))
    await (await running.ask()).becomes("8 in the morning")
