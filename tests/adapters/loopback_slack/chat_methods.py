"""chat.* and reactions.*: posting, changing and taking away messages."""

from typing import TYPE_CHECKING

from . import events
from .content import checked_message
from .messages import Message
from .wire import ApiError, Call, Json

if TYPE_CHECKING:
    from .channels import Channel
    from .slack import LoopbackSlack


def writable(slack: "LoopbackSlack", call: Call) -> "Channel":
    """The channel that a call writes to.

    Raises:
        ApiError: it is not there, archived, restricted, or the bot is not in it.
    """
    channel = slack.workspace.channel(call.required("channel"))
    if channel.archived:
        raise ApiError("is_archived")
    if not channel.bot_is_member and (channel.is_private or "chat:write.public" not in slack.scopes):
        raise ApiError("not_in_channel")
    if channel.restriction:
        raise ApiError(channel.restriction)
    return channel


def thread_of(channel: "Channel", call: Call) -> str:
    """The thread that a call writes to, empty for none; a reply's ts stands for its thread.

    Raises:
        ApiError: ``cannot_reply_to_message``, nothing stands there that takes replies.
    """
    name = call.text("thread_ts")
    if not name:
        return ""
    parent = channel.by_ts.get(name)
    if parent is None or parent.ephemeral_for or (parent.deleted and parent.subtype != "tombstone"):
        raise ApiError("cannot_reply_to_message")
    return parent.thread_ts or name


async def post_message(slack: "LoopbackSlack", call: Call) -> Json:
    channel = writable(slack, call)
    content = checked_message(call)
    thread, broadcast = thread_of(channel, call), call.flag("reply_broadcast")
    message = slack.board.put_up(channel, content, thread_ts=thread, broadcast=broadcast)
    return _receipt(message) | {"message": message.to_json(with_metadata=True)}


async def post_ephemeral(slack: "LoopbackSlack", call: Call) -> Json:
    channel = writable(slack, call)
    user = call.required("user")
    if user not in slack.workspace.users or not channel.has(user):
        raise ApiError("user_not_in_channel")
    content = checked_message(call)
    message = slack.board.put_up(channel, content, thread_ts=thread_of(channel, call), ephemeral_for=user)
    return {"ok": True, "message_ts": message.ts}


async def update(slack: "LoopbackSlack", call: Call) -> Json:
    message = own_message(slack, call, "cant_update_message")
    if message.channel.archived:
        raise ApiError("is_inactive")
    if message.stream is not None and not message.stream.stopped:
        raise ApiError("streaming_state_conflict")
    if slack.workspace.now() - float(message.ts) > slack.workspace.edit_window:
        raise ApiError("edit_window_closed")
    content = checked_message(call, may_be_empty=call.arguments.get("metadata") is not None)
    slack.board.mark_edited(message)
    slack.board.change(message, content)
    return _receipt(message) | {"text": message.text, "message": message.to_json(with_metadata=True)}


async def delete(slack: "LoopbackSlack", call: Call) -> Json:
    message = own_message(slack, call, "cant_delete_message")
    slack.board.take_away(message)
    return _receipt(message)


async def permalink(slack: "LoopbackSlack", call: Call) -> Json:
    channel = slack.workspace.channel(call.required("channel"))
    message = _standing(channel, call.required("message_ts"))
    name = f"{slack.workspace.base}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.thread_ts else ""
    return {"ok": True, "channel": channel.id, "permalink": name + thread}


async def add_reaction(slack: "LoopbackSlack", call: Call) -> Json:
    message, name = _reacted(slack, call)
    users = message.reactions.setdefault(name, [])
    if slack.workspace.bot_user in users:
        raise ApiError("already_reacted")
    users.append(slack.workspace.bot_user)
    slack.workspace.changed()
    at = slack.workspace.ids.timestamp()
    event = events.reacted(message, slack.workspace.bot_user, name, at, added=True)
    slack.dispatch.event_later(event, message.channel)
    return {"ok": True}


async def remove_reaction(slack: "LoopbackSlack", call: Call) -> Json:
    message, name = _reacted(slack, call)
    if slack.workspace.bot_user not in message.reactions.get(name, []):
        raise ApiError("no_reaction")
    message.reactions[name].remove(slack.workspace.bot_user)
    slack.workspace.changed()
    return {"ok": True}


def own_message(slack: "LoopbackSlack", call: Call, otherwise: str) -> Message:
    """The bot's message that a call is about.

    Raises:
        ApiError: ``message_not_found``, or `otherwise` where it is somebody else's.
    """
    message = _standing(slack.workspace.channel(call.required("channel")), call.required("ts"))
    if message.bot_id != slack.workspace.bot_id:
        raise ApiError(otherwise)
    return message


def _standing(channel: "Channel", ts: str) -> Message:
    message = channel.by_ts.get(ts)
    if message is None or message.deleted or message.ephemeral_for:
        raise ApiError("message_not_found")
    return message


def _reacted(slack: "LoopbackSlack", call: Call) -> tuple[Message, str]:
    channel = slack.workspace.channel(call.required("channel"))
    return _standing(channel, call.required("timestamp")), call.required("name").strip(":")


def _receipt(message: Message) -> Json:
    return {"ok": True, "channel": message.channel.id, "ts": message.ts}
