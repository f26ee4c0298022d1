"""The permissions that the bot needs in a server, each with its name and its reason, wherever one is spoken of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.settings.tree import DiscordSettings

MENTION_EVERYONE = 1 << 17
"""With it a role can be called that nobody may mention; the bot asks for no such power and needs none."""

_ADMINISTRATOR = 1 << 3
_EVERYTHING = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission under the name Discord's client shows, its bit ("Bitwise Permission Flags"), and what it is for."""

    name: str
    bit: int
    reason: str


VIEW_CHANNEL = Permission("View Channel", 1 << 10, "to hear what is asked")
SEND_MESSAGES = Permission("Send Messages", 1 << 11, "to answer")
ATTACH_FILES = Permission("Attach Files", 1 << 15, "to hand over what does not fit into a message")
SEND_IN_THREADS = Permission("Send Messages in Threads", 1 << 38, "to answer in threads")
CREATE_THREADS = Permission(
    "Create Public Threads", 1 << 35, "to open a thread for a question (discord.thread_channels)"
)
MANAGE_THREADS = Permission("Manage Threads", 1 << 34, "to write in threads that are locked; not asked for")
_ALWAYS = (
    VIEW_CHANNEL,
    SEND_MESSAGES,
    ATTACH_FILES,
    Permission(
        "Read Message History", 1 << 16, "to refer to the question, and to find out after a crash what was said"
    ),
    SEND_IN_THREADS,
)


def needed(settings: DiscordSettings) -> tuple[Permission, ...]:
    """Give what these settings need, and no more."""
    return (*_ALWAYS, CREATE_THREADS) if settings.thread_channels else _ALWAYS


def total(permissions: Iterable[Permission]) -> int:
    """Add their bits up."""
    return sum(permission.bit for permission in permissions)


def missing(permissions: Sequence[Permission], granted: int) -> list[str]:
    """Name those that are not among the bits of `granted`."""
    if granted & _ADMINISTRATOR:
        return []
    return [permission.name for permission in permissions if not granted & permission.bit]


def granted_in(channel: Mapping[str, Any], guild: Mapping[str, Any], member: Mapping[str, Any]) -> int:
    """Add up what a member may do in a channel, from Discord's objects as the REST API gives them.

    "Permission Overwrites" in Discord's documentation: the roles' permissions, then the channel's overwrites for
    everyone, for the roles and for the member, each denying first.
    """
    user, everyone = str(member["user"]["id"]), str(guild["id"])
    roles = {everyone, *map(str, member["roles"])}
    granted = 0
    for role in guild["roles"]:
        granted |= int(role["permissions"]) if str(role["id"]) in roles else 0
    if str(guild.get("owner_id")) == user or granted & _ADMINISTRATOR:
        return _EVERYTHING
    overwrites = {str(one["id"]): (int(one["allow"]), int(one["deny"])) for one in channel["permission_overwrites"]}
    for layer in ({everyone}, roles - {everyone}, {user}):
        found = [overwrites[one] for one in layer if one in overwrites]
        for _, deny in found:
            granted &= ~deny
        for allow, _ in found:
            granted |= allow
    return granted
