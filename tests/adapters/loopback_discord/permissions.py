"""Permissions: Discord's bits and how they add up for a member in a channel.

The computation is the one under "Permission Hierarchy" and "Permission Overwrites" in Discord's documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .people import Member
    from .places import Channel


class Permission(IntFlag):
    """The permissions that matter to a bot that reads and writes."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


NOTHING = Permission(0)
EVERYTHING = Permission(sum(Permission))
EVERYDAY = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)
"""What a new server's @everyone may do, without mentioning everyone."""


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies a role (kind 0) or a member (kind 1)."""

    target: int
    kind: int
    allow: Permission = NOTHING
    deny: Permission = NOTHING


def in_guild(member: Member) -> Permission:
    """Give what a member may do in the guild, before any channel's overwrites."""
    if member.user.id == member.guild.owner_id:
        return EVERYTHING
    granted = member.guild.everyone.permissions
    for role in member.roles:
        granted |= role.permissions
    return EVERYTHING if Permission.ADMINISTRATOR in granted else granted


def in_channel(member: Member, channel: Channel) -> Permission:
    """Give what a member may do in a channel; a thread has its parent's permissions."""
    granted = in_guild(member)
    if granted == EVERYTHING:
        return granted
    place = channel.parent or channel
    everyone = place.overwrites.get(member.guild.id)
    mine = [place.overwrites[role.id] for role in member.roles if role.id in place.overwrites]
    own = place.overwrites.get(member.user.id)
    for group in ([everyone] if everyone else [], mine, [own] if own else []):
        for overwrite in group:
            granted &= ~overwrite.deny
        for overwrite in group:
            granted |= overwrite.allow
    return granted if Permission.VIEW_CHANNEL in granted else NOTHING
