"""The API's routes for messages, typing and reactions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from . import payloads, posting
from .permissions import Permission
from .refusals import (
    cannot_message_user,
    cannot_reply,
    file_too_large,
    invalid_form,
    missing_access,
    missing_permissions,
    not_the_author,
    thread_archived,
    unknown,
)
from .rest import Call, Route
from .sessions import Intent
from .validation import check_message

if TYPE_CHECKING:
    from .messages import Message, Upload
    from .places import Channel

Json = dict[str, Any]

_NONCE_WINDOW = timedelta(minutes=5)
_PAGE, _LARGEST_PAGE = 50, 100


def require(call: Call, channel: Channel, *needed: Permission) -> None:
    """Raise `Refusal` unless the bot sees the channel and has the permissions there."""
    mine = call.world.permissions_in(channel, call.world.bot)
    if Permission.VIEW_CHANNEL not in mine:
        raise missing_access()
    if any(permission not in mine for permission in needed):
        raise missing_permissions()


def shown(call: Call, message: Message) -> Json:
    """Give a message as the API does: without the message content intent some say nothing."""
    document = payloads.message(message)
    visible = Intent.MESSAGE_CONTENT in call.gateway.allowed_intents or posting.content_visible(call.world, message)
    return document if visible else payloads.without_content(document)


def uploads(call: Call, body: Json) -> list[Upload]:
    """Give the files of a form, with what the body's ``attachments`` say of them."""
    for described in body.get("attachments") or []:
        number = int(described["id"])
        if number in call.files:
            file = call.files[number]
            file.filename = described.get("filename") or file.filename
            file.description = described.get("description")
    files = [call.files[number] for number in sorted(call.files)]
    if any(len(file.data) > payloads.ATTACHMENT_LIMIT for file in files):
        raise file_too_large()
    return files


async def create(call: Call) -> Json:
    """POST a message."""
    channel, body = call.channel(), call.body
    require(call, channel, _to_write_in(channel))
    if channel.recipient and not _takes_messages(call, channel):
        raise cannot_message_user()
    if channel.locked:
        raise thread_archived()
    check_message(body, has_files=bool(call.files))
    if body.get("embeds"):
        require(call, channel, Permission.EMBED_LINKS)
    if call.files:
        require(call, channel, Permission.ATTACH_FILES)
    if body.get("nonce") is not None and body.get("enforce_nonce"):
        earlier = _same_nonce(call, channel, str(body["nonce"]))
        if earlier:
            return shown(call, earlier)
    fields = message_fields(body) | {"reference": _referenced(call, channel, body)}
    message = posting.post(call.world, channel, call.world.bot, attachments=uploads(call, body), **fields)
    if message.nonce is not None:
        call.world.nonces[channel.id, message.nonce] = message
    return shown(call, message)


def message_fields(body: Json) -> Json:
    """Give what a body says of a new message."""
    nonce = body.get("nonce")
    return {
        "content": body.get("content") or "",
        "embeds": body.get("embeds") or [],
        "components": body.get("components") or [],
        "flags": body.get("flags") or 0,
        "tts": bool(body.get("tts")),
        "nonce": None if nonce is None else str(nonce),
        "allowed_mentions": body.get("allowed_mentions"),
    }


def changes_of(call: Call, body: Json, message: Message) -> Json:
    """Give what a body changes of a message; raises `Refusal` where the outcome is not valid."""
    was: Json = {"content": message.content, "embeds": message.embeds, "components": message.components}
    was |= {"flags": message.flags, "attachments": message.attachments}
    check_message(body, has_files=bool(call.files), was=was)
    changes = {key: body[key] or "" for key in ("content",) if key in body}
    changes |= {key: body[key] or [] for key in ("embeds", "components") if key in body}
    if "attachments" in body or call.files:
        kept = {str(one["id"]) for one in body.get("attachments") or []}
        changes["attachments"] = [file for file in message.attachments if str(file.id) in kept] + uploads(call, body)
    if body.get("flags") is not None:
        changes["flags"] = body["flags"]
    if "allowed_mentions" in body:
        message.allowed_mentions = body["allowed_mentions"]
    return changes


async def change(call: Call) -> Json:
    """PATCH a message."""
    message = call.message()
    require(call, message.channel)
    if message.author is not call.world.bot:
        raise not_the_author()
    if call.body.get("embeds"):
        require(call, message.channel, Permission.EMBED_LINKS)
    posting.edit(call.world, message, changes_of(call, call.body, message))
    return shown(call, message)


async def remove(call: Call) -> None:
    """DELETE a message."""
    message = call.message()
    needed = () if message.author is call.world.bot else (Permission.MANAGE_MESSAGES,)
    require(call, message.channel, *needed)
    posting.delete(call.world, message)


async def one(call: Call) -> Json:
    """GET a message."""
    require(call, call.channel(), Permission.READ_MESSAGE_HISTORY)
    return shown(call, call.message())


async def many(call: Call) -> list[Json]:
    """GET a channel's messages, newest first; without the permission to read its history there are none."""
    channel = call.channel()
    require(call, channel)
    if Permission.READ_MESSAGE_HISTORY not in call.world.permissions_in(channel, call.world.bot):
        return []
    limit = min(int(call.query.get("limit", _PAGE)), _LARGEST_PAGE)
    return [shown(call, message) for message in _page(channel.messages, call.query, limit)]


async def typing(call: Call) -> None:
    """POST that the bot is typing."""
    require(call, call.channel(), _to_write_in(call.channel()))
    posting.type_in(call.world, call.channel(), call.world.bot)


async def add_reaction(call: Call) -> None:
    """PUT a reaction."""
    message, emoji = call.message(), call.path["emoji"]
    require(call, message.channel, Permission.READ_MESSAGE_HISTORY)
    if not message.reactions.get(emoji):
        require(call, message.channel, Permission.ADD_REACTIONS)
    if emoji.isascii() and ":" not in emoji:
        raise unknown("Emoji")
    posting.react(call.world, message, call.world.bot, emoji)


async def remove_own_reaction(call: Call) -> None:
    """DELETE the bot's reaction."""
    posting.unreact(call.world, call.message(), call.world.bot, call.path["emoji"])


async def remove_reaction(call: Call) -> None:
    """DELETE somebody's reaction."""
    message = call.message()
    require(call, message.channel, Permission.MANAGE_MESSAGES)
    user = call.world.users.get(call.number("user_id"))
    if user is None:
        raise unknown("User")
    posting.unreact(call.world, message, user, call.path["emoji"])


async def reacted(call: Call) -> list[Json]:
    """GET who reacted."""
    message = call.message()
    require(call, message.channel, Permission.READ_MESSAGE_HISTORY)
    people = message.reactions.get(call.path["emoji"], [])
    return [payloads.user(call.world.users[number]) for number in people]


def _to_write_in(channel: Channel) -> Permission:
    return Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES


def _takes_messages(call: Call, channel: Channel) -> bool:
    person = channel.recipient
    if person is None or not person.accepts_messages or person.bot:
        return False
    return bool(channel.log) or any(person.id in guild.members for guild in call.world.guilds.values())


def _same_nonce(call: Call, channel: Channel, nonce: str) -> Message | None:
    recent = call.world.clock.now() - _NONCE_WINDOW
    message = call.world.nonces.get((channel.id, nonce))
    return message if message and message.created_at >= recent else None


def _referenced(call: Call, channel: Channel, body: Json) -> Message | None:
    reference = body.get("message_reference")
    if not reference:
        return None
    if Permission.READ_MESSAGE_HISTORY not in call.world.permissions_in(channel, call.world.bot):
        raise cannot_reply()
    message = call.world.messages.get(int(reference["message_id"]))
    if message and not message.deleted and message.channel is channel:
        return message
    if reference.get("fail_if_not_exists", True):
        raise invalid_form("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
    return None


def _page(messages: list[Message], query: dict[str, str], limit: int) -> list[Message]:
    if "after" in query:
        return [m for m in messages if m.id > int(query["after"])][:limit][::-1]
    if "around" in query:
        older = [m for m in messages if m.id <= int(query["around"])][-(limit // 2 + 1) :]
        newer = [m for m in messages if m.id > int(query["around"])][: limit // 2]
        return (older + newer)[::-1]
    before = int(query["before"]) if "before" in query else None
    return [m for m in messages if before is None or m.id < before][-limit:][::-1]


_MESSAGES = "/channels/{channel_id}/messages"
_ONE = _MESSAGES + "/{message_id}"
_REACTION = _ONE + "/reactions/{emoji}"

ROUTES = [
    Route("GET", _MESSAGES, many),
    Route("POST", _MESSAGES, create),
    Route("GET", _ONE, one),
    Route("PATCH", _ONE, change),
    Route("DELETE", _ONE, remove),
    Route("POST", "/channels/{channel_id}/typing", typing),
    Route("GET", _REACTION, reacted),
    Route("PUT", _REACTION + "/@me", add_reaction),
    Route("DELETE", _REACTION + "/@me", remove_own_reaction),
    Route("DELETE", _REACTION + "/{user_id}", remove_reaction),
]
