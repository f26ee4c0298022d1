"""Answers that grow on Slack: by native streams, or by edits where there can be none; also across a restart."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from slack_lab import OPENING, Lab, lab, running_lab

from bot.errors import RateLimitedError
from bot.messages import Button, Citation, Reply

PRINTER = "How do I set up the printer?"
SOURCE = Citation(1, "Opening hours", "…", "handbook.md", "line 3", "", 1.0)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path) as opened:
        yield opened


@pytest.fixture
async def without_streams(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path, streaming=False) as opened:
        yield opened


def methods(lab: Lab) -> list[str]:
    return [call.method for call in lab.slack.calls if call.method.startswith("chat.")]


async def test_a_growing_answer_is_streamed_by_what_is_new(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    place, growing = running.place(thread=question.ts), running.alone("The office", complete=False)
    name = await running.bot.send(place, growing, "key")
    await running.bot.edit(place, name, replace(growing, text="The office is open"))
    whole = running.alone("The office is open. [1]", citations=(SOURCE,), buttons=(Button("👍", "up 1", "feedback"),))
    await running.bot.edit(place, name, whole)
    answer = running.stands(name)
    assert answer.stream is not None
    assert [chunk["text"] for chunk in answer.stream.chunks] == ["The office", " is open", ". [1]"]
    assert answer.stream.stopped
    assert answer.stream.recipient_user == running.ada.id
    assert "Opening hours" in answer.shown
    assert answer.labels == ["👍"]
    assert methods(running) == ["chat.startStream", "chat.appendStream", "chat.stopStream"]


async def test_an_answer_that_changes_its_mind_is_put_right_by_an_edit(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    place = running.place(thread=question.ts)
    name = await running.bot.send(place, running.alone("The office", complete=False), "key")
    await running.bot.edit(place, name, running.alone("Nobody knows.", complete=False))
    await running.bot.edit(place, name, running.alone("Nobody knows that."))
    answer = running.stands(name)
    assert answer.states[-1].shown.strip() == "Nobody knows that."


async def test_a_stream_begins_with_nothing_while_nothing_is_written(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    place = running.place(thread=question.ts)
    name = await running.bot.send(place, Reply("Thinking …", complete=False, route=running.ada.id), "key")
    assert "Thinking" not in running.stands(name).shown
    await running.bot.edit(place, name, running.alone("The office is open."))
    assert running.stands(name).shown == "The office is open."


async def test_a_stream_that_slack_ended_is_finished_by_an_edit(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    place = running.place(thread=question.ts)
    name = await running.bot.send(place, running.alone("The office", complete=False), "key")
    stream = running.stands(name).stream
    assert stream is not None
    stream.stopped = True
    await running.bot.edit(place, name, running.alone("The office is", complete=False))
    await running.bot.edit(place, name, running.alone("The office is open."))
    assert running.stands(name).states[-1].shown.strip() == "The office is open."


async def test_a_stream_that_is_limited_goes_on(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    place = running.place(thread=question.ts)
    name = await running.bot.send(place, running.alone("The office", complete=False), "key")
    running.slack.rate_limit("chat.appendStream", retry_after=7)
    with pytest.raises(RateLimitedError) as limited:
        await running.bot.edit(place, name, running.alone("The office is", complete=False))
    assert limited.value.seconds == 7
    await running.bot.edit(place, name, running.alone("The office is open."))
    assert running.stands(name).shown == "The office is open."


async def test_where_no_stream_can_be_a_message_is_edited(running: Lab) -> None:
    running.slack.fail_next("chat.startStream", error="method_not_supported_for_channel_type")
    answer = await running.ask(PRINTER)
    await answer.becomes("Setting up the printer")
    assert answer.stream is None


async def test_without_streams_one_message_is_posted_and_edited(without_streams: Lab) -> None:
    question = without_streams.general.seed(without_streams.ada, OPENING)
    place = without_streams.place(thread=question.ts)
    name = await without_streams.bot.send(place, Reply("Thinking …", complete=False, route="U1"), "key")
    assert without_streams.stands(name).shown == "Thinking …"
    await without_streams.bot.edit(place, name, without_streams.alone("The office is open."))
    assert without_streams.stands(name).shown == "The office is open."
    assert methods(without_streams) == ["chat.postMessage", "chat.update"]


async def test_a_stream_of_an_earlier_run_is_ended_and_put_right(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        question = opened.general.seed(opened.ada, OPENING)
        place = opened.place(thread=question.ts)
        async with opened.running():
            name = await opened.bot.send(place, opened.alone("The off", complete=False), "key")
        async with opened.running():
            opened.slack.fail_next("chat.update", error="streaming_state_conflict")
            await opened.bot.edit(place, name, opened.alone("The office is open."))
        answer = opened.stands(name)
        assert answer.stream is not None
        assert answer.stream.stopped
        assert answer.states[-1].shown.strip() == "The office is open."
