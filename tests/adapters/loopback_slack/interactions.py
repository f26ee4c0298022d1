"""What Slack posts when somebody uses the app: slash commands, pressed buttons, shortcuts and submitted views."""

from typing import TYPE_CHECKING, Any

from .messages import Message
from .shown import ShownButton
from .wire import Json

if TYPE_CHECKING:
    from .channels import Channel
    from .people import User
    from .views import View
    from .workspace import Workspace

_CHANNEL_NAMES = {"im": "directmessage", "group": "privategroup", "mpim": "privategroup"}
"""What Slack calls a place in a command's form when it keeps the name to itself."""


def command(user: "User", channel: "Channel", name: str, text: str, response_url: str) -> Json:
    """The form of a slash command."""
    workspace = channel.workspace
    return {
        "token": "verification-token",
        "team_id": workspace.team,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": _CHANNEL_NAMES.get(channel.kind, channel.name),
        "user_id": user.id,
        "user_name": user.name.lower(),
        "command": name,
        "text": text,
        "api_app_id": workspace.app,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": workspace.trigger(user.id),
    }


def button_in_message(user: "User", message: Message, button: ShownButton, response_url: str) -> Json:
    """A pressed button; an ephemeral message is named in ``container`` alone, for Slack does not keep it."""
    workspace, channel = message.channel.workspace, message.channel
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": bool(message.ephemeral_for),
    } | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
    payload = _interaction("block_actions", user, workspace) | {
        "container": container,
        "channel": {"id": channel.id, "name": _CHANNEL_NAMES.get(channel.kind, channel.name)},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [button.action(workspace.ids.timestamp())],
    }
    return payload if message.ephemeral_for else payload | {"message": message.to_json()}


def button_in_view(user: "User", view: "View", button: ShownButton, workspace: "Workspace") -> Json:
    """A pressed button in App Home or a modal: no message, no response_url."""
    return _interaction("block_actions", user, workspace) | {
        "container": {"type": "view", "view_id": view.id},
        "view": view.to_json(),
        "actions": [button.action(workspace.ids.timestamp())],
    }


def message_shortcut(user: "User", message: Message, callback_id: str, response_url: str) -> Json:
    """A shortcut from a message's menu."""
    workspace, channel = message.channel.workspace, message.channel
    return _interaction("message_action", user, workspace) | {
        "callback_id": callback_id,
        "action_ts": workspace.ids.timestamp(),
        "message_ts": message.ts,
        "message": message.to_json(),
        "channel": {"id": channel.id, "name": _CHANNEL_NAMES.get(channel.kind, channel.name)},
        "response_url": response_url,
    }


def global_shortcut(user: "User", callback_id: str, workspace: "Workspace") -> Json:
    """A shortcut from the lightning menu: it comes without a channel."""
    times = {"callback_id": callback_id, "action_ts": workspace.ids.timestamp()}
    return _interaction("shortcut", user, workspace) | times


def submission(user: "User", view: "View", values: dict[str, Any], workspace: "Workspace") -> Json:
    """A submitted modal; `values` are what was entered, by the action_id of each input."""
    state = {"values": {block: {action: _entered(value)} for block, action, value in view.inputs(values)}}
    document = {"view": view.to_json() | {"state": state}, "response_urls": []}
    return _interaction("view_submission", user, workspace) | document


def closing(user: "User", view: "View", workspace: "Workspace") -> Json:
    """A modal that was closed without being submitted."""
    return _interaction("view_closed", user, workspace) | {"view": view.to_json(), "is_cleared": False}


def _entered(value: Any) -> Json:
    if isinstance(value, str):
        return {"type": "plain_text_input", "value": value}
    return dict(value)


def _interaction(kind: str, user: "User", workspace: "Workspace") -> Json:
    return {
        "type": kind,
        "token": "verification-token",
        "api_app_id": workspace.app,
        "team": {"id": workspace.team, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": user.id, "username": user.name.lower(), "name": user.name.lower(), "team_id": workspace.team},
        "trigger_id": workspace.trigger(user.id),
    }
