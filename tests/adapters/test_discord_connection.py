"""The connection to Discord: how it starts, what it survives, how it ends."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord_lab import READS_CONTENT, Backoff, Lab, lab, nobody_hears, running_lab
from loopback_discord import LoopbackDiscord
from structlog.testing import capture_logs

from adapters.discord import DiscordAdapter
from bot.adapter import Records
from bot.errors import AdapterError
from bot.messages import Place, Reply
from bot.settings.tree import DiscordSettings

QUESTION = "When does the office open?"
ANSWER = "8 in the morning"
AT_ONCE = Backoff(first=0.01, longest=0.05)


def _sockets() -> set[tuple[int, Any]]:
    return {(one.fd, one.laddr) for one in psutil.Process().net_connections("inet") if one.fd != -1}


async def _nothing_left(tasks: set[asyncio.Task[Any]], sockets: set[tuple[int, Any]]) -> None:
    async with asyncio.timeout(5):
        while asyncio.all_tasks() - tasks or _sockets() - sockets:  # noqa: ASYNC110 - the operating system has no event
            await asyncio.sleep(0.01)


def _settings(discord: LoopbackDiscord, **values: Any) -> DiscordSettings:
    return DiscordSettings(**{"enabled": True, "token": discord.token, "base_url": discord.rest_url} | values)


async def test_it_starts_within_a_second_and_stops_without_leaving_anything(tmp_path: Path) -> None:
    tasks, sockets = asyncio.all_tasks(), _sockets()
    async with LoopbackDiscord() as discord:
        adapter = DiscordAdapter(_settings(discord), Records())
        started = time.monotonic()
        await adapter.start(nobody_hears)
        assert time.monotonic() - started < 1
        await discord.connected()
        stopped = time.monotonic()
        await adapter.stop()
        assert time.monotonic() - stopped < 5
    await _nothing_left(tasks, sockets)


async def test_it_stops_in_the_middle_of_connecting(tmp_path: Path) -> None:
    tasks, sockets = asyncio.all_tasks(), _sockets()
    async with LoopbackDiscord() as discord:
        adapter = DiscordAdapter(_settings(discord), Records())
        with discord.gateway.shut():
            await adapter.start(nobody_hears)
            await adapter.stop()
    await _nothing_left(tasks, sockets)


async def test_it_stops_within_five_seconds_when_discord_says_nothing_more() -> None:
    tasks, sockets = asyncio.all_tasks(), _sockets()
    async with LoopbackDiscord() as discord:
        adapter = DiscordAdapter(_settings(discord), Records())
        await adapter.start(nobody_hears)
        await discord.connected()
        discord.go_silent()
        stopped = time.monotonic()
        await adapter.stop()
        assert time.monotonic() - stopped < 5
    await _nothing_left(tasks, sockets)


async def test_what_is_done_when_it_stops_is_finished_first(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        async with opened.running():
            await opened.ada.says(opened.general, QUESTION, mentions_bot=True)
            await opened.discord.until(lambda: bool(opened.general.bot_messages))
        assert "-# [1]" in opened.general.bot_messages[0].content


async def test_a_wrong_token_is_told_with_what_to_do() -> None:
    async with LoopbackDiscord() as discord:
        adapter = DiscordAdapter(_settings(discord, token="MTIz.wrong.token"), Records())
        with pytest.raises(AdapterError, match="does not know the bot's token") as raised:
            await adapter.start(nobody_hears)
        assert "docs/discord.md" in raised.value.fix
        assert "wrong" not in str(raised.value)
        await adapter.stop()


async def test_an_intent_that_is_not_switched_on_is_told_with_what_to_do() -> None:
    async with LoopbackDiscord() as discord:
        adapter = DiscordAdapter(_settings(discord, message_content=True), Records())
        with pytest.raises(AdapterError, match="message-content intent") as raised:
            await adapter.start(nobody_hears)
        assert "developer portal" in raised.value.fix
        await adapter.stop()


async def test_an_intent_that_is_switched_off_later_ends_it_with_what_to_do() -> None:
    async with LoopbackDiscord(intents=READS_CONTENT) as discord:
        adapter = DiscordAdapter(_settings(discord, message_content=True), Records())
        await adapter.start(nobody_hears)
        await discord.connected()
        with capture_logs() as logged:
            await discord.drop_connection(4014)
            assert await asyncio.wait_for(adapter.closed(), 5) == 1
        assert any("developer portal" in line.get("fix", "") for line in logged)
        await adapter.stop()


async def test_a_token_that_is_revoked_ends_it_with_what_to_do() -> None:
    async with LoopbackDiscord() as discord:
        adapter = DiscordAdapter(_settings(discord), Records())
        await adapter.start(nobody_hears)
        await discord.connected()
        with capture_logs() as logged:
            await discord.drop_connection(4004)
            assert await asyncio.wait_for(adapter.closed(), 5) == 1
        assert any("discord.token" in line.get("fix", "") for line in logged)
        assert not any(discord.token in str(line) for line in logged)
        await adapter.stop()


async def test_an_unreachable_discord_keeps_nothing_from_starting_and_is_reached_later(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        opened.discord.fail_next(route="GET /users/@me", status=503)
        async with opened.started():
            await opened.discord.connected()
            assert ANSWER in (await opened.ask()).content


async def test_what_is_said_before_it_is_logged_in_waits_for_that(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        adapter = DiscordAdapter(opened.settings.discord, Records())
        with opened.discord.hold("GET /users/@me"):
            await adapter.start(nobody_hears)
            place = Place("discord", str(opened.guild.id), str(opened.general.id))
            sending = asyncio.create_task(adapter.send(place, Reply("Hello"), "key"))
        await sending
        assert (await opened.general.next_message()).content == "Hello"
        await adapter.stop()


async def test_without_logins_left_for_the_day_it_waits_instead_of_losing_its_token() -> None:
    async with LoopbackDiscord() as discord:
        discord.gateway.session_starts_left = 0
        adapter = DiscordAdapter(_settings(discord), Records(), AT_ONCE)
        await adapter.start(nobody_hears)
        await discord.until(lambda: len(discord.requests_to("GET /gateway/bot")) > 1)
        assert not discord.sessions
        discord.gateway.session_starts_left = 10
        await discord.connected()
        await adapter.stop()


async def test_nobody_listening_is_no_reason_to_give_up() -> None:
    settings = DiscordSettings(enabled=True, token="MTIz.any.token", base_url="http://127.0.0.1:9/api/v10")  # type: ignore[arg-type]
    adapter = DiscordAdapter(settings, Records(), AT_ONCE)
    with capture_logs() as logged:
        await adapter.start(nobody_hears)
        assert "not reached yet" in adapter.welcome
        await adapter.stop()
    assert any(line["event"] == "discord not reached" for line in logged)


async def test_the_waits_between_attempts_grow_up_to_a_limit_and_differ() -> None:
    backoff = Backoff(first=1, longest=60, factor=2, jitter=0.3)
    waits = [backoff.delay(attempt) for attempt in range(40)]
    assert all(0.7 <= wait <= 60 for wait in waits)
    assert waits[6] > waits[0]
    assert len({backoff.delay(3) for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("intents", "settings", "said"),
    [
        ({}, {}, "only when I am mentioned"),
        ({"intents": READS_CONTENT}, {"message_content": True}, "whatever is said in my threads"),
    ],
)
async def test_at_start_it_says_where_it_is_and_what_it_hears(
    tmp_path: Path, intents: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    async with running_lab(tmp_path, **intents, **settings) as opened:
        assert opened.adapter is not None
        assert "in 1 server" in opened.adapter.welcome
        assert said in opened.adapter.welcome


Trouble = Callable[[Lab], Any]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(lambda lab: lab.discord.drop_connection(4000), id="dropped"),
        pytest.param(lambda lab: lab.discord.request_reconnect(), id="asked to reconnect"),
        pytest.param(lambda lab: lab.discord.invalidate_session(resumable=True), id="session to be resumed"),
    ],
)
async def test_after_trouble_with_the_connection_it_answers_again(tmp_path: Path, trouble: Trouble) -> None:
    async with running_lab(tmp_path) as opened:
        await opened.ask("Where do visitors park?")
        await trouble(opened)
        await opened.discord.connected()
        await opened.ada.says(opened.general, QUESTION, mentions_bot=True)
        assert ANSWER in (await opened.general.next_answer(10)).content


async def test_a_lost_session_is_replaced_at_the_same_server(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as opened:
        await opened.discord.invalidate_session()
        await opened.discord.until(lambda: len(opened.discord.sessions) == 2, 10)
        assert ANSWER in (await opened.ask()).content


async def test_whatever_is_asked_while_the_connection_is_down_is_answered_once(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as opened:
        questions = [await opened.ada.says(opened.general, QUESTION, mentions_bot=True) for _ in range(5)]
        async with opened.discord.outage():
            questions += [await opened.ada.says(opened.general, QUESTION, mentions_bot=True) for _ in range(20)]
        questions += [await opened.ada.says(opened.general, QUESTION, mentions_bot=True) for _ in range(5)]
        await opened.discord.until(lambda: len(opened.general.bot_messages) >= len(questions), 30)
        await opened.discord.calm()
        answered = [answer.reference for answer in opened.general.bot_messages]
        assert sorted(question.id for question in answered if question) == [question.id for question in questions]
        assert len(opened.discord.sessions) == 1, "the session was resumed"


async def test_several_shards_hear_all_their_servers(tmp_path: Path) -> None:
    async with lab(tmp_path, shards=2, max_concurrency=2) as opened:
        other = opened.discord.guild("Other")
        channel, grace = other.channel("general"), other.member("Grace")
        async with opened.running():
            await opened.discord.connected(2, 15)
            await grace.says(channel, QUESTION, mentions_bot=True)
            assert ANSWER in (await channel.next_answer()).content
            assert ANSWER in (await opened.ask()).content


async def test_everything_goes_through_the_proxy_that_is_set(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        opened.set(base_url="http://discord.invalid/api/v10", proxy=opened.discord.world.base_url)
        async with opened.running():
            assert ANSWER in (await opened.ask()).content


@pytest.mark.parametrize(
    "answer", [{"text": "Hello"}, {"text": "{}", "content_type": "application/json"}, {"status": 404}]
)
async def test_an_address_that_is_not_discords_is_told_in_the_log(answer: dict[str, Any]) -> None:
    async def _me(request: web.Request) -> web.Response:
        return web.Response(**answer)

    app = web.Application()
    app.router.add_get("/api/users/@me", _me)
    async with TestServer(app) as server:
        url = str(server.make_url("/api"))
        settings = DiscordSettings(enabled=True, token="MTIz.any.token", base_url=url)  # type: ignore[arg-type]
        adapter = DiscordAdapter(settings, Records(), AT_ONCE)
        with capture_logs() as logged:
            await adapter.start(nobody_hears)
            await adapter.stop()
    told = [line["why"] for line in logged if line["event"] == "discord not reached"]
    assert len(told) > 1, "it keeps trying"
    assert "What answers at discord.base_url does not speak Discord's API" in told[0]
