"""chat.startStream, appendStream and stopStream: messages that grow before the reader's eyes."""

import time
from typing import TYPE_CHECKING

from .blocks import check
from .chat_methods import own_message, thread_of, writable
from .content import MARKDOWN_LIMIT, Content, checked_metadata
from .messages import Message, Stream, rich_text
from .wire import ApiError, Call, Json

if TYPE_CHECKING:
    from .slack import LoopbackSlack

CHUNKS = frozenset({"markdown_text", "task_update", "plan_update", "blocks"})


async def start(slack: "LoopbackSlack", call: Call) -> Json:
    channel = writable(slack, call)
    stream = Stream(call.text("recipient_user_id"), call.text("recipient_team_id"))
    if channel.kind != "im":
        _check_recipient(slack, stream)
    elif not call.text("thread_ts"):
        raise ApiError("invalid_thread_ts")
    chunks = _chunks(call)
    thread = thread_of(channel, call)
    message = slack.board.put_up(channel, Content(), thread_ts=thread)
    message.stream = stream
    _take(message, chunks)
    slack.workspace.changed()
    return {"ok": True, "channel": channel.id, "ts": message.ts}


async def append(slack: "LoopbackSlack", call: Call) -> Json:
    message = _streaming(slack, call)
    chunks = _chunks(call)
    if not chunks:
        raise ApiError("no_text")
    _take(message, chunks)
    slack.workspace.changed()
    return {"ok": True, "channel": message.channel.id, "ts": message.ts}


async def stop(slack: "LoopbackSlack", call: Call) -> Json:
    message = _streaming(slack, call)
    blocks = call.arguments.get("blocks") or []
    if blocks:
        check(blocks)
    metadata = checked_metadata(call)
    stream = _take(message, _chunks(call))
    stream.stopped = True
    # Slack keeps what was streamed as rich text, before the blocks that came with the end.
    spoken = rich_text(stream.text, slack.workspace.ids.new("b"))
    slack.board.change(message, Content(stream.text, [*spoken, *blocks], metadata=metadata))
    return {"ok": True, "channel": message.channel.id, "ts": message.ts, "message": message.to_json()}


def _check_recipient(slack: "LoopbackSlack", stream: Stream) -> None:
    if not stream.recipient_user:
        raise ApiError("missing_recipient_user_id")
    if not stream.recipient_team:
        raise ApiError("missing_recipient_team_id")
    if stream.recipient_user not in slack.workspace.users:
        raise ApiError("user_not_found")


def _streaming(slack: "LoopbackSlack", call: Call) -> Message:
    message = own_message(slack, call, "message_not_owned_by_app")
    if message.stream is None or message.stream.stopped:
        raise ApiError("message_not_in_streaming_state")
    return message


def _chunks(call: Call) -> list[Json]:
    markdown = call.text("markdown_text")
    chunks: list[Json] = [{"type": "markdown_text", "text": markdown}] if markdown else []
    chunks += call.arguments.get("chunks") or []
    if any(not isinstance(chunk, dict) or chunk.get("type") not in CHUNKS for chunk in chunks):
        raise ApiError("invalid_chunks")
    if any(len(chunk.get("text", "")) > MARKDOWN_LIMIT for chunk in chunks):
        raise ApiError("msg_too_long")
    return chunks


def _take(message: Message, chunks: list[Json]) -> Stream:
    if message.stream is None:
        raise ApiError("message_not_in_streaming_state")
    message.stream.chunks += chunks
    message.stream.chunk_times += [time.time()] * len(chunks)
    return message.stream
