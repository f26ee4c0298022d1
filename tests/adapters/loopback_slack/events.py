"""The Events API: what Slack tells the bot of what happens, as its reference documents each event."""

import time
from typing import TYPE_CHECKING

from .messages import Message
from .wire import Json

if TYPE_CHECKING:
    from .workspace import Workspace

SUBSCRIPTIONS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "assistant_thread_context_changed",
        "assistant_thread_started",
        "member_joined_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "reaction_added",
        "reaction_removed",
        "tokens_revoked",
    }
)
"""Every event that the loopback can send."""

SCOPES = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "assistant_thread_started": "assistant:write",
    "assistant_thread_context_changed": "assistant:write",
}
"""The scope without which an event does not come."""

_MESSAGE_SUBSCRIPTION = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


def subscription_of(event: Json) -> str:
    """What the app must be subscribed to for this event to come."""
    if event["type"] == "message":
        return _MESSAGE_SUBSCRIPTION[event["channel_type"]]
    return str(event["type"])


def envelope(event: Json, workspace: "Workspace") -> Json:
    """The outer payload, the same for all events."""
    authorization = {
        "enterprise_id": None,
        "team_id": workspace.team,
        "user_id": workspace.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": "verification-token",
        "team_id": workspace.team,
        "context_team_id": workspace.team,
        "context_enterprise_id": None,
        "api_app_id": workspace.app,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.ids.event(),
        "event_time": int(time.time()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": f"4-{workspace.ids.event()}",
    }


def posted(message: Message) -> Json:
    """A ``message`` event; one with files is a ``file_share``."""
    event = message.to_json() | _place(message) | {"event_ts": message.ts}
    if message.files:
        return event | {"subtype": "file_share", "upload": False, "display_as_bot": False}
    return event | ({"subtype": "thread_broadcast"} if message.broadcast else {})


def mentioned(message: Message) -> Json:
    """The ``app_mention`` twin of a message event: the same channel and ts, an event of its own."""
    event = message.to_json() | {"type": "app_mention", "channel": message.channel.id, "event_ts": message.ts}
    event.pop("subtype", None)
    return event


def changed(message: Message, previous: Json, at: str) -> Json:
    """``message_changed``: an edit, an unfurled link or a deleted thread's tombstone."""
    event = {"message": message.to_json(), "previous_message": previous, "hidden": True, "ts": at, "event_ts": at}
    return {"type": "message", "subtype": "message_changed"} | _place(message) | event


def deleted(message: Message, previous: Json, at: str) -> Json:
    """``message_deleted``: a message that had no replies was taken away."""
    event = {"previous_message": previous, "deleted_ts": message.ts, "hidden": True, "ts": at, "event_ts": at}
    return {"type": "message", "subtype": "message_deleted"} | _place(message) | event


def reacted(message: Message, user: str, name: str, at: str, *, added: bool) -> Json:
    """``reaction_added`` or ``reaction_removed``."""
    item = {"type": "message", "channel": message.channel.id, "ts": message.ts}
    event = {"type": "reaction_added" if added else "reaction_removed", "user": user, "reaction": name, "item": item}
    return event | {"item_user": message.user, "event_ts": at}


def home_opened(user: str, channel: str, tab: str, view: Json | None, at: str) -> Json:
    """``app_home_opened``; the view comes along once one was published."""
    event: Json = {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab, "event_ts": at}
    return event | ({"view": view} if view and tab == "home" else {})


def assistant(kind: str, user: str, channel: str, thread: str, context: Json, at: str) -> Json:
    """``assistant_thread_started`` or ``assistant_thread_context_changed``."""
    details = {"user_id": user, "context": context, "channel_id": channel, "thread_ts": thread}
    return {"type": kind, "assistant_thread": details, "event_ts": at}


def joined(user: str, channel: str, channel_type: str, team: str, at: str) -> Json:
    """``member_joined_channel``."""
    event = {"type": "member_joined_channel", "user": user, "channel": channel, "channel_type": channel_type}
    return event | {"team": team, "event_ts": at}


def _place(message: Message) -> Json:
    return {"channel": message.channel.id, "channel_type": message.channel.kind}
