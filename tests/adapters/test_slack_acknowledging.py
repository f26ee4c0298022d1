"""What Slack is told of an event, and when: only what is committed is acknowledged, only what Slack sent is heard."""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from loopback_slack import Delivery
from slack_lab import OPENING, PARKING, Lab, lab, running_lab

SOON = 1.0
"""Seconds within which things are acknowledged; sixty at once may take longer on a busy machine, not three."""


@pytest.fixture
async def over_http(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path, "http") as opened:
        yield opened


@pytest.fixture
async def over_socket(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path) as opened:
        yield opened


@pytest.fixture(params=["socket", "http"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path, request.param) as opened:
        yield opened


def address(lab: Lab) -> str:
    if lab.http is None:
        raise RuntimeError("nothing serves HTTP")
    return lab.http.address


# Signatures


@pytest.mark.parametrize("how", ["unsigned", "tampered", "stale"])
async def test_what_slack_did_not_sign_just_now_is_not_heard(over_http: Lab, how: str) -> None:
    attempt = await over_http.slack.forge(how)  # type: ignore[arg-type]
    assert attempt.status == 401
    assert over_http.accepted == 0


@pytest.mark.parametrize("how", ["unsigned", "tampered", "stale"])
async def test_a_command_is_no_less_checked(over_http: Lab, how: str) -> None:
    given = await over_http.ada.commands(over_http.general, "/ask", OPENING)
    before = over_http.accepted
    assert (await over_http.slack.forge(how, given)).status == 401  # type: ignore[arg-type]
    assert over_http.accepted == before


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        (b"yesterday", b"v0=00"),
        (b"\xb2", b"v0=00"),
        (b"9" * 400, b"v0=00"),
        (b"9" * 5_000, b"v0=00"),
        (b"nan", b"v0=00"),
        (None, b"v0=\xe9"),
        (b"", b""),
    ],
)
async def test_garbled_signatures_are_refused_like_any_other(
    over_http: Lab, timestamp: bytes | None, signature: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    now = str(int(time.time())).encode()
    garbled = now if timestamp is None else timestamp
    headers = [(b"X-Slack-Request-Timestamp", garbled), (b"X-Slack-Signature", signature)]
    async with httpx.AsyncClient() as anybody:
        response = await anybody.post(f"{address(over_http)}/slack/events", content=b"{}", headers=headers)
    assert response.status_code == 401
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR", "CRITICAL")]


async def test_who_hangs_up_in_the_middle_of_a_body_leaves_no_traceback(
    over_http: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = address(over_http).removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await (await over_http.ask()).becomes("8 in the morning")
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("{", "application/json"),
        ("[1]", "application/json"),
        ("payload=%7B", "application/x-www-form-urlencoded"),
        ("\xff", ""),
    ],
)
async def test_what_cannot_be_read_is_refused(over_http: Lab, body: str, media_type: str) -> None:
    async with httpx.AsyncClient() as anybody:
        response = await anybody.post(
            f"{address(over_http)}/slack/events", content=body.encode("latin-1"), headers={"Content-Type": media_type}
        )
    assert response.status_code in (400, 401)


async def test_slack_is_shown_that_the_address_is_ours(over_http: Lab) -> None:
    attempt = await over_http.slack.verify_url()
    assert "a-challenge" in str(attempt.answer)


async def test_no_key_of_the_api_is_needed_and_none_is_given_by_it(tmp_path: Path) -> None:
    async with running_lab(tmp_path, "http", http={"user_keys": ["a-key-that-is-long-enough"]}) as opened:
        await (await opened.ask()).becomes("8 in the morning")
        async with httpx.AsyncClient() as anybody:
            assert (await anybody.get(f"{address(opened)}/v1/knowledge")).status_code == 401
            assert (await anybody.post(f"{address(opened)}/slack/elsewhere")).status_code == 404
            assert (await anybody.get(f"{address(opened)}/slack/events")).status_code == 405


async def test_where_slack_does_not_call_there_is_nothing_under_its_address(tmp_path: Path) -> None:
    async with lab(tmp_path, "http") as opened:
        application = opened.application_without_slack()
        http = application.adapter("http")
        async with application.running([http]), httpx.AsyncClient() as anybody:
            response = await anybody.post(f"{http.address}/slack/events", json={})  # type: ignore[attr-defined]
            assert response.status_code == 404


async def test_a_body_that_slack_would_never_send_is_not_read(over_http: Lab) -> None:
    async with httpx.AsyncClient() as anybody:
        response = await anybody.post(f"{address(over_http)}/slack/events", content=b"x" * (2 << 20))
    assert response.status_code == 413


# Again


async def test_an_event_that_comes_again_changes_nothing(either: Lab) -> None:
    question = await either.ada.says(either.general, f"<@BOT> {OPENING}")
    await (await either.general.next_message()).becomes("Opening hours")
    for number, delivery in enumerate(question.deliveries, start=1):
        attempt = await either.slack.redeliver(delivery, number)
        assert attempt.acknowledged
    await either.calm()
    assert either.accepted == 1
    assert len(either.general.from_bot) == 1


async def test_what_could_not_be_committed_is_not_acknowledged_and_comes_again(tmp_path: Path) -> None:
    async with running_lab(tmp_path, "http", database={"busy_seconds": 0}) as opened:
        with sqlite3.connect(opened.settings.database_file) as other:
            other.execute("BEGIN IMMEDIATE")
            question = await opened.ada.says(opened.general, f"<@BOT> {OPENING}")
            assert [delivery.status for delivery in question.deliveries] == [503, 503]
            other.rollback()
        assert opened.accepted == 0
        for delivery in question.deliveries:
            assert (await opened.slack.redeliver(delivery)).acknowledged
        await (await opened.general.next_message()).becomes("8 in the morning")


async def test_an_envelope_that_could_not_be_committed_is_not_acknowledged(tmp_path: Path) -> None:
    async with running_lab(tmp_path, database={"busy_seconds": 0}) as opened:
        opened.slack.socket._ack_seconds = 0.3
        with sqlite3.connect(opened.settings.database_file) as other:
            other.execute("BEGIN IMMEDIATE")
            question = await opened.ada.says(opened.general, f"<@BOT> {OPENING}")
            assert not any(delivery.acknowledged for delivery in question.deliveries)
            other.rollback()
        for delivery in question.deliveries:
            assert (await opened.slack.redeliver(delivery)).acknowledged
        await (await opened.general.next_message()).becomes("8 in the morning")


async def test_whoever_gives_a_command_that_cannot_be_taken_is_told_at_once(tmp_path: Path) -> None:
    async with running_lab(tmp_path, database={"busy_seconds": 0}) as opened:
        with sqlite3.connect(opened.settings.database_file) as other:
            other.execute("BEGIN IMMEDIATE")
            await opened.ada.commands(opened.general, "/ask", OPENING)
            said = opened.general.seed(opened.ada, PARKING)
            await opened.ada.uses_shortcut(said, "answer_this")
            told = [await opened.general.next_message() for _ in range(2)]
            other.rollback()
        assert all(one.ephemeral_for == opened.ada.id for one in told)
        assert all("database" in one.shown.lower() for one in told)
        assert opened.accepted == 0


async def test_after_the_door_was_closed_nothing_is_acknowledged(tmp_path: Path) -> None:
    async with running_lab(tmp_path, "http") as opened:
        await opened.bot.stop()
        question = await opened.ada.says(opened.general, f"<@BOT> {OPENING}")
        assert {delivery.status for delivery in question.deliveries} == {503}


# At once


async def test_everything_is_acknowledged_at_once_though_slack_takes_its_time_with_the_answers(either: Lab) -> None:
    either.slack.slow("chat.*", 2.0, times=100)
    people = [either.slack.user(f"Person {number}") for number in range(20)]
    questions = await asyncio.gather(*(one.says(either.general, f"<@BOT> {OPENING}") for one in people))
    commands = await asyncio.gather(*(one.commands(either.general, "/ask", PARKING) for one in people))
    deliveries: list[Delivery] = [*commands, *(delivery for question in questions for delivery in question.deliveries)]
    assert len(deliveries) == 60
    assert statistics.median(delivery.latency for delivery in deliveries) < SOON
    assert all(delivery.acknowledged for delivery in deliveries)


async def test_a_command_is_acknowledged_without_a_word(either: Lab) -> None:
    given = await either.ada.commands(either.general, "/ask", OPENING)
    assert given.acknowledged
    assert not given.answer


# The line


async def test_after_a_lost_line_what_was_not_acknowledged_is_answered_once(over_socket: Lab) -> None:
    await (await over_socket.ask(PARKING)).becomes("north side")
    over_socket.slack.drop_connections()
    question = await over_socket.ada.says(over_socket.general, f"<@BOT> {OPENING}")
    answer = await over_socket.general.message_that("8 in the morning", 15)
    assert answer.thread_ts == question.ts
    await over_socket.calm()
    assert over_socket.accepted == 2
    assert len(over_socket.general.from_bot) == 2


async def test_a_line_that_is_lost_amid_many_questions_loses_none_of_them(over_socket: Lab) -> None:
    people = [over_socket.slack.user(f"Person {number}") for number in range(40)]
    asking = [asyncio.create_task(one.says(over_socket.general, f"<@BOT> {OPENING}")) for one in people]
    await over_socket.slack.until(lambda: len(over_socket.slack.acks) > 5)
    over_socket.slack.drop_connections()
    questions = await asyncio.gather(*asking)
    await over_socket.slack.until(lambda: all(one.deliveries[0].acknowledged for one in questions), 20)
    await over_socket.slack.until(lambda: len(over_socket.general.from_bot) == len(people), 20)
    await over_socket.calm()
    answered = [answer.thread_ts for answer in over_socket.general.from_bot]
    assert sorted(answered) == sorted(question.ts for question in questions)
    assert over_socket.accepted == len(people)


async def test_when_slack_says_goodbye_the_next_line_is_there_at_once(over_socket: Lab) -> None:
    await over_socket.slack.say_goodbye("refresh_requested")
    await over_socket.slack.until(lambda: len(over_socket.slack.socket.connections) > 1, 2)
    await (await over_socket.ask()).becomes("8 in the morning")


async def test_a_line_whose_new_address_is_refused_is_tried_with_another(over_socket: Lab) -> None:
    over_socket.slack.socket.refuses = True
    opened = len(over_socket.slack.calls_of("apps.connections.open"))
    over_socket.slack.drop_connections()
    await over_socket.slack.until(lambda: len(over_socket.slack.calls_of("apps.connections.open")) > opened, 15)
    over_socket.slack.socket.refuses = False
    await over_socket.slack.connected(within=30)
    await (await over_socket.ask()).becomes("8 in the morning")


async def test_slack_may_be_away_for_a_while(over_socket: Lab) -> None:
    over_socket.slack.faults.down = True
    opened = len(over_socket.slack.calls_of("apps.connections.open"))
    over_socket.slack.drop_connections()
    await over_socket.slack.until(lambda: len(over_socket.slack.calls_of("apps.connections.open")) > opened, 15)
    over_socket.slack.faults.down = False
    await over_socket.slack.connected(within=30)
    await (await over_socket.ask()).becomes("8 in the morning")
