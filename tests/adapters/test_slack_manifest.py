"""The app manifest: what Slack must be told of the app, for the settings at hand."""

import json
from typing import Any

import pytest
from loopback_slack.events import SUBSCRIPTIONS
from loopback_slack.workspace import SCOPES

from adapters.slack.manifest import BOT_EVENTS, BOT_SCOPES, bot_scopes, manifest
from bot.settings import Settings


def settings(mode: str = "socket", *roles: str) -> Settings:
    return Settings(slack={"mode": mode}, access={"admin_roles": roles})  # type: ignore[arg-type]


def texts(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            pair for key, item in value.items() for pair in ([(key, item)] if isinstance(item, str) else texts(item))
        ]
    return [pair for item in value for pair in texts(item)] if isinstance(value, list) else []


def test_in_socket_mode_slack_needs_no_address() -> None:
    document = manifest(settings())
    assert document["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(document)


def test_in_http_mode_everything_has_its_address() -> None:
    document = manifest(settings("http"), "https://bot.example.com/")
    assert document["settings"]["socket_mode_enabled"] is False
    assert document["settings"]["event_subscriptions"]["request_url"] == "https://bot.example.com/slack/events"
    assert document["settings"]["interactivity"]["request_url"] == "https://bot.example.com/slack/interactivity"
    urls = {command["url"] for command in document["features"]["slash_commands"]}
    assert urls == {"https://bot.example.com/slack/commands"}


@pytest.mark.parametrize("url", ["", "http://bot.example.com", "bot.example.com"])
def test_in_http_mode_slack_calls_https_alone(url: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        manifest(settings("http"), url)


def test_the_scopes_are_those_that_the_settings_need() -> None:
    assert bot_scopes(settings()) == BOT_SCOPES
    assert set(bot_scopes(settings("socket", "slack:admin"))) - set(BOT_SCOPES) == {"users:read"}
    assert bot_scopes(settings("socket", "slack:group:S1")) == BOT_SCOPES
    assert bot_scopes(settings("socket", "discord:manage_server")) == BOT_SCOPES


def test_scopes_and_events_are_slacks_own() -> None:
    assert set(BOT_SCOPES) <= SCOPES
    assert set(BOT_EVENTS) <= SUBSCRIPTIONS


LONGEST = {"name": 35, "description": 140, "long_description": 4_000, "display_name": 80, "usage_hint": 1_000}


def test_nothing_is_longer_than_slack_takes() -> None:
    document = manifest(settings())
    assert len(document["display_information"]["long_description"]) >= 175
    assert all(len(text) <= LONGEST[key] for key, text in texts(document) if key in LONGEST)
    assert all(len(shortcut["name"]) <= 24 for shortcut in document["features"]["shortcuts"])
    assert len(document["features"]["agent_view"]["agent_description"]) <= 300


def test_the_app_is_an_agent_of_the_kind_that_slack_still_takes() -> None:
    document = manifest(settings())
    assert "assistant_view" not in document["features"]
    assert set(document["features"]["agent_view"]) <= {"agent_description", "suggested_prompts", "actions"}
    assert "assistant:write" in BOT_SCOPES
    assert {"app_home_opened", "message.im"} <= set(BOT_EVENTS)
    assert "assistant_thread_started" not in BOT_EVENTS
