"""response_urls: the bot's answers to commands and interactions, five at most and for half an hour."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .content import checked_message
from .wire import ApiError, Call, Json

if TYPE_CHECKING:
    from .channels import Channel
    from .messages import Message
    from .slack import LoopbackSlack

USES = 5
SECONDS = 30 * 60


@dataclass(slots=True, eq=False)
class ResponseUrl:
    """One response_url: for whom, where, the message it stands under and what was posted to it."""

    id: str
    user: str
    channel: "Channel"
    at: float
    message_ts: str = ""
    thread_ts: str = ""
    posts: list[Json] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def original(self) -> "Message | None":
        return self.channel.by_ts.get(self.message_ts)


async def answer(slack: "LoopbackSlack", name: str, body: Json) -> Json:
    """Do what a post to a response_url asks for.

    Raises:
        ApiError: the URL is unknown, used up or too old, or the message is not valid.
    """
    entry = slack.workspace.response_urls.get(name)
    if entry is None:
        raise ApiError("invalid_url")
    if slack.workspace.now() - entry.at > SECONDS:
        raise ApiError("expired_url")
    if len(entry.posts) >= USES:
        raise ApiError("used_url")
    entry.posts.append(body)
    entry.times.append(slack.workspace.now())
    post(slack, entry, body)
    return {"ok": True}


def post(slack: "LoopbackSlack", entry: ResponseUrl, body: Json) -> None:
    """Put up, replace or take away a message; also what an acknowledgement carries."""
    original = entry.original
    if body.get("delete_original") and original:
        slack.board.take_away(original)
        return
    content = checked_message(Call("response_url", body, "", entry.at))
    if body.get("replace_original") and original:
        slack.board.change(original, content)
        return
    seen_by = "" if body.get("response_type") == "in_channel" else entry.user
    thread = str(body.get("thread_ts") or entry.thread_ts)
    put_up = slack.board.put_up(entry.channel, content, thread_ts=thread, ephemeral_for=seen_by)
    if not entry.message_ts:
        entry.message_ts = put_up.ts
