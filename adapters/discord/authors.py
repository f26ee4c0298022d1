"""Who somebody is on Discord, and what the platform vouches for about them."""

import discord

from bot.messages import Author

MANAGE_SERVER = "manage_server"


def author_of(person: discord.User | discord.Member) -> Author:
    """Describe somebody, with their roles in the server where they spoke."""
    return Author(str(person.id), person.display_name, roles_of(person))


def roles_of(person: discord.User | discord.Member) -> frozenset[str]:
    """Give the roles by which settings may name admins: ``role:ID`` and ``manage_server``, plain and with ``@GUILD``.

    What may be done in a channel is no matter here: only the server's own permissions count.
    """
    if not isinstance(person, discord.Member):
        return frozenset()
    roles = {f"role:{role.id}" for role in person.roles if not role.is_default()}
    if person.guild_permissions.manage_guild:
        roles.add(MANAGE_SERVER)
    return frozenset(roles | {f"{role}@{person.guild.id}" for role in roles})
