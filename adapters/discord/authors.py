"""Who somebody is on Discord, and what the platform vouches for about them."""

import discord

from bot.access import UNKNOWN
from bot.messages import Author

MANAGE_SERVER = "manage_server"
OWNER = "owner"
_LONGEST_NAME = 100


def author_of(person: discord.User | discord.Member, guild_id: int | None) -> Author:
    """Describe somebody, with their roles in the server where they spoke; none for direct messages."""
    known = isinstance(person, discord.Member) or guild_id is None
    # A name is whatever stands in the event.
    return Author(
        str(person.id), str(person.display_name)[:_LONGEST_NAME], roles_of(person) if known else frozenset({UNKNOWN})
    )


def roles_of(person: discord.User | discord.Member) -> frozenset[str]:
    """Give the roles by which rules name people: ``role:ID``, ``manage_server`` and ``owner``; with ``@GUILD``, too.

    What may be done in a channel is no matter here: only the server's own permissions count.
    """
    if not isinstance(person, discord.Member):
        return frozenset()
    roles = {f"role:{role.id}" for role in person.roles if not role.is_default()}
    if person.guild_permissions.manage_guild:
        roles.add(MANAGE_SERVER)
    if person.guild.owner_id == person.id:
        roles.add(OWNER)
    return frozenset(roles | {f"{role}@{person.guild.id}" for role in roles})
