"""Opening and closing the door to Slack: wrong tokens, a Slack that is away, a token that is revoked."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from loopback_slack import LoopbackSlack
from slack_lab import OPENING, Lab, lab, running_lab
from structlog.testing import capture_logs

from adapters.slack import SlackAdapter
from bot.adapter import AdapterSetup, Receipt
from bot.errors import AdapterError
from bot.messages import IncomingMessage, Reply


async def nobody(message: IncomingMessage) -> Receipt:
    raise AssertionError(f"{message.key} was not expected")


async def nothing(message: IncomingMessage) -> Reply:
    return Reply("")


def adapter(opened: Lab, **section: Any) -> SlackAdapter:
    slack = opened.settings.slack.model_copy(update=section)
    settings = opened.settings.model_copy(update={"slack": slack})
    return SlackAdapter.create(AdapterSetup(settings, nothing, str))


def secret(opened: Lab, **values: str) -> Mapping[str, Any]:
    """The settings of the section with these secrets."""
    return {name: type(opened.settings.slack.bot_token)(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("mode", "wrong", "named"),
    [
        ("socket", "bot_token", "slack.bot_token"),
        ("socket", "app_token", "slack.app_token"),
        ("http", "bot_token", "slack.bot_token"),
    ],
)
async def test_a_wrong_token_is_named_at_the_start(tmp_path: Path, mode: Any, wrong: str, named: str) -> None:
    async with lab(tmp_path, mode) as opened:
        door = adapter(opened, **secret(opened, **{wrong: "xoxb-wrong"}))
        with pytest.raises(AdapterError) as refused:
            await door.start(nobody)
        assert named in refused.value.sentence
        assert "docs/slack.md" in refused.value.fix
        assert "xoxb-wrong" not in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "Hello"},
        {"text": "<p>Hello</p>", "content_type": "text/html"},
        {"text": '{"ok": true}', "content_type": "application/json"},
        {"status": 404},
    ],
)
async def test_an_address_that_is_not_slacks_is_told_in_the_log(tmp_path: Path, answer: dict[str, Any]) -> None:
    async def _test(request: web.Request) -> web.Response:
        return web.Response(**answer)

    app = web.Application()
    app.router.add_post("/api/auth.test", _test)
    async with TestServer(app) as server, lab(tmp_path) as opened:
        door = adapter(opened, base_url=str(server.make_url("/api/")))
        with capture_logs() as logged:
            await door.start(nobody)
            assert "not reached yet; I keep trying" in door.welcome
            await door.stop()
    told = [line["why"] for line in logged if line["event"] == "slack not reached"]
    assert "What answers at slack.base_url does not speak Slack's Web API" in told[0]


async def test_http_mode_needs_the_http_api(tmp_path: Path) -> None:
    async with lab(tmp_path, "http", http={"enabled": False}) as opened:
        with pytest.raises(AdapterError, match=r"http\.enabled"):
            adapter(opened)


@pytest.mark.parametrize(("mode", "keys", "warned"), [("http", 0, True), ("http", 1, False), ("socket", 0, False)])
async def test_who_lets_slack_in_from_outside_is_warned_of_an_api_without_keys(
    tmp_path: Path, mode: Any, keys: int, warned: bool
) -> None:
    async with lab(tmp_path, mode, http={"user_keys": ["a-key-that-is-long-enough"] * keys}) as opened:
        door = adapter(opened)
        with capture_logs() as logged:
            await door.start(nobody)
        await door.stop()
    warnings = [line for line in logged if line["log_level"] == "warning"]
    assert bool(warnings) == warned
    assert not warned or "preceptor settings new-key" in warnings[0]["fix"]


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_it_starts_within_a_second_and_stops_within_five(tmp_path: Path, mode: Any) -> None:
    async with lab(tmp_path, mode) as opened:
        tasks, sockets = asyncio.all_tasks(), set(psutil.Process().net_connections("inet"))
        door = adapter(opened)
        began = time.monotonic()
        await door.start(nobody)
        assert time.monotonic() - began < 1
        if mode == "socket":
            await opened.slack.connected()
        assert "@preceptor in loopback" in door.welcome
        began = time.monotonic()
        await door.stop()
        assert time.monotonic() - began < 5
        await opened.slack.until(lambda: not opened.slack.socket.open_connections)
        assert not {task for task in asyncio.all_tasks() - tasks if "slack" in task.get_name()}
        ours = [task for task in asyncio.all_tasks() - tasks if "slack_sdk" in repr(task.get_coro())]
        assert not ours
        assert len(set(psutil.Process().net_connections("inet")) - sockets) == 0


async def test_it_stops_also_while_it_is_still_trying(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        door = adapter(opened, base_url="http://127.0.0.1:9/api/")
        began = time.monotonic()
        await door.start(nobody)
        assert time.monotonic() - began < 1
        assert "not reached yet" in door.welcome
        await door.stop()


async def test_a_slack_that_does_not_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        opened.slack.slow("auth.test", 30)
        door = adapter(opened)
        began = time.monotonic()
        await door.start(nobody)
        assert time.monotonic() - began < 1
        await door.stop()


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_slack_that_comes_later_is_found(tmp_path: Path, mode: Any) -> None:
    async with lab(tmp_path, mode) as opened:
        opened.slack.faults.down = True
        application = opened.application = opened.application_of()
        doors = opened.doors(application)
        async with application.running(doors):
            opened.slack.faults.down = False
            opened.deliver()
            # In HTTP mode it takes no event until it knows who it is, and Slack sends it again.
            opened.slack.dispatch.retry_pauses = (0.5, 1.0, 2.0)
            if mode == "socket":
                await opened.slack.connected()
            await opened.ada.says(opened.general, f"<@BOT> {OPENING}")
            await (await opened.general.next_message(10)).becomes("8 in the morning")
            assert "@preceptor in loopback" in opened.bot.welcome


async def test_before_slack_was_reached_its_events_are_not_acknowledged(tmp_path: Path) -> None:
    async with lab(tmp_path, "http") as opened:
        opened.slack.faults.down = True
        application = opened.application = opened.application_of()
        async with application.running(opened.doors(application)):
            opened.deliver()
            question = await opened.ada.says(opened.general, f"<@BOT> {OPENING}")
            assert {delivery.status for delivery in question.deliveries} == {503}
            given = await opened.ada.commands(opened.general, "/ask", OPENING)
            assert "Try again" in given.answer["text"]


async def test_a_wrong_token_that_shows_only_later_ends_the_process(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        opened.slack.slow("auth.test", 1)
        opened.slack.auth_error = "account_inactive"
        door = adapter(opened)
        await door.start(nobody)
        with capture_logs() as logged:
            assert await asyncio.wait_for(door.closed(), 10) == 1
        assert "slack.bot_token" in str(logged)
        await door.stop()


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_when_the_app_is_uninstalled_the_process_ends(tmp_path: Path, mode: Any) -> None:
    async with running_lab(tmp_path, mode) as opened:
        closed = asyncio.create_task(opened.bot.closed())
        opened.slack.subscriptions.update({"tokens_revoked", "app_uninstalled"})
        await opened.slack.uninstall()
        assert await asyncio.wait_for(closed, 5) == 1


async def test_a_token_that_is_revoked_shows_at_the_next_call(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as opened:
        closed = asyncio.create_task(opened.bot.closed())
        opened.slack.auth_error = "token_revoked"
        await opened.ada.says(opened.general, f"<@BOT> {OPENING}")
        assert await asyncio.wait_for(closed, 5) == 1


async def test_the_log_holds_no_token_no_text_and_no_address_of_the_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with running_lab(tmp_path) as opened:
        await (await opened.ask()).becomes("8 in the morning")
        await opened.ada.commands(opened.general, "/ask", OPENING)
        await opened.general.next_message()
        opened.slack.socket.refuses = True
        opened.slack.drop_connections()
        before = len(opened.slack.calls_of("apps.connections.open"))
        await opened.slack.until(lambda: len(opened.slack.calls_of("apps.connections.open")) > before, 15)
    logged = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("slack", "adapters"))
    )
    for hidden in (opened.slack.bot_token, opened.slack.app_token, "office open", "ticket=", "/response/"):
        assert hidden not in logged


async def test_a_proxy_of_the_environment_is_not_asked_for_what_no_proxy_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with running_lab(tmp_path) as opened:
        await (await opened.ask()).becomes("8 in the morning")


async def test_the_line_too_goes_through_the_proxy_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with lab(tmp_path) as opened:
        monkeypatch.setenv("http_proxy", opened.slack.workspace.base)
        opened.slack.workspace.base = "http://slack.invalid"
        door = adapter(opened, base_url="http://slack.invalid/api/")
        await door.start(nobody)
        await opened.slack.connected()
        await door.stop()


async def test_the_proxy_of_the_settings_is_asked(tmp_path: Path) -> None:
    async with LoopbackSlack() as elsewhere, lab(tmp_path) as opened:
        elsewhere.bot_token, elsewhere.app_token = opened.slack.bot_token, opened.slack.app_token
        door = adapter(opened, base_url="http://slack.invalid/api/", proxy=elsewhere.workspace.base)
        await door.start(nobody)
        await door.stop()
        assert elsewhere.calls_of("auth.test")
