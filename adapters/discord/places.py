"""Names for Discord's places and messages: what the core calls them, and back."""

from dataclasses import dataclass

import discord

from bot.messages import Place

PLATFORM = "discord"


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
