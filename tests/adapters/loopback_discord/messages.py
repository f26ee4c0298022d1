"""Messages and their files as the loopback keeps them, with every state that a message went through."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .mentions import Pings

if TYPE_CHECKING:
    from datetime import datetime

    from .interactions import Interaction
    from .people import User
    from .places import Channel

EPHEMERAL = 1 << 6
LOADING = 1 << 7
HAS_THREAD = 1 << 5
COMPONENTS_V2 = 1 << 15

_BUTTON = 2


@dataclass(slots=True, eq=False)
class Upload:
    """A file that comes along with a message.

    Attributes:
        filename: its name, which need not fit what it holds.
        data: what it holds.
        content_type: its media type as claimed; the one that its name suggests where None; left out where empty.
        claimed_size: its size in bytes as claimed, where that is not the true one.
        description: its alternative text.
        id: given when it is posted.
        url: where it is downloaded, given when it is posted.
    """

    filename: str
    data: bytes
    content_type: str | None = None
    claimed_size: int | None = None
    description: str | None = None
    id: int = 0
    url: str = ""

    @property
    def media_type(self) -> str:
        """The media type that the message names; empty where it names none."""
        if self.content_type is not None:
            return self.content_type
        return mimetypes.guess_type(self.filename)[0] or ""


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a message and when it came to be."""

    content: str
    at: datetime
    embeds: list[dict[str, Any]]
    components: list[dict[str, Any]]


@dataclass(slots=True, eq=False, kw_only=True)
class Message:
    """A message, in its latest state.

    Attributes:
        reference: the message it replies to.
        forwards: the message that it forwards.
        allowed_mentions: that field as it was last sent; None where it was not.
        pings: who was notified when it was posted; an edit notifies nobody.
        mentions: who is mentioned in its latest state; an edit changes that.
        reactions: the emoji and who reacted with it, by user id.
        interaction: what it answers, where it is an interaction's response or follow-up.
        history: its states, the first one first.
        thread: the thread that was started from it.
    """

    id: int
    channel: Channel
    author: User
    created_at: datetime
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Upload] = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    tts: bool = False
    allowed_mentions: dict[str, Any] | None = None
    pings: Pings = field(default_factory=Pings)
    mentions: Pings = field(default_factory=Pings)
    reference: Message | None = None
    forwards: Message | None = None
    reactions: dict[str, list[int]] = field(default_factory=dict)
    interaction: Interaction | None = None
    history: list[Version] = field(default_factory=list)
    thread: Channel | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    kind: int = 0

    @property
    def deleted(self) -> bool:
        """Whether it is gone."""
        return self.deleted_at is not None

    @property
    def ephemeral(self) -> bool:
        """Whether the person who invoked the interaction alone sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it is the "thinking" of a deferred response."""
        return bool(self.flags & LOADING)

    @property
    def url(self) -> str:
        """Where people find it."""
        guild = self.channel.guild.id if self.channel.guild else "@me"
        return f"https://discord.com/channels/{guild}/{self.channel.id}/{self.id}"

    @property
    def parts(self) -> list[dict[str, Any]]:
        """All components, in reading order, without their nesting."""
        return list(_flat(self.components))

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """The buttons, in reading order."""
        return [part for part in self.parts if part["type"] == _BUTTON]

    @property
    def text(self) -> str:
        """Everything there is to read: content, embeds, text components, in that order."""
        shown = [self.content]
        for embed in self.embeds:
            shown += [embed.get("title") or "", embed.get("description") or ""]
            for named in embed.get("fields", []):
                shown += [named["name"], named["value"]]
            shown.append((embed.get("footer") or {}).get("text", ""))
        shown += [part["content"] for part in self.parts if "content" in part]
        return "\n".join(filter(None, shown))

    def component(self, name: str) -> dict[str, Any]:
        """Give the component whose custom id, label or emoji is `name`; raises LookupError where there is none."""
        for part in self.parts:
            emoji = (part.get("emoji") or {}).get("name")
            if name in (part.get("custom_id"), part.get("label"), emoji):
                return part
        raise LookupError(f"the message has no component {name!r}, only {[p.get('custom_id') for p in self.parts]}")

    def keep_version(self, at: datetime) -> None:
        """Add the present state to the history."""
        self.history.append(Version(self.content, at, self.embeds, self.components))

    def __repr__(self) -> str:
        return f"<Message {self.id} by {self.author.name}: {self.content[:60]!r}>"


def _flat(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    flat: list[dict[str, Any]] = []
    for component in components:
        flat.append(component)
        flat += _flat(component.get("components") or [])
        flat += _flat([component[key] for key in ("accessory", "component") if component.get(key)])
    return flat
