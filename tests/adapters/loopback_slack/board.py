"""Where the bot's own messages go up, change and come down, and Slack's echo of each to the bot."""

from typing import TYPE_CHECKING

from . import events
from .content import Content
from .messages import Message, State
from .wire import Json

if TYPE_CHECKING:
    from .channels import Channel
    from .dispatch import Dispatch
    from .workspace import Workspace


class Board:
    """Puts the bot's messages up and tells the bot of them, as Slack does (``message`` events with its own bot_id)."""

    def __init__(self, workspace: "Workspace", dispatch: "Dispatch") -> None:
        self._workspace = workspace
        self._dispatch = dispatch

    def put_up(
        self,
        channel: "Channel",
        content: Content,
        *,
        thread_ts: str = "",
        ephemeral_for: str = "",
        subtype: str = "",
        broadcast: bool = False,
    ) -> Message:
        """Post a message of the bot's; nobody hears of an ephemeral one."""
        workspace = self._workspace
        message = Message(
            channel,
            workspace.ids.timestamp(),
            workspace.bot_user,
            [State(content.text, self._named(content.blocks or []), workspace.now())],
            bot_id=workspace.bot_id,
            thread_ts=thread_ts,
            subtype=subtype,
            broadcast=broadcast,
            ephemeral_for=ephemeral_for,
            metadata=content.metadata or {},
            attachments=content.attachments or [],
            files=content.files,
            more=content.more,
        )
        channel.add(message)
        workspace.clear_status(channel.id, thread_ts)
        if not ephemeral_for:
            self._dispatch.event_later(events.posted(message), channel)
        return message

    def change(self, message: Message, content: Content) -> None:
        """Give a message another content; what the content leaves out stays."""
        previous = message.to_json()
        blocks = message.blocks if content.blocks is None else self._named(content.blocks)
        message.says(content.text or message.text, blocks)
        message.attachments = message.attachments if content.attachments is None else content.attachments
        message.metadata = message.metadata if content.metadata is None else content.metadata
        self._tell_of_change(message, previous)

    def mark_edited(self, message: Message) -> None:
        """Let a message show that it was edited."""
        at = self._workspace.ids.timestamp()
        message.edited_by, message.edited_ts = message.user, f"{at.split('.')[0]}.000000"

    def take_away(self, message: Message) -> None:
        """Delete a message; one with replies leaves a tombstone."""
        previous = message.to_json()
        at = self._workspace.ids.timestamp()
        told = remove(message, previous, at)
        self._workspace.changed()
        for event in told if not message.ephemeral_for else []:
            self._dispatch.event_later(event, message.channel)

    def _tell_of_change(self, message: Message, previous: Json) -> None:
        self._workspace.changed()
        if not message.ephemeral_for:
            at = self._workspace.ids.timestamp()
            self._dispatch.event_later(events.changed(message, previous, at), message.channel)

    def _named(self, blocks: list[Json]) -> list[Json]:
        """The blocks with the ids that Slack gives those that came without."""
        return [{"block_id": self._workspace.ids.new("b"), **self._named_block(block)} for block in blocks]

    def _named_block(self, block: Json) -> Json:
        if "elements" not in block or block.get("type") not in ("actions", "context_actions"):
            return block
        elements = [{"action_id": self._workspace.ids.new("a"), **element} for element in block["elements"]]
        return block | {"elements": elements}


def remove(message: Message, previous: Json, at: str) -> list[Json]:
    """Mark a message as deleted and give the events of it.

    A thread's first message becomes a tombstone, which goes when the last reply does.
    """
    message.deleted = True
    if message.replies:
        return [_tombstone(message, previous, at)]
    return [events.deleted(message, previous, at), *_without_replies(message, at)]


def _tombstone(message: Message, previous: Json, at: str) -> Json:
    message.states.append(State("This message was deleted.", [], float(at)))
    message.subtype, message.user, message.bot_id = "tombstone", "USLACKBOT", ""
    message.files, message.more = [], {"hidden": True}
    return events.changed(message, previous, at)


def _without_replies(reply: Message, at: str) -> list[Json]:
    parent = reply.channel.by_ts.get(reply.thread_ts)
    if parent is None or parent.subtype != "tombstone" or parent.replies:
        return []
    event = events.deleted(parent, parent.to_json(), at)
    parent.subtype = ""
    return [event]
