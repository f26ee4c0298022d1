"""Channels, groups and direct messages, with everything that was said in them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .messages import Message, State, rich_text
from .wire import Json

if TYPE_CHECKING:
    from .people import User
    from .workspace import Workspace

Kind = Literal["channel", "group", "im", "mpim"]


@dataclass(slots=True, eq=False, repr=False)
class Channel:
    """A place where messages stand.

    Attributes:
        kind: Slack's ``channel_type``.
        members: ids of the people in it, or None where everybody is.
        bot_is_member: whether the bot hears what is said and may write.
        archived: whether nobody may write any more.
        restriction: the error that a post of the bot's meets (``restricted_action``), empty for none.
        user: the person, in a direct message.
        messages: everything that was said, in order, ephemeral and deleted messages included.
        from_bot: those of them that the bot under test wrote.
    """

    id: str
    name: str
    workspace: "Workspace"
    kind: Kind = "channel"
    members: set[str] | None = None
    bot_is_member: bool = True
    archived: bool = False
    restriction: str = ""
    user: str = ""
    messages: list[Message] = field(default_factory=list)
    from_bot: list[Message] = field(default_factory=list)
    by_ts: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[Message]] = field(default_factory=dict)
    _handed_out: int = 0

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name or self.user}: {len(self.messages)} messages>"

    @property
    def is_private(self) -> bool:
        return self.kind != "channel"

    @property
    def visible(self) -> list[Message]:
        """What stands there for everyone: neither deleted nor ephemeral."""
        return [message for message in self.messages if not message.deleted and not message.ephemeral_for]

    def has(self, user: str) -> bool:
        """Whether a person is in it."""
        return self.members is None or user in self.members

    def add(self, message: Message) -> Message:
        """Put a message up."""
        self.messages.append(message)
        self.by_ts[message.ts] = message
        if message.thread_ts:
            self.threads.setdefault(message.thread_ts, []).append(message)
        if message.bot_id == self.workspace.bot_id and not message.subtype:
            self.from_bot.append(message)
        self.workspace.changed()
        return message

    def forget(self) -> None:
        """Let go of what was said."""
        for kept in (self.messages, self.from_bot, self.by_ts, self.threads):
            kept.clear()
        self._handed_out = 0

    def seed(self, user: "User", text: str, thread: str | Message = "") -> Message:
        """Put up something that was said before the bot came: no event tells of it."""
        return self.add(self.draft(user, text, thread))

    def draft(self, user: "User", text: str, thread: str | Message = "") -> Message:
        """A message that a person would write, not yet put up."""
        said = text.replace("<@BOT>", f"<@{self.workspace.bot_user}>")
        thread_ts = thread if isinstance(thread, str) else thread.thread_ts or thread.ts
        state = State(said, rich_text(said, self.workspace.ids.new("B")), time.time())
        ts = self.workspace.ids.timestamp()
        return Message(self, ts, user.id, [state], bot_id=user.bot_id, thread_ts=thread_ts)

    async def next_message(self, within: float = 20.0) -> Message:
        """Wait for the next message of the bot's that was not handed out yet; ephemeral ones count.

        Raises:
            TimeoutError: none came `within` so many seconds.
        """
        await self.workspace.until(
            lambda: len(self.from_bot) > self._handed_out, within, f"a message of the bot's in #{self.name}"
        )
        self._handed_out += 1
        return self.from_bot[self._handed_out - 1]

    async def message_that(self, wanted: str | Callable[[Message], object], within: float = 20.0) -> Message:
        """Wait until a message of the bot's shows `wanted`, or until `wanted` holds of one, and give it.

        Raises:
            TimeoutError: none did `within` so many seconds.
        """

        def fits(message: Message) -> bool:
            return not message.deleted and bool(wanted in message.shown if isinstance(wanted, str) else wanted(message))

        found = await self.workspace.until(
            lambda: [message for message in self.from_bot if fits(message)], within, f"{wanted} in #{self.name}"
        )
        return found[0]

    def to_json(self) -> Json:
        """The channel as conversations.info gives it."""
        flags = {
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.is_private,
            "is_archived": self.archived,
            "is_member": self.bot_is_member,
            "is_general": self.name == "general",
        }
        document: Json = {"id": self.id, "created": 1_700_000_000, "context_team_id": self.workspace.team} | flags
        return document | ({"user": self.user} if self.kind == "im" else {"name": self.name})
