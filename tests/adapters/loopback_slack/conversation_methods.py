"""conversations.*: which places there are, who is in them and what was said."""

from typing import TYPE_CHECKING, TypeVar

from .messages import Message
from .wire import ApiError, Call, Json

if TYPE_CHECKING:
    from .channels import Channel
    from .slack import LoopbackSlack

_Item = TypeVar("_Item")

_PREFIX = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_PAGE = 100


async def info(slack: "LoopbackSlack", call: Call) -> Json:
    channel = _readable(slack, call, "read")
    count = len(_members(slack, channel)) if call.flag("include_num_members") else None
    return {"ok": True, "channel": channel.to_json() | ({} if count is None else {"num_members": count})}


async def members(slack: "LoopbackSlack", call: Call) -> Json:
    channel = _readable(slack, call, "read")
    page, following = _paged(_members(slack, channel), call)
    return {"ok": True, "members": page} | following


async def list_all(slack: "LoopbackSlack", call: Call) -> Json:
    page, following = _paged(_of_types(slack, call), call)
    return {"ok": True, "channels": [channel.to_json() for channel in page]} | following


async def list_own(slack: "LoopbackSlack", call: Call) -> Json:
    page, following = _paged([channel for channel in _of_types(slack, call) if channel.bot_is_member], call)
    return {"ok": True, "channels": [channel.to_json() for channel in page]} | following


async def join(slack: "LoopbackSlack", call: Call) -> Json:
    channel = slack.workspace.channel(call.required("channel"))
    if channel.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiError("is_archived")
    channel.bot_is_member = True
    return {"ok": True, "channel": channel.to_json()}


async def open_direct(slack: "LoopbackSlack", call: Call) -> Json:
    if call.text("channel"):
        channel = slack.workspace.channel(call.text("channel"))
    else:
        users = [user for user in call.required("users").split(",") if user]
        if any(user not in slack.workspace.users for user in users):
            raise ApiError("user_not_found")
        channel = slack.workspace.direct_message(users[0]) if len(users) == 1 else slack.group_message(users)
    return {"ok": True, "channel": channel.to_json() if call.flag("return_im") else {"id": channel.id}}


async def history(slack: "LoopbackSlack", call: Call) -> Json:
    channel = _readable(slack, call, "history")
    top = [message for message in channel.messages if _in_history(message) and not message.thread_ts]
    since_only = bool(call.text("oldest")) and not call.text("latest")
    # With `oldest` alone Slack begins at that end; a page is always the latest first.
    page, following = _paged(_between(top, call)[:: 1 if since_only else -1], call, slack.largest_page)
    return _messages(page[:: -1 if since_only else 1], following, call)


async def replies(slack: "LoopbackSlack", call: Call) -> Json:
    channel = _readable(slack, call, "history")
    wanted = channel.by_ts.get(call.required("ts"))
    if wanted is None or not _in_history(wanted):
        raise ApiError("thread_not_found")
    parent = channel.by_ts.get(wanted.thread_ts, wanted)
    answers = [message for message in channel.threads.get(parent.ts, []) if _in_history(message)]
    return _messages(*_paged([parent, *_between(answers, call)], call, slack.largest_page), call)


def _readable(slack: "LoopbackSlack", call: Call, right: str) -> "Channel":
    channel = slack.workspace.channel(call.required("channel"))
    needed = f"{_PREFIX[channel.kind]}:{right}"
    if needed not in slack.scopes:
        raise ApiError("missing_scope", needed=needed, provided=",".join(sorted(slack.scopes)))
    if right == "history" and not channel.bot_is_member:
        raise ApiError("not_in_channel")
    return channel


def _of_types(slack: "LoopbackSlack", call: Call) -> "list[Channel]":
    kinds = [_TYPES.get(name) for name in (call.text("types") or "public_channel").split(",")]
    if None in kinds:
        raise ApiError("invalid_types")
    missing = [f"{_PREFIX[kind]}:read" for kind in kinds if kind and f"{_PREFIX[kind]}:read" not in slack.scopes]
    if missing:
        raise ApiError("missing_scope", needed=",".join(missing), provided=",".join(sorted(slack.scopes)))
    channels = [channel for channel in slack.workspace.channels.values() if channel.kind in kinds]
    return [
        channel
        for channel in channels
        if not (call.flag("exclude_archived") and channel.archived)
        and (channel.bot_is_member or not channel.is_private)
    ]


def _members(slack: "LoopbackSlack", channel: "Channel") -> list[str]:
    people = [user for user in slack.workspace.users if channel.has(user)]
    return people + ([slack.workspace.bot_user] if channel.bot_is_member else [])


def _in_history(message: Message) -> bool:
    return not message.ephemeral_for and (not message.deleted or message.subtype == "tombstone")


def _between(messages: list[Message], call: Call) -> list[Message]:
    oldest, latest = float(call.text("oldest") or 0), float(call.text("latest") or "inf")
    if call.flag("inclusive"):
        return [message for message in messages if oldest <= float(message.ts) <= latest]
    return [message for message in messages if oldest < float(message.ts) < latest]


def _messages(page: list[Message], following: Json, call: Call) -> Json:
    shown = [message.to_json(with_metadata=call.flag("include_all_metadata")) for message in page]
    more = bool(following["response_metadata"]["next_cursor"])
    return {"ok": True, "messages": shown, "has_more": more} | following


def _paged(items: list[_Item], call: Call, largest: int = 1_000) -> tuple[list[_Item], Json]:
    start = int(call.text("cursor") or 0)
    end = start + min(call.number("limit", _PAGE), largest)
    return items[start:end], {"response_metadata": {"next_cursor": str(end) if end < len(items) else ""}}
