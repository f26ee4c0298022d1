"""How answers get to Slack: streamed, edited, split, shown to one person, taken up again after a restart."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contract import LONG_ANSWER
from slack_lab import OPENING, PARKING, Lab, lab, running_lab
from slack_sdk.models.blocks import SectionBlock
from structlog.testing import capture_logs

from bot.errors import DeliveryRefusedError, RateLimitedError
from bot.messages import Button, Citation, File, Place, Reply

PRINTER = "How do I set up the printer?"


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path) as opened:
        yield opened


@pytest.fixture
async def without_streams(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path, streaming=False) as opened:
        yield opened


def citation(number: int, title: str = "Opening hours", url: str = "") -> Citation:
    return Citation(number, title, "…", "handbook.md", "line 3", url, 1.0)


# What an answer holds


async def test_a_long_answer_arrives_in_several_messages_with_the_sources_under_the_last(running: Lab) -> None:
    await running.ada.says(running.general, f"<@BOT> {PRINTER}")
    last = await running.general.message_that("That is all.")
    await last.becomes("👍")
    answers = running.general.from_bot
    assert len(answers) > 1
    assert all("👍" not in answer.labels for answer in answers[:-1])
    assert "[1] How do I set up the printer?" in last.shown
    assert len({answer.thread_ts for answer in answers}) == 1


async def test_each_part_of_an_answer_fits_into_a_section(running: Lab) -> None:
    parts = running.bot.parts(Reply(LONG_ANSWER * 3, mentions=("user:U1", "group:S1")))
    assert [part.part for part in parts] == list(range(len(parts)))
    for part in parts:
        await running.bot.send(running.place(), part, f"key {part.part}")
    for answer in running.general.from_bot:
        sections = [block for block in answer.blocks if block["type"] == "section"]
        assert all(len(section["text"]["text"]) <= SectionBlock.text_max_length for section in sections)
    assert "<@U1> <!subteam^S1> " in running.general.from_bot[0].shown
    assert all("<@U1>" not in answer.shown for answer in running.general.from_bot[1:])


async def test_sources_are_links_where_they_have_an_address_and_places_where_not(running: Lab) -> None:
    sources = (
        citation(1, "A <b>title</b>", "https://example.com/a?b=1&c=2"),
        citation(2),
        citation(3, "Bad", "javascript:x"),
    )
    name = await running.bot.send(running.place(), running.alone("It is so [1][2][3].", citations=sources), "key")
    [context] = [block for block in running.stands(name).blocks if block["type"] == "context"]
    first, second, third = (element["text"] for element in context["elements"])
    assert first == "[1] <https://example.com/a?b=1&amp;c=2|A &lt;b&gt;title&lt;/b&gt;>"
    assert second.startswith("[2] Opening hours · handbook")
    assert "line 3" in second
    assert "<" not in third


async def test_who_wrote_an_answer_stands_under_its_sources_as_plain_text(running: Lab) -> None:
    written = running.alone("It is so [1].", citations=(citation(1),), note="Written by <!here> *flan-t5-small*.")
    name = await running.bot.send(running.place(), written, "key")
    _, note = [block for block in running.stands(name).blocks if block["type"] == "context"]
    assert note["elements"] == [{"type": "plain_text", "text": "Written by <!here> *flan-t5-small*."}]


async def test_forty_sources_and_thirty_buttons_are_taken_by_slack(running: Lab) -> None:
    whole = running.alone(
        "So.",
        citations=tuple(citation(number) for number in range(1, 41)),
        buttons=tuple(Button("a label " * 20, f"{number}", "ask") for number in range(30)),
    )
    name = await running.bot.send(running.place(), whole, "key")
    assert len(running.stands(name).buttons) == 30


@pytest.mark.parametrize(
    "calling", ["<!channel>", "<!here>", "<!everyone>", "<!subteam^S1>", "<@U0LOOPBOT>", "@channel", "@here"]
)
@pytest.mark.parametrize("complete", [True, False])
async def test_nothing_that_an_answer_quotes_calls_anybody(running: Lab, calling: str, complete: bool) -> None:
    question = running.general.seed(running.ada, OPENING)
    place = running.place(thread=question.ts)
    # In code a bare word is only a word, even to clients that make mentions of such.
    code = f"`{calling}`" if calling.startswith("<") else ""
    quoted = running.alone(f"{calling} {code} [{calling}](https://example.com)", citations=(citation(1, calling),))
    name = await running.bot.send(place, replace(quoted, complete=complete), "key")
    await running.bot.edit(place, name, quoted)
    answer = running.stands(name)
    said = repr([answer.text, answer.blocks, answer.stream.text if answer.stream else ""])
    assert calling not in said


async def test_whom_a_reply_calls_is_called_and_nobody_else(running: Lab) -> None:
    support = running.slack.usergroup("support", [running.ada])
    calls = (f"user:{running.ada.id}", f"group:{support.id}", "role:42", "user:<!channel>")
    name = await running.bot.send(running.place(), running.alone("Please help.", mentions=calls), "key")
    assert running.stands(name).shown == f"{running.ada.mention} {support.mention} Please help."


async def test_links_are_not_unfolded(running: Lab) -> None:
    await running.bot.send(running.place(), running.alone("See https://example.com"), "key")
    [call] = running.slack.calls_of("chat.postMessage")
    assert call.arguments["unfurl_links"] is False
    assert call.arguments["unfurl_media"] is False


async def test_an_answer_whose_blocks_slack_does_not_take_is_there_without_them(running: Lab) -> None:
    running.slack.fail_next("chat.postMessage", error="invalid_blocks")
    name = await running.bot.send(running.place(), running.alone("The office is open."), "key")
    assert running.stands(name).shown == "The office is open."


# Once and not twice


async def test_an_answer_whose_arrival_was_not_confirmed_is_found_and_not_sent_again(without_streams: Lab) -> None:
    without_streams.slack.lose_answer("chat.postMessage")
    answer = await without_streams.ask()
    await answer.becomes("👍")
    await without_streams.calm()
    assert len(without_streams.general.from_bot) == 1


async def test_an_answer_that_may_not_be_looked_for_is_given_all_the_same(without_streams: Lab) -> None:
    without_streams.slack.scopes.discard("channels:history")
    without_streams.slack.fail_next("chat.postMessage", status=503)
    with capture_logs() as logged:
        await (await without_streams.ask()).becomes("👍")
        await without_streams.calm()
    assert len(without_streams.general.from_bot) == 1
    assert any(line.get("missing") == "channels:history" for line in logged)


async def test_a_stream_whose_beginning_was_not_confirmed_is_found_and_finished(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    place, growing = running.place(thread=question.ts), running.alone("The office", complete=False)
    growing = replace(growing, in_reply_to=f"{running.general.id}:{question.ts}")
    name = await running.bot.send(place, growing, "key")
    assert await running.bot.find(place, replace(growing, text="The office is open.", complete=True), "key") == name


async def test_it_is_found_also_where_slack_gives_little_at_a_time(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    for number in range(5):
        running.general.seed(running.ada, f"{number} is a number.", question)
    place = running.place(thread=question.ts)
    reply = running.alone("The office is open.", in_reply_to=f"{running.general.id}:{question.ts}")
    name = await running.bot.send(place, reply, "key")
    running.slack.largest_page = 2
    assert await running.bot.find(place, reply, "key") == name


async def test_what_was_said_under_another_key_is_not_taken_for_it(running: Lab) -> None:
    place = running.place()
    reply = running.alone("The office is open.")
    name = await running.bot.send(place, reply, "one")
    assert await running.bot.find(place, reply, "one") == name
    assert not await running.bot.find(place, reply, "other")


async def test_an_answer_that_was_accepted_before_a_restart_is_given_after_it(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        async with opened.running():
            opened.slack.fail_next("chat.*", times=50, status=503)
            await opened.ada.says(opened.general, f"<@BOT> {OPENING}")
        opened.slack.faults.clear()
        async with opened.running():
            answer = await opened.general.next_message()
            await answer.becomes("8 in the morning")
            await opened.calm()
        assert len([one for one in opened.general.from_bot if not one.deleted]) == 1


async def test_buttons_still_work_after_a_restart(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        async with opened.running():
            answer = await opened.ask()
            await answer.becomes("👍")
            await opened.calm()
        async with opened.running():
            await opened.ada.presses(answer, "👍")
            thanks = await opened.general.message_that(lambda one: one.ephemeral_for == opened.ada.id)
            assert "hank" in thanks.shown


# For one person's eyes


async def test_a_reply_for_one_person_in_a_channel_is_seen_by_them_alone(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    reply = running.alone("Only you.", ephemeral=True, in_reply_to=f"{running.general.id}:{question.ts}")
    await running.bot.send(running.place(thread=question.ts), reply, "key")
    [shown] = running.general.from_bot
    assert shown.ephemeral_for == running.ada.id
    # In a thread that nobody opened yet Slack would show it to nobody.
    assert not shown.thread_ts


async def test_a_reply_for_one_person_in_a_running_thread_is_shown_there(running: Lab) -> None:
    opening = running.general.seed(running.ada, OPENING)
    question = running.general.seed(running.ada, PARKING, thread=opening)
    reply = running.alone("Only you.", ephemeral=True, in_reply_to=f"{running.general.id}:{question.ts}")
    await running.bot.send(running.place(thread=opening.ts), reply, "key")
    assert running.general.from_bot[0].thread_ts == opening.ts


async def test_who_is_not_in_the_channel_gets_a_direct_message(running: Lab) -> None:
    board = running.slack.channel("board", private=True, members=[])
    await running.bot.send(running.place(board), running.alone("Only you.", ephemeral=True), "key")
    [told] = running.slack.dm(running.ada).from_bot
    assert told.shown == "Only you."
    assert not board.from_bot


async def test_what_is_private_anyway_is_an_ordinary_message(running: Lab) -> None:
    dm = running.slack.dm(running.ada)
    name = await running.bot.send(running.place(dm), running.alone("Only you.", ephemeral=True), "key")
    assert not running.stands(name).ephemeral_for


async def test_a_response_url_that_is_too_old_is_no_reason_for_silence(running: Lab) -> None:
    given = await running.ada.commands(running.general, "/ask", OPENING)
    await running.general.next_message()
    running.slack.pass_time(1_801)
    late = running.alone("Late.", ephemeral=True, route=f"{running.ada.id} {given.response_url}")
    await running.bot.send(running.place(), late, "key")
    assert (await running.general.next_message()).ephemeral_for == running.ada.id


async def test_an_answer_to_a_command_among_two_people_comes_to_whoever_gave_it_when_its_url_is_too_old(
    running: Lab,
) -> None:
    theirs = Place("slack", running.slack.team, "D0THEIRS")
    await running.bot.send(theirs, running.alone("Late.", ephemeral=True), "key")
    [told] = running.slack.dm(running.ada).from_bot
    assert told.shown == "Late."


async def test_nothing_is_posted_to_a_response_url_elsewhere(running: Lab) -> None:
    reached = asyncio.Event()

    async def reach(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        writer.close()

    elsewhere = await asyncio.start_server(reach, "127.0.0.1")
    async with elsewhere:
        url = f"http://127.0.0.1:{elsewhere.sockets[0].getsockname()[1]}/response/1"
        reply = running.alone("Only you.", ephemeral=True, route=f"{running.ada.id} {url}")
        await running.bot.send(running.place(), reply, "key")
    assert not reached.is_set()
    assert (await running.general.next_message()).ephemeral_for == running.ada.id


async def test_what_one_person_saw_is_put_right_by_another_message_and_not_taken_back(running: Lab) -> None:
    reply = running.alone("Only you.", ephemeral=True)
    name = await running.bot.send(running.place(), reply, "key")
    await running.bot.edit(running.place(), name, replace(reply, text="Only you, again."))
    await running.bot.delete(running.place(), name)
    assert [one.shown for one in running.general.from_bot] == ["Only you.", "Only you, again."]


async def test_what_is_kept_of_somebody_comes_as_a_file_into_their_direct_messages(running: Lab) -> None:
    await (await running.ask()).becomes("👍")
    await running.calm()
    await running.ada.commands(running.general, "/preceptor", "export")
    await running.slack.until(lambda: [file for file in files(running) if file.shared])
    [export] = files(running)
    assert OPENING in b"".join(export.pieces()).decode()
    assert export.channels == [running.slack.dm(running.ada).id]


def files(lab: Lab) -> list[Any]:
    return list(lab.slack.workspace.files.values())


async def test_a_file_is_handed_over_once_though_the_message_is_tried_twice(running: Lab) -> None:
    reply = running.alone("Here.", ephemeral=True, files=(File("a.json", "application/json", "{}"),))
    running.slack.fail_next("chat.postEphemeral", status=500)
    with pytest.raises(Exception, match="internal_error"):
        await running.bot.send(running.place(), reply, "key")
    await running.bot.send(running.place(), reply, "key")
    assert len(files(running)) == 1


async def test_where_a_file_may_not_be_uploaded_nothing_speaks_of_one(running: Lab) -> None:
    running.slack.scopes.discard("files:write")
    reply = running.alone("Here is your file.", ephemeral=True, files=(File("a.json", "application/json", "{}"),))
    with capture_logs() as logged, pytest.raises(DeliveryRefusedError):
        await running.bot.send(running.place(), reply, "key")
    assert [line["missing"] for line in logged if "missing" in line] == ["files:write"]
    assert not running.general.from_bot
    assert "lacks a permission" in running.slack.dm(running.ada).from_bot[0].shown


async def test_an_edited_question_whose_first_answer_one_person_saw_is_answered_for_all(tmp_path: Path) -> None:
    async with running_lab(tmp_path, answers={"question_length": 60}) as opened:
        question = await opened.ada.says(opened.general, f"<@BOT> {OPENING} {'Really? ' * 10}")
        assert (await opened.general.next_message()).ephemeral_for == opened.ada.id
        await opened.ada.edits(question, f"<@BOT> {OPENING}")
        answer = await opened.general.next_message()
        await answer.becomes("8 in the morning")
        assert not answer.ephemeral_for
        assert answer.thread_ts == question.ts
        await opened.calm()
        await opened.ada.edits(question, f"<@BOT> {PARKING}")
        await answer.becomes("north side")
        await opened.ada.deletes(question)
        await opened.slack.until(lambda: answer.deleted)


# Where it may not write


async def test_who_was_told_that_it_may_not_write_is_not_told_again_within_the_hour(running: Lab) -> None:
    running.general.restriction = "restricted_action"
    await running.bot.send(running.place(), running.alone("One."), "one")
    with pytest.raises(DeliveryRefusedError):
        await running.bot.send(running.place(), running.alone("Two."), "two")
    [told] = running.slack.dm(running.ada).from_bot
    assert f"<#{running.general.id}>" in told.text


@pytest.mark.parametrize(
    "error", ["is_archived", "not_in_channel", "channel_not_found", "restricted_action_thread_only_channel"]
)
async def test_every_way_of_not_being_allowed_is_told(running: Lab, error: str) -> None:
    running.slack.fail_next("chat.postMessage", error=error)
    with capture_logs() as logged:
        name = await running.bot.send(running.place(), running.alone("One."), "one")
    assert running.stands(name).channel is running.slack.dm(running.ada)
    assert any(line.get("missing") == error for line in logged)


@pytest.mark.parametrize("url", ["", " {url}"])
async def test_what_may_not_be_written_is_explained_when_it_is_complete_and_not_while_it_grows(
    running: Lab, url: str
) -> None:
    elsewhere = running.slack.channel("elsewhere", bot_is_member=False)
    given = await running.ada.commands(elsewhere, "/preceptor", "help")
    await elsewhere.next_message()
    before = len(elsewhere.from_bot)
    growing = running.alone("It is", complete=False, route=running.ada.id + url.format(url=given.response_url))
    with pytest.raises(DeliveryRefusedError):
        await running.bot.send(running.place(elsewhere), growing, "key")
    assert not running.slack.dm(running.ada).from_bot
    assert len(elsewhere.from_bot) == before
    await running.bot.send(running.place(elsewhere), replace(growing, text="It is so.", complete=True), "key")
    assert len(elsewhere.from_bot) + len(running.slack.dm(running.ada).from_bot) == before + 1


async def test_a_missing_scope_is_named_in_the_log(running: Lab) -> None:
    running.slack.scopes.discard("chat:write")
    with capture_logs() as logged, pytest.raises(DeliveryRefusedError):
        await running.bot.send(running.place(), running.alone("One."), "one")
    assert any(line.get("missing") == "chat:write" for line in logged)


async def test_an_answer_that_somebody_deleted_is_not_edited_for_ever(running: Lab) -> None:
    name = await running.bot.send(running.place(), running.alone("One."), "one")
    await running.bot.delete(running.place(), name)
    await running.bot.delete(running.place(), name)
    with pytest.raises(DeliveryRefusedError):
        await running.bot.edit(running.place(), name, running.alone("Two."))


async def test_a_limit_whose_seconds_cannot_be_read_is_a_limit(running: Lab) -> None:
    running.slack.rate_limit("chat.postMessage", retry_after="Wed, 21 Oct 2026 07:28:00 GMT")  # type: ignore[arg-type]
    with pytest.raises(RateLimitedError):
        await running.bot.send(running.place(), running.alone("Something."), "key")


async def test_a_limit_is_passed_on_with_its_seconds(running: Lab) -> None:
    running.slack.rate_limit("chat.postMessage", retry_after=3)
    with pytest.raises(RateLimitedError) as limited:
        await running.bot.send(running.place(), running.alone("One."), "one")
    assert limited.value.seconds == 3


async def test_a_message_has_an_address(running: Lab) -> None:
    question = running.general.seed(running.ada, OPENING)
    name = f"{running.general.id}:{question.ts}"
    digits = question.ts.replace(".", "")
    link = await running.bot.link(running.place(thread=question.ts), name)
    assert link.endswith(f"/archives/{running.general.id}/p{digits}")
    assert not await running.bot.link(running.place(), "ephemeral:key")
