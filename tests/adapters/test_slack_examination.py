"""What the doctor finds of a Slack set-up, asked of the loopback Slack."""

import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from loopback_slack import LoopbackSlack

from adapters.slack.examination import CONFIGURATION_TOKEN_VARIABLE, examine
from adapters.slack.manifest import BOT_EVENTS, BOT_SCOPES
from bot.examination import Examined, Finding
from bot.settings import Settings

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack() as slack:
        yield slack


def _settings(slack: LoopbackSlack, **changes: Any) -> Settings:
    ours = {
        "enabled": True,
        "base_url": slack.base_url,
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": slack.signing_secret,
    }
    sections = {name: changes.pop(name) for name in ("http", "access") if name in changes}
    return Settings(slack=ours | changes, **sections)


async def _found(settings: Settings) -> dict[str, Finding]:
    found = {finding.name: finding async for finding in examine(Examined(settings))}
    said = json.dumps([(one.meaning, one.fix) for one in found.values()])
    secrets = (settings.slack.bot_token, settings.slack.app_token, settings.slack.signing_secret)
    assert not any(secret.get_secret_value() in said for secret in secrets if secret.get_secret_value())
    return found


def _verdicts(found: dict[str, Finding]) -> dict[str, str]:
    return {name.removeprefix("slack: "): finding.verdict for name, finding in found.items()}


async def test_a_set_up_in_order_says_who_the_bot_is(slack: LoopbackSlack) -> None:
    found = await _found(_settings(slack))
    expected = {"bot token": "ok", "scopes": "ok", "clock": "ok", "app token": "ok", "events": "unknown"}
    assert _verdicts(found) == expected
    assert "preceptor (U0LOOPBOT) in loopback (T0LOOPBACK)" in found["slack: bot token"].meaning
    assert "`preceptor slack manifest`" in found["slack: events"].fix


async def test_scopes_beyond_need_are_named(slack: LoopbackSlack) -> None:
    slack.scopes.add("channels:join")
    assert "channels:join" in (await _found(_settings(slack)))["slack: scopes"].meaning


async def test_missing_scopes_are_named(slack: LoopbackSlack) -> None:
    slack.scopes.difference_update({"chat:write", "files:read"})
    finding = (await _found(_settings(slack)))["slack: scopes"]
    assert (finding.verdict, finding.meaning) == ("failed", "Missing: chat:write, files:read.")
    assert "reinstall" in finding.fix


async def test_admins_by_role_need_one_scope_more(slack: LoopbackSlack) -> None:
    slack.scopes.intersection_update(BOT_SCOPES)
    assert (await _found(_settings(slack)))["slack: scopes"].verdict == "ok"
    finding = (await _found(_settings(slack, access={"admin_roles": ["slack:admin"]})))["slack: scopes"]
    assert finding.meaning == "Missing: users:read."


@pytest.mark.parametrize("error", ["token_revoked", "invalid_auth", "account_inactive"])
async def test_a_refused_token_is_told_with_slacks_word_and_the_fix(slack: LoopbackSlack, error: str) -> None:
    slack.auth_error = error
    found = await _found(_settings(slack))
    assert found["slack: bot token"].meaning == f"Slack refuses it: {error}."
    assert "slack.bot_token" in found["slack: bot token"].fix
    assert "connections:write" in found["slack: app token"].fix
    assert _verdicts(found)["scopes"] == "unknown"


@pytest.mark.parametrize("token", ["xoxp-1-user", "xapp-1-A0-app", "xoxb-1\u2026"])
async def test_a_bot_token_of_the_wrong_shape_is_told_without_asking(slack: LoopbackSlack, token: str) -> None:
    found = await _found(_settings(slack, bot_token=token))
    assert found["slack: bot token"].verdict == "failed"
    assert "xoxb-" in found["slack: bot token"].fix
    assert slack.calls_of("auth.test") == []


async def test_an_app_token_of_the_wrong_shape_is_told(slack: LoopbackSlack) -> None:
    finding = (await _found(_settings(slack, app_token=slack.bot_token)))["slack: app token"]
    assert (finding.verdict, "shape" in finding.meaning) == ("failed", True)


async def test_socket_mode_that_is_switched_off_is_told(slack: LoopbackSlack) -> None:
    slack.fail_next("apps.connections.open", error="link_disabled")
    finding = (await _found(_settings(slack)))["slack: app token"]
    assert finding.verdict == "failed"
    assert "Socket Mode" in finding.fix


async def test_trouble_at_slack_is_no_failure_of_the_set_up(slack: LoopbackSlack) -> None:
    slack.rate_limit("auth.test")
    slack.fail_next("apps.connections.open", status=503)
    verdicts = _verdicts(await _found(_settings(slack)))
    assert (verdicts["bot token"], verdicts["scopes"], verdicts["app token"]) == ("unknown",) * 3


async def test_without_a_connection_it_says_what_could_not_be_checked(slack: LoopbackSlack) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/api/"
        found = await _found(_settings(slack, base_url=closed))
    assert set(_verdicts(found).values()) == {"unknown"}
    assert "no connection to 127.0.0.1" in found["slack: bot token"].meaning


async def test_a_proxy_is_asked(slack: LoopbackSlack) -> None:
    settings = _settings(slack, base_url="http://slack.invalid/api/", proxy=slack.workspace.base)
    # As a proxy the loopback gets the whole address and answers as if it were asked itself.
    assert (await _found(settings))["slack: bot token"].verdict == "ok"


async def test_an_address_that_is_none_is_told(slack: LoopbackSlack) -> None:
    found = await _found(_settings(slack, proxy="ftp://someone:secret@proxy"))
    assert _verdicts(found) == {"address": "failed"}
    assert "secret" not in found["slack: address"].meaning


async def test_another_server_at_the_address_is_told(slack: LoopbackSlack) -> None:
    finding = (await _found(_settings(slack, base_url=f"{slack.workspace.base}/nothing/")))["slack: bot token"]
    assert finding.verdict == "failed"
    assert "slack.base_url" in finding.fix


async def test_http_mode_needs_the_http_api_and_a_signing_secret(slack: LoopbackSlack) -> None:
    found = await _found(_settings(slack, mode="http", http={"enabled": False}))
    assert found["slack: HTTP mode"].verdict == "failed"
    assert "http.enabled" in found["slack: HTTP mode"].fix
    found = await _found(_settings(slack, mode="http", signing_secret="not-a-signing-secret"))
    assert found["slack: HTTP mode"].verdict == "warning"
    found = await _found(_settings(slack, mode="http", signing_secret="0123456789abcdef" * 2))
    assert found["slack: HTTP mode"].verdict == "unknown"


async def test_an_api_without_keys_that_slack_calls_from_outside_is_looked_at(slack: LoopbackSlack) -> None:
    name = "slack: keys of the HTTP API"
    finding = (await _found(_settings(slack, mode="http")))[name]
    assert finding.verdict == "warning"
    assert "http.admin_keys" in finding.fix
    for settings in (
        _settings(slack, mode="http", http={"admin_keys": ("a-key-that-is-long-enough",)}),
        _settings(slack),
    ):
        assert name not in await _found(settings)


@pytest.fixture
async def exporting() -> AsyncIterator[tuple[str, list[str]]]:
    """A Web API that only exports a manifest, with the events that the list names; its address."""
    events: list[str] = []

    async def export(request: web.Request) -> web.Response:
        fields = await request.post()
        if request.headers["Authorization"] != "Bearer xoxe.xoxp-1" or fields["app_id"] != "A0LOOPBACK":
            return web.json_response({"ok": False, "error": "token_expired"})
        return web.json_response(
            {"ok": True, "manifest": {"settings": {"event_subscriptions": {"bot_events": events}}}}
        )

    application = web.Application()
    application.router.add_post("/api/apps.manifest.export", export)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/", events
    await runner.cleanup()


async def test_events_are_read_with_a_configuration_token_and_missing_ones_named(
    slack: LoopbackSlack, exporting: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, events = exporting
    settings = _settings(slack, base_url=address)
    monkeypatch.setenv(CONFIGURATION_TOKEN_VARIABLE, "xoxe.xoxp-1")
    events.extend(event for event in BOT_EVENTS if event != "message.im")
    finding = (await _found(settings))["slack: events"]
    assert (finding.verdict, finding.meaning) == ("failed", "Not subscribed: message.im.")
    events.append("message.im")
    assert (await _found(settings))["slack: events"].verdict == "ok"
    monkeypatch.setenv(CONFIGURATION_TOKEN_VARIABLE, "xoxe.xoxp-old")
    finding = (await _found(settings))["slack: events"]
    assert (finding.verdict, "token_expired" in finding.meaning) == ("unknown", True)
