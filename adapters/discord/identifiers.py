"""Names for Discord's places and messages and for the way back to an asker: what the core keeps of them."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

import discord

from bot.access_rules import CATEGORY, NO_CATEGORY
from bot.messages import Place

PLATFORM = "discord"

Kind = Literal["message", "command", "press"]


def place_of(channel: object, channel_id: int, guild_id: int | None) -> Place:
    """Name a place.

    Args:
        channel: discord.py's object for it, or None where nothing is known but the ids.
        channel_id: the channel's or thread's id.
        guild_id: the server's id; None for direct messages.
    """
    workspace = str(guild_id or "")
    if isinstance(channel, discord.Thread):
        return Place(PLATFORM, workspace, str(channel.parent_id), str(channel.id))
    return Place(PLATFORM, workspace, str(channel_id))


def guild_id_of(channel: object) -> int | None:
    """Give the id of a channel's server, also where nothing else is known of it; None for direct messages."""
    if isinstance(channel, discord.PartialMessageable):
        return channel.guild_id
    guild = getattr(channel, "guild", None)
    return guild.id if isinstance(guild, discord.Guild) else None


def groups_of(channel: object) -> tuple[str, ...]:
    """Give the category that a channel, or a thread's channel, lies in, as ``category:ID``; nothing where unknown."""
    channel = channel.parent if isinstance(channel, discord.Thread) else channel
    if not isinstance(channel, discord.abc.GuildChannel):
        return ()
    return (f"{CATEGORY}{channel.category_id}" if channel.category_id else NO_CATEGORY,)


def channel_id_of(place: Place) -> int:
    """Give the id of the thread or channel that a place is."""
    return int(place.thread or place.channel)


@dataclass(frozen=True, slots=True)
class SentId:
    """Where a message stands: unlike its id alone, it tells the channel, which may be another than was meant."""

    channel: int
    message: int

    def __str__(self) -> str:
        return f"{self.channel}/{self.message}"

    @classmethod
    def of(cls, text: str, place: Place) -> "SentId":
        """Read a name; a message's id alone is one in `place`."""
        channel, _, message = text.rpartition("/")
        return cls(int(channel) if channel else channel_id_of(place), int(message))


def address(place: Place, message_id: str) -> str:
    """Give the address under which a message is found."""
    sent = SentId.of(message_id, place)
    # A message that went elsewhere than to its server's place went to a direct message channel.
    here = str(sent.channel) in (place.channel, place.thread)
    return f"https://discord.com/channels/{(place.workspace if here else '') or '@me'}/{sent.channel}/{sent.message}"


@dataclass(frozen=True, slots=True)
class Route:
    """What is needed to answer, also after a restart.

    Attributes:
        user: the asker's id; 0 where nobody is known.
        kind: how they asked: with a message, a slash command or context menu, or by pressing a button.
        application: the application's id, which is the id of the interaction's webhook.
        token: the interaction's token, valid for fifteen minutes; empty for messages.
        hidden: whether the deferred response is one that only the asker sees.
    """

    user: int = 0
    kind: Kind = "message"
    application: int = 0
    token: str = ""
    hidden: bool = False

    @property
    def text(self) -> str:
        """The form in which it is kept."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def of(cls, text: str) -> "Route":
        """Read what `text` gave; nothing gives the route to nobody."""
        return cls(**json.loads(text)) if text else cls()
