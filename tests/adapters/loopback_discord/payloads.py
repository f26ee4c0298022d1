"""The JSON of Discord's objects, as the REST API and the gateway give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .messages import HAS_THREAD
from .permissions import EVERYTHING, in_channel
from .places import DIRECT

if TYPE_CHECKING:
    from datetime import datetime

    from .interactions import Interaction
    from .messages import Message, Upload
    from .people import Member, User
    from .places import Channel, Guild, Role

Json = dict[str, Any]

ATTACHMENT_LIMIT = 10 * 1024 * 1024
"""The largest file in bytes, in a server without boosts."""

CONTENT_FIELDS = ("content", "embeds", "attachments", "components")
"""What an application without the message content intent is given empty."""


def timestamp(moment: datetime | None) -> str | None:
    """Write a time as Discord does."""
    return moment.isoformat(timespec="microseconds") if moment else None


def user(user: User) -> Json:
    """Give a user."""
    return {
        "id": str(user.id),
        "username": user.name.lower().replace(" ", "_"),
        "discriminator": "0",
        "global_name": None if user.bot else user.name,
        "avatar": None,
        "bot": user.bot,
        "public_flags": 0,
    }


def member(member: Member) -> Json:
    """Give a member without the user."""
    return {
        "nick": member.nick,
        "roles": [str(role.id) for role in member.roles],
        "joined_at": timestamp(member.joined_at),
        "premium_since": None,
        "communication_disabled_until": None,
        "avatar": None,
        "pending": False,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def full_member(one: Member) -> Json:
    """Give a member with the user."""
    return member(one) | {"user": user(one.user)}


def role(role: Role) -> Json:
    """Give a role."""
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(int(role.permissions)),
        "position": role.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.managed,
        "mentionable": role.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def channel(place: Channel) -> Json:
    """Give a channel, a thread or a direct message channel."""
    if place.is_thread:
        return thread(place)
    last = str(place.log[-1].id) if place.log else None
    common = {"id": str(place.id), "type": place.kind, "last_message_id": last, "flags": 0}
    if place.recipient:
        return common | {"recipients": [user(place.recipient)]}
    return common | {
        "guild_id": str(place.guild.id) if place.guild else None,
        "name": place.name,
        "topic": place.topic or None,
        "position": 0,
        "parent_id": str(place.parent.id) if place.parent else None,
        "nsfw": False,
        "rate_limit_per_user": 0,
        "permission_overwrites": [
            {"id": str(one.target), "type": one.kind, "allow": str(int(one.allow)), "deny": str(int(one.deny))}
            for one in place.overwrites.values()
        ],
    }


def thread(place: Channel) -> Json:
    """Give a thread, with the bot's membership where it has joined."""
    bot = place.world.bot
    document = {
        "id": str(place.id),
        "type": place.kind,
        "guild_id": str(place.guild.id) if place.guild else None,
        "parent_id": str(place.parent.id) if place.parent else None,
        "owner_id": str(place.owner.id) if place.owner else None,
        "name": place.name,
        "last_message_id": str(place.log[-1].id) if place.log else None,
        "message_count": len(place.messages),
        "total_message_sent": len(place.log),
        "member_count": len(place.joined),
        "rate_limit_per_user": 0,
        "flags": 0,
        "thread_metadata": {
            "archived": place.archived,
            "locked": place.locked,
            "auto_archive_duration": 1440,
            "archive_timestamp": timestamp(place.created_at),
            "create_timestamp": timestamp(place.created_at),
        },
    }
    return document | ({"member": thread_member(place, bot)} if bot.id in place.joined else {})


def thread_member(place: Channel, who: User) -> Json:
    """Give a user's membership in a thread."""
    joined = timestamp(place.joined[who.id])
    return {"id": str(place.id), "user_id": str(who.id), "join_timestamp": joined, "flags": 1}


def partial_channel(place: Channel) -> Json:
    """Give a channel as an option's value, with the bot's permissions there."""
    permissions = in_channel(place.guild.bot, place) if place.guild else EVERYTHING
    return channel(place) | {"permissions": str(int(permissions))}


def guild(place: Guild) -> Json:
    """Give a guild without what only GUILD_CREATE carries."""
    return {
        "id": str(place.id),
        "name": place.name,
        "owner_id": str(place.owner_id),
        "roles": [role(one) for one in place.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "icon": None,
        "splash": None,
        "banner": None,
        "description": None,
        "afk_timeout": 300,
        "afk_channel_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "preferred_locale": "en-US",
    }


def created_guild(place: Guild) -> Json:
    """Give a guild as GUILD_CREATE does: of the members only the bot, unless asked for."""
    seen = [one for one in place.channels.values() if in_channel(place.bot, one)]
    return guild(place) | {
        "joined_at": timestamp(place.bot.joined_at),
        "large": False,
        "unavailable": False,
        "member_count": len(place.members),
        "channels": [channel(one) for one in seen if not one.is_thread],
        "threads": [thread(one) for one in seen if one.is_thread and not one.archived],
        "members": [full_member(place.bot)],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment(file: Upload) -> Json:
    """Give a file's description."""
    document: Json = {
        "id": str(file.id),
        "filename": file.filename,
        "size": len(file.data) if file.claimed_size is None else file.claimed_size,
        "url": file.url,
        "proxy_url": file.url,
    }
    if file.media_type:
        document["content_type"] = file.media_type
    return document | ({"description": file.description} if file.description else {})


def emoji(name: str) -> Json:
    """Give an emoji as reactions name it: a character, or ``name:id``."""
    plain, _, number = name.partition(":")
    return {"id": number or None, "name": plain}


def message(one: Message, *, nested: bool = True) -> Json:
    """Give a message; with `nested`, the one that it replies to as well."""
    document: Json = {
        "id": str(one.id),
        "channel_id": str(one.channel.id),
        "type": one.kind,
        "author": user(one.author),
        "content": one.content,
        "timestamp": timestamp(one.created_at),
        "edited_timestamp": timestamp(one.edited_at),
        "tts": one.tts,
        "mention_everyone": one.mentions.everyone,
        "mentions": _mentions(one),
        "mention_roles": [str(number) for number in sorted(one.mentions.roles)],
        "attachments": [attachment(file) for file in one.attachments],
        "embeds": one.embeds,
        "components": one.components,
        "reactions": _reactions(one),
        "pinned": False,
        "flags": one.flags | (HAS_THREAD if one.thread else 0),
    }
    if one.nonce is not None:
        document["nonce"] = one.nonce
    if one.thread:
        document["thread"] = thread(one.thread)
    if one.interaction:
        document["webhook_id"] = document["application_id"] = str(one.channel.world.application_id)
        document["interaction_metadata"] = interaction_metadata(one.interaction)
    if one.forwards:
        return document | _forwarded(one.forwards)
    return document | (_reference(one, nested) if one.reference else {})


def event_message(one: Message, *, visible: bool) -> Json:
    """Give a message as MESSAGE_CREATE and MESSAGE_UPDATE do; not `visible` is without what it says."""
    document = message(one) if visible else without_content(message(one))
    place = one.channel
    if place.guild:
        document["guild_id"] = str(place.guild.id)
        author = place.guild.members.get(one.author.id)
        if author:
            document["member"] = member(author)
    return document


def without_content(document: Json) -> Json:
    """Take from a message what the message content intent stands for."""
    bare = document | {"content": "", "embeds": [], "attachments": [], "components": []}
    if isinstance(document.get("referenced_message"), dict):
        bare["referenced_message"] = without_content(document["referenced_message"])
    if snapshots := document.get("message_snapshots"):
        bare["message_snapshots"] = [{"message": without_content(one["message"])} for one in snapshots]
    return bare


def interaction_metadata(one: Interaction) -> Json:
    """Give what a response says of the interaction it answers."""
    return {
        "id": str(one.id),
        "type": one.kind,
        "user": user(one.user),
        "authorizing_integration_owners": _owners(one),
    }


def interaction(one: Interaction) -> Json:
    """Give INTERACTION_CREATE's data."""
    place, world = one.channel, one.world
    granted = in_channel(place.guild.bot, place) if place.guild else EVERYTHING
    document: Json = {
        "id": str(one.id),
        "application_id": str(world.application_id),
        "type": one.kind,
        "data": one.data,
        "token": one.token,
        "version": 1,
        "channel": partial_channel(place),
        "channel_id": str(place.id),
        "app_permissions": str(int(granted)),
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": _owners(one),
        "context": 1 if place.kind == DIRECT else 0,
        "attachment_size_limit": ATTACHMENT_LIMIT,
    }
    if one.source:
        document["message"] = message(one.source)
    if place.guild is None:
        return document | {"user": user(one.user)}
    who = place.guild.members[one.user.id]
    return document | {
        "guild_id": str(place.guild.id),
        "guild": {"id": str(place.guild.id), "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "member": full_member(who) | {"permissions": str(int(in_channel(who, place)))},
    }


def _owners(one: Interaction) -> Json:
    return {"0": str(one.channel.guild.id) if one.channel.guild else "0"}


def _mentions(one: Message) -> list[Json]:
    users = one.channel.world.users
    members = one.channel.guild.members if one.channel.guild else {}
    named = [users[number] for number in sorted(one.mentions.users) if number in users]
    return [user(who) | ({"member": member(members[who.id])} if who.id in members else {}) for who in named]


def _reactions(one: Message) -> list[Json]:
    bot = one.channel.world.bot.id
    return [
        {
            "emoji": emoji(name),
            "count": len(people),
            "count_details": {"burst": 0, "normal": len(people)},
            "me": bot in people,
            "me_burst": False,
            "burst_colors": [],
        }
        for name, people in one.reactions.items()
        if people
    ]


def _forwarded(one: Message) -> Json:
    whole = message(one, nested=False)
    kept = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "components")
    snapshot = {name: whole[name] for name in (*kept, "mentions", "mention_roles")}
    reference = {"type": 1, "message_id": str(one.id), "channel_id": str(one.channel.id)}
    return {"message_reference": reference, "message_snapshots": [{"message": snapshot}]}


def _reference(one: Message, nested: bool) -> Json:
    assert one.reference
    place = one.reference.channel
    reference = {"type": 0, "message_id": str(one.reference.id), "channel_id": str(place.id)}
    if place.guild:
        reference["guild_id"] = str(place.guild.id)
    document: Json = {"message_reference": reference}
    if nested:
        document["referenced_message"] = None if one.reference.deleted else message(one.reference, nested=False)
    return document
