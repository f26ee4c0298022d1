"""Messages as the loopback Slack keeps them: every state that people saw, and the JSON that Slack makes of them."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .shown import ShownButton, buttons, pings, words
from .wire import Json

if TYPE_CHECKING:
    from .channels import Channel
    from .deliveries import Delivery
    from .files import File

_MENTION = re.compile(r"<@([A-Z0-9]+)>")
_CHANNEL = re.compile(r"<#(C[A-Z0-9]+)>")


@dataclass(frozen=True, slots=True)
class State:
    """What a message said from `at` on (seconds since the epoch)."""

    text: str
    blocks: list[Json]
    at: float

    @property
    def shown(self) -> str:
        """What a reader sees: the blocks' words, or the text where there are no blocks."""
        return "\n".join(words(self.blocks)) if self.blocks else self.text


@dataclass(slots=True)
class Stream:
    """A message that grows by chat.startStream, appendStream and stopStream; `chunks` in the order they came."""

    recipient_user: str
    recipient_team: str
    chunks: list[Json] = field(default_factory=list)
    chunk_times: list[float] = field(default_factory=list)
    stopped: bool = False

    @property
    def text(self) -> str:
        """The Markdown that was streamed."""
        return "".join(chunk.get("text", "") for chunk in self.chunks if chunk["type"] == "markdown_text")


@dataclass(slots=True, eq=False, repr=False)
class Message:
    """One message.

    Attributes:
        channel: where it stands.
        ts: its name within the channel.
        user: id of its author.
        bot_id: the app that wrote it; empty for people.
        states: everything it said, the newest last; the first is how it was posted.
        thread_ts: the thread it stands in, empty for none.
        ephemeral_for: id of the only user who sees it, empty where everyone does.
        deleted: whether it was taken away; where it had replies, a tombstone (`subtype`) stands in its stead.
        stream: how it was streamed, or None.
        deliveries: what its author's act sent to the bot.
    """

    channel: "Channel"
    ts: str
    user: str
    states: list[State]
    bot_id: str = ""
    thread_ts: str = ""
    subtype: str = ""
    ephemeral_for: str = ""
    metadata: Json = field(default_factory=dict)
    attachments: list[Json] = field(default_factory=list)
    files: "list[File]" = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    deleted: bool = False
    broadcast: bool = False
    edited_by: str = ""
    edited_ts: str = ""
    stream: Stream | None = None
    more: Json = field(default_factory=dict)
    deliveries: "list[Delivery]" = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<message {self.ts} by {self.user} in {self.channel.name or self.channel.id}: {self.shown!r}>"

    @property
    def text(self) -> str:
        return self.states[-1].text

    @property
    def blocks(self) -> list[Json]:
        return self.states[-1].blocks

    @property
    def shown(self) -> str:
        """What a reader sees now; of a message that still streams, what was streamed so far."""
        if self.stream is not None and not self.stream.stopped:
            return self.stream.text
        channels = self.channel.workspace.channels
        return _CHANNEL.sub(lambda named: f"#{channels[named[1]].name}", self.states[-1].shown)

    @property
    def buttons(self) -> list[ShownButton]:
        return buttons(self.blocks)

    @property
    def labels(self) -> list[str]:
        """The labels of its buttons."""
        return [button.label for button in self.buttons]

    @property
    def pings(self) -> list[str]:
        """Whom it would notify: ``<!channel>``, ``<@U…>``, ``<!subteam^…>`` as Slack writes them."""
        streamed = self.stream.text if self.stream else ""
        return list(dict.fromkeys([*pings(self.text), *pings(streamed), *pings(self.blocks)]))

    @property
    def edits(self) -> list[State]:
        """What it said after each edit."""
        return self.states[1:]

    @property
    def replies(self) -> "list[Message]":
        """What stands in its thread, without itself."""
        return [reply for reply in self.channel.threads.get(self.ts, []) if not reply.deleted]

    def says(self, text: str, blocks: list[Json]) -> None:
        """Give it a new state."""
        self.states.append(State(text, blocks, time.time()))

    async def becomes(self, wanted: "str | Callable[[Message], object]", within: float = 20.0) -> "Message":
        """Wait until it shows `wanted`, or until `wanted` holds of it.

        Raises:
            TimeoutError: it did not `within` so many seconds.
        """
        condition = (lambda message: wanted in message.shown) if isinstance(wanted, str) else wanted
        await self.channel.workspace.until(lambda: condition(self), within, f"a change of {self.shown!r}")
        return self

    def to_json(self, *, with_metadata: bool = False) -> Json:
        """The message as Slack gives it in events, histories and payloads."""
        document: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text} | self._origin()
        optional = {
            "subtype": self.subtype,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "files": [file.to_json() for file in self.files],
            "edited": {"user": self.edited_by, "ts": self.edited_ts} if self.edited_ts else None,
            "metadata": self.metadata if with_metadata else None,
            "reactions": [
                {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
            ],
        }
        return document | {key: value for key, value in optional.items() if value} | self._thread() | self.more

    def _origin(self) -> Json:
        workspace = self.channel.workspace
        if not self.bot_id:
            return {"team": workspace.team, "client_msg_id": f"client-{self.ts}"}
        author = workspace.users.get(self.user)
        app, name = ("A0ELSEWHERE", author.name) if author else (workspace.app, workspace.bot_name)
        profile = {"id": self.bot_id, "app_id": app, "name": name, "team_id": workspace.team}
        return {"team": workspace.team, "bot_id": self.bot_id, "app_id": app, "bot_profile": profile}

    def _thread(self) -> Json:
        if self.thread_ts:
            parent = self.channel.by_ts.get(self.thread_ts)
            return {"thread_ts": self.thread_ts, "parent_user_id": parent.user if parent else ""}
        replies = self.replies
        if not replies:
            return {}
        authors = list(dict.fromkeys(reply.user for reply in replies))
        counts = {"reply_count": len(replies), "reply_users_count": len(authors), "reply_users": authors}
        return {"thread_ts": self.ts, "latest_reply": replies[-1].ts} | counts


def rich_text(text: str, block_id: str) -> list[Json]:
    """The blocks that Slack's own clients make of what a person types."""
    parts = _MENTION.split(text)
    elements: list[Json] = []
    for position, part in enumerate(parts):
        if position % 2:
            elements.append({"type": "user", "user_id": part})
        elif part:
            elements.append({"type": "text", "text": part})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": block_id, "elements": [section]}] if elements else []
