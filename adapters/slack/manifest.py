"""What Slack must be told of the app: scopes, events, commands, shortcuts and where it is reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.settings.tree import Settings

BOT_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "im:write",
    "mpim:history",
    "reactions:read",
    "usergroups:read",
)
"""Scopes of the bot token without which something does not work; `bot_scopes` adds what the settings ask for."""

BOT_EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "tokens_revoked",
)
"""Events that the app subscribes to. One of the older kind (``assistant_view``) has ``assistant_thread_started``."""

EVENTS_PATH = "/slack/events"
COMMANDS_PATH = "/slack/commands"
INTERACTIVITY_PATH = "/slack/interactivity"
"""Where Slack calls in HTTP mode, below the address under which the HTTP API is reached."""

ANSWER_THIS = "answer_this"
DESCRIBE_IMAGE = "describe_image"
"""Callback ids of the message shortcuts."""


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A slash command as Slack lists it while people type; one that takes nothing has no hint."""

    name: str
    description: str
    hint: str


COMMANDS = (
    SlashCommand("/ask", "Ask the knowledge base; the answer is for your eyes only.", "your question"),
    SlashCommand("/diagnose", "Tell what a description of symptoms may point to.", "the symptoms"),
    SlashCommand("/describe", "How to have me say what is in a picture.", ""),
    SlashCommand(
        "/preceptor",
        "Help, your data, and the admins' commands.",
        "help | history | knowledge | forget | export | stats | reload | people | settings | access | audit | delivery",
    ),
)

_DESCRIPTION = "Answers from a knowledge base that your admins own, and says where the answer came from."
_LONG_DESCRIPTION = (
    "Preceptor answers people where they already talk: mention it in a channel, write to it directly or use /ask."
    " It answers from a knowledge base that its admins own, names its sources and says so when it does not know."
    " It runs on your own machine, keeps what it is told private and forgets it when you ask it to."
)


def bot_scopes(settings: Settings) -> tuple[str, ...]:
    """Give the bot scopes that these settings need: asking who is an admin takes one that is not needed otherwise."""
    asks = any(role.startswith(("slack:admin", "slack:owner")) for role in settings.access.roles_named)
    return (*BOT_SCOPES, "users:read") if asks else BOT_SCOPES


def manifest(settings: Settings, url: str = "") -> dict[str, Any]:
    """Give the app manifest, in the form of Slack's "App manifest reference".

    Args:
        settings: for `slack.mode` and what `bot_scopes` looks at.
        url: the public address of the HTTP API (``https://bot.example.com``); in socket mode it is not used.

    Raises:
        ValueError: in HTTP mode no address, or one that Slack would not call, is given.
    """
    over_http = settings.slack.mode == "http"
    if over_http and not url.startswith("https://"):
        raise ValueError("In HTTP mode Slack needs the address of the HTTP API, beginning with https://")
    base = url.rstrip("/") if over_http else ""
    return {
        "display_information": {
            "name": "Preceptor",
            "description": _DESCRIPTION,
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1f3a5f",
        },
        "features": _features(base),
        "oauth_config": {"scopes": {"bot": list(bot_scopes(settings))}},
        "settings": _settings(base),
    }


def _features(base: str) -> dict[str, Any]:
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": "preceptor", "always_online": True},
        # Each who opens the conversation is shown prompts of the knowledge base: none are fixed here.
        "agent_view": {"agent_description": _DESCRIPTION, "suggested_prompts": []},
        "shortcuts": [
            _shortcut("Answer this", ANSWER_THIS, "Answers a message from the knowledge base, for you alone."),
            _shortcut("Describe image", DESCRIBE_IMAGE, "Says what is in a message's picture, for you alone."),
        ],
        "slash_commands": [_command(command, base) for command in COMMANDS],
    }


def _shortcut(name: str, callback_id: str, description: str) -> Mapping[str, str]:
    return {"name": name, "type": "message", "callback_id": callback_id, "description": description}


def _command(command: SlashCommand, base: str) -> dict[str, Any]:
    document = {
        "command": command.name,
        "description": command.description,
        # Escaped, people and groups arrive as <@U…> and <!subteam^S…>: `people` needs to know whom is meant.
        "should_escape": True,
    }
    hint = {"usage_hint": command.hint} if command.hint else {}
    return document | hint | ({"url": base + COMMANDS_PATH} if base else {})


def _settings(base: str) -> dict[str, Any]:
    def called_at(path: str) -> dict[str, str]:
        return {"request_url": base + path} if base else {}

    return {
        "event_subscriptions": {"bot_events": list(BOT_EVENTS)} | called_at(EVENTS_PATH),
        "interactivity": {"is_enabled": True} | called_at(INTERACTIVITY_PATH),
        "org_deploy_enabled": False,
        "socket_mode_enabled": not base,
        "token_rotation_enabled": False,
    }
