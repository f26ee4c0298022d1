"""What was asked on Slack while it did not reach the bot for longer than it repeats."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from busy_records import BusyRecords
from loopback_slack import Channel, Message
from loopback_slack.faults import Fault
from slack_bolt.app.async_app import AsyncApp
from slack_lab import OPENING, PARKING, Lab, lab
from structlog.testing import capture_logs

from adapters.slack import SlackAdapter
from adapters.slack.socket_mode import SocketMode
from adapters.slack.web import Web
from bot.adapter import AdapterSetup

ANSWER = "8 in the morning"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path) as opened:
        yield opened


async def _caught_up(desk: Lab, logged: list[Any]) -> None:
    async with asyncio.timeout(15):
        while not any(line["event"] == "caught up" for line in logged):  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.02)
    await desk.calm()


async def _starts_again(desk: Lab) -> list[Any]:
    with capture_logs() as logged:
        async with desk.running():
            await _caught_up(desk, logged)
    return logged


def _threads(channel: Channel) -> list[str]:
    """The threads in which the bot's messages stand."""
    return [message.thread_ts for message in channel.from_bot]


def _missed(desk: Lab, text: str, channel: Channel | None = None, thread: str | Message = "") -> Message:
    """Have Ada say what no event tells of any more: Slack has given up."""
    return (channel or desk.general).seed(desk.ada, text, thread)


async def test_what_slack_gave_up_to_tell_is_answered_once(desk: Lab) -> None:
    async with desk.running():
        first = await desk.ask(PARKING)
    missed = [_missed(desk, f"<@BOT> {text}") for text in (OPENING, "Who was Newton?")]
    _missed(desk, "Nobody there?")
    for _ in range(2):
        await _starts_again(desk)
        assert sorted(_threads(desk.general)) == [first.thread_ts, *(message.ts for message in missed)]
    await desk.general.message_that(ANSWER)


async def test_an_event_that_comes_after_all_is_the_same_question(desk: Lab) -> None:
    async with desk.running():
        await desk.ask(PARKING)
    late = await desk.ada.says(desk.general, f"<@BOT> {OPENING}")
    await _starts_again(desk)
    assert _threads(desk.general).count(late.ts) == 1


async def test_follow_ups_and_direct_messages_are_caught_up_too(desk: Lab) -> None:
    talk = _missed(desk, "Who has the key?")
    before = _missed(desk, "I have not.", thread=talk)
    direct = desk.slack.dm(desk.ada)
    async with desk.running():
        await desk.ask(PARKING, thread=talk)
        await desk.ask(PARKING, direct)
    _missed(desk, "When does the office open?", thread=talk)
    asked = _missed(desk, OPENING, direct)
    below = _missed(desk, PARKING, direct, thread=asked)
    await _starts_again(desk)
    assert _threads(desk.general) == [talk.ts, talk.ts], f"and {before} was none of the bot's business"
    assert _threads(direct)[1:] == [asked.ts, asked.ts], f"{below} is answered below its question"


async def test_what_the_bot_answered_before_its_database_was_lost_is_not_answered_again(desk: Lab) -> None:
    name = f"slack/{desk.slack.team}/{desk.general.id}"
    catch_up = desk.settings.catch_up.model_copy(update={"channels": (name,)})
    desk.settings = desk.settings.model_copy(update={"catch_up": catch_up})
    async with desk.running():
        answered = await desk.ask(PARKING)
        await desk.calm()
    desk.settings.database_file.unlink()
    missed = _missed(desk, f"<@BOT> {OPENING}")
    await _starts_again(desk)
    assert _threads(desk.general) == [answered.thread_ts, missed.ts]


async def test_without_the_scope_it_is_a_line_in_the_log_and_the_rest_is_read(desk: Lab) -> None:
    direct = desk.slack.dm(desk.ada)
    async with desk.running():
        await desk.ask(PARKING)
        await desk.ask(PARKING, direct)
    asked = _missed(desk, OPENING, direct)
    desk.slack.scopes.discard("channels:history")
    logged = await _starts_again(desk)
    assert any("missing_scope channels:history" in str(line.get("reason")) for line in logged)
    assert _threads(direct)[1:] == [asked.ts]


def _reads(desk: Lab, **settings: Any) -> None:
    catch_up = desk.settings.catch_up.model_copy(update=settings)
    desk.settings = desk.settings.model_copy(update={"catch_up": catch_up})


async def test_of_a_busy_channel_and_thread_the_latest_messages_are_read(desk: Lab) -> None:
    _reads(desk, messages=3)
    talk = _missed(desk, "Who has the key?")
    async with desk.running():
        await desk.ask(PARKING, thread=talk)
    for place in ("", talk):
        for number in range(5):
            _missed(desk, f"Nor have I, {number}.", thread=place)
    above, below = (_missed(desk, f"<@BOT> {OPENING}", thread=place) for place in ("", talk))
    await _starts_again(desk)
    assert _threads(desk.general).count(above.ts) == 1
    assert len([message for message in desk.general.from_bot if ANSWER in message.shown]) == 2, below


async def test_where_slack_gives_less_at_a_time_than_was_asked_for_it_is_asked_for_the_rest(desk: Lab) -> None:
    async with desk.running():
        first = await desk.ask(PARKING)
    desk.slack.largest_page = 2
    missed = [_missed(desk, f"<@BOT> {text}") for text in (OPENING, "Who was Newton?", OPENING, PARKING, OPENING)]
    await _starts_again(desk)
    assert sorted(_threads(desk.general)) == [first.thread_ts, *(message.ts for message in missed)]


async def test_who_asks_on_below_a_missed_question_has_both_answered(desk: Lab) -> None:
    async with desk.running():
        await desk.ask(PARKING)
        missed = _missed(desk, f"<@BOT> {OPENING}")
        await desk.ask("Are you there? Where do visitors park?", thread=missed)
    await _starts_again(desk)
    assert _threads(desk.general)[1:] == [missed.ts, missed.ts]
    await desk.general.message_that(ANSWER)


async def test_one_odd_message_does_not_keep_the_others_from_being_read(desk: Lab) -> None:
    other = desk.slack.channel("other")
    async with desk.running():
        await desk.ask(PARKING, other)
        await desk.ask(PARKING)
    missed = [_missed(desk, f"<@BOT> {OPENING}", channel) for channel in (desk.general, other)]
    odd = {"type": "message", "ts": missed[0].ts, "user": desk.ada.id, "text": "a secret", "reply_users": 7}
    desk.slack.faults.add("conversations.history", Fault(answer={"ok": True, "messages": [odd]}))
    logged = await _starts_again(desk)
    assert _threads(other)[1:] == [missed[1].ts]
    assert "a secret" not in str(logged)


@pytest.mark.parametrize("trouble", [{"status": 503}, {"error": "internal_error"}, {"loses_answer": True}])
async def test_a_moment_of_trouble_with_slack_does_not_cost_a_question(desk: Lab, trouble: dict[str, Any]) -> None:
    async with desk.running():
        await desk.ask(PARKING)
    missed = _missed(desk, f"<@BOT> {OPENING}")
    desk.slack.faults.add("conversations.history", Fault(**trouble))
    await _starts_again(desk)
    assert _threads(desk.general)[1:] == [missed.ts]


async def test_a_database_that_is_busy_for_a_moment_does_not_cost_a_question(desk: Lab) -> None:
    _missed(desk, f"<@BOT> {OPENING}")
    records = BusyRecords(desk.place())
    bot = SlackAdapter.create(AdapterSetup(desk.settings, cast("Any", None), str, records=records))
    with capture_logs() as logged:
        await bot.start(records.accept)
        try:
            async with asyncio.timeout(10):
                while not any(line.get("messages") == 1 for line in logged):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            await bot.stop()


async def test_slacks_limits_are_obeyed(desk: Lab) -> None:
    async with desk.running():
        await desk.ask(PARKING)
    missed = _missed(desk, f"<@BOT> {OPENING}")
    desk.slack.rate_limit("conversations.history", retry_after=1)
    await _starts_again(desk)
    first, second = desk.slack.calls_of("conversations.history")
    assert second.at - first.at >= 1
    assert _threads(desk.general)[1:] == [missed.ts]


async def _gap(desk: Lab, gap_seconds: float, back: asyncio.Event) -> None:
    """Cut the line and have Slack turn the bot away once, so that it is gone for more than a second."""
    web = Web(desk.settings.slack)
    await web.open()
    line = SocketMode(AsyncApp(client=web.client), web, back.set, ping_seconds=0.2, gap_seconds=gap_seconds)
    try:
        with capture_logs() as logged:
            await line.connect(await web.socket_address())
            assert not back.is_set()
            desk.slack.fail_next("apps.connections.open", status=503)
            desk.slack.drop_connections()
            async with asyncio.timeout(10):
                while [line["event"] for line in logged].count("slack connected") < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
    finally:
        await line.close()
        await web.close()


@pytest.mark.parametrize(("gap_seconds", "is_told"), [(0.3, True), (60.0, False)])
async def test_a_line_that_was_away_for_long_is_a_reason_to_look_again(
    desk: Lab, gap_seconds: float, is_told: bool
) -> None:
    back = asyncio.Event()
    await _gap(desk, gap_seconds, back)
    assert back.is_set() == is_told
