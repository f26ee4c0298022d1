"""Makes messages of what people write on Slack: who asked what where, under which key."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.fetching import LONGEST_ADDRESS
from adapters.slack.identifiers import Identity, Route, identifier, message_name
from adapters.slack.message_text import commonmark, mentions, without_labels
from adapters.slack.recent import Recent
from adapters.sound_text import sound
from bot.messages import Attachment, Author, IncomingMessage, Place

PLATFORM = "slack"

FILE_BY_ID = "slack-file:"
"""Begins the address of a file whose own address Slack gives only when it is asked for the file."""

HIDDEN_FILE = "slack-hidden-file:"
"""The address of a file that Slack shows nobody, for it is older than the workspace's plan reaches."""

_NAMES = 2_000
_LONGEST_NAME = 100

_LARGEST = 1 << 40
"""Bytes that no file on Slack has."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message as a person wrote it, read from an event or from the message that an event is about.

    Attributes:
        channel: where it stands.
        ts: its timestamp.
        thread: the thread that it stands in; empty where it stands in none.
        user: who wrote it.
        text: Slack's own form.
        files: as Slack describes them; those of messages that it forwards among them.
        is_direct: whether it is a direct message to the bot.
    """

    channel: str
    ts: str
    thread: str
    user: str
    text: str
    files: tuple[Mapping[str, Any], ...]
    is_direct: bool

    @classmethod
    def read(cls, message: Mapping[str, Any], event: Mapping[str, Any]) -> "Written":
        """Read a message; `event` is the event that brought it, most often the same."""
        channel = identifier(event.get("channel"))
        return cls(
            channel=channel,
            ts=identifier(message.get("ts")),
            thread=identifier(message.get("thread_ts")),
            user=identifier(message.get("user")),
            text=str(message.get("text") or ""),
            files=tuple(_files(message)),
            is_direct=event.get("channel_type") == "im" or channel.startswith("D"),
        )

    @property
    def name(self) -> str:
        """Its name, and the key under which it is accepted."""
        return message_name(self.channel, self.ts)

    @property
    def is_reply(self) -> bool:
        """Whether it stands in a thread that another message opened."""
        return bool(self.thread) and self.thread != self.ts

    def place(self, team: str) -> Place:
        """Give its place: the thread that it stands in or would open.

        In direct messages, too: Slack streams, shows a status and keeps sessions of agents in threads alone.
        """
        return Place(PLATFORM, team, self.channel, self.thread or self.ts)


class Questions:
    """Makes messages of what is written.

    It knows people's names as far as Slack told in passing: nothing is looked up before a message is accepted.
    """

    def __init__(self) -> None:
        self._names: Recent[str, str] = Recent(_NAMES)

    def of(self, written: Written, bot: Identity) -> IncomingMessage:
        """Make the message of a question that is put to the bot."""
        return IncomingMessage(
            key=written.name,
            place=written.place(bot.team),
            author=self.author(written.user),
            text=self.text(written.text, bot),
            message_id=written.name,
            attachments=attachments(written.files),
            mentions=others(written.text, bot),
            streaming=True,
            route=str(Route(written.user)),
        )

    def author(self, user: str, name: str = "") -> Author:
        """Give a person, with the name that is given or known."""
        if user and name:
            self._names[user] = sound(name, _LONGEST_NAME)
        return Author(user, self._names.get(user, ""))

    def text(self, text: str, bot: Identity) -> str:
        """Give a text as CommonMark, without the bot's own mention."""
        said = re.sub(rf"[ \t]*<@{bot.user}(?:\|[^<>]*)?>(?:[,:](?=\s))?[ \t]*", " ", text)
        said = said.strip()
        # Names are chosen by who bears them: within a command they could be taken for words of it.
        return commonmark(without_labels(said), {}) if said.startswith("/") else commonmark(said, self._names)


def mentions_bot(text: str, bot: Identity) -> bool:
    """Say whether a text mentions the bot."""
    return f"user:{bot.user}" in mentions(text)


def others(text: str, bot: Identity) -> tuple[str, ...]:
    """Give whom a text names besides the bot."""
    return tuple(mention for mention in mentions(text) if mention != f"user:{bot.user}")


def attachments(files: Sequence[Mapping[str, Any]]) -> tuple[Attachment, ...]:
    """Give the files that came with a message."""
    return tuple(_attachments(files))


def _attachments(files: Sequence[Mapping[str, Any]]) -> Iterator[Attachment]:
    for file in files:
        if not _is_shown(file):
            continue
        if file.get("mode") == "hidden_by_limit":
            yield Attachment("", "", 0, HIDDEN_FILE)
            continue
        address = file.get("url_private_download") or file.get("url_private") or f"{FILE_BY_ID}{file.get('id', '')}"
        name = file.get("name") or file.get("title") or file.get("id", "")
        yield Attachment(sound(name), sound(file.get("mimetype", "")), _size(file), sound(address, LONGEST_ADDRESS))


def _size(file: Mapping[str, Any]) -> int:
    size = file.get("size")
    return size if isinstance(size, int) and 0 <= size < _LARGEST else 0


def _files(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from message.get("files") or ()
    for attached in message.get("attachments") or ():
        # Only what somebody forwards: the preview of a link to a message looks much the same.
        if attached.get("is_share"):
            yield from attached.get("files") or ()


def _is_shown(file: Mapping[str, Any]) -> bool:
    """Say whether somebody shows the file: not one that was deleted, and no link to a document that lies elsewhere."""
    mode = file.get("mode")
    return mode != "tombstone" and (mode != "external" or str(file.get("mimetype", "")).startswith("image/"))
