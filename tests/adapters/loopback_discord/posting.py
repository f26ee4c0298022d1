"""What changes messages, reactions and threads, whoever does it, and the gateway events that tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import payloads
from .mentions import Pings, pinged_by
from .messages import Message
from .permissions import Permission
from .places import PRIVATE_THREAD, PUBLIC_THREAD, Channel
from .refusals import thread_exists
from .sessions import Event, Intent

if TYPE_CHECKING:
    from .people import User
    from .world import World

Json = dict[str, Any]

REPLY, COMMAND_RESPONSE, MENU_RESPONSE = 19, 20, 23
_EDITABLE = ("content", "embeds", "components", "flags", "attachments")


def post(world: World, channel: Channel, author: User, **fields: Any) -> Message:
    """Add a message; `fields` are those of `Message`. An ephemeral one is not told of over the gateway."""
    message = Message(id=world.ids.next(), channel=channel, author=author, created_at=world.clock.now(), **fields)
    if message.reference:
        message.kind = REPLY
    message.pings = message.mentions = _mentions(world, message)
    for file in message.attachments:
        world.keep_file(channel, file)
    channel.archived = False
    channel.log.append(message)
    world.messages[message.id] = message
    message.keep_version(message.created_at)
    _tell(world, "MESSAGE_CREATE", message)
    return message


def edit(world: World, message: Message, changes: Json) -> None:
    """Put new values in the stead of a message's; what is not named in `changes` stays."""
    for name in _EDITABLE:
        if name in changes:
            setattr(message, name, changes[name])
    for file in message.attachments:
        if not file.id:
            world.keep_file(message.channel, file)
    message.mentions = _mentions(world, message)
    message.edited_at = world.clock.now()
    message.keep_version(message.edited_at)
    _tell(world, "MESSAGE_UPDATE", message)


def delete(world: World, message: Message) -> None:
    """Delete a message."""
    message.deleted_at = world.clock.now()
    if not message.ephemeral:
        data = {"id": str(message.id), "channel_id": str(message.channel.id)}
        _publish(world, "MESSAGE_DELETE", message.channel, data, _messages_intent(message.channel))
    world.notify()


def redeliver(world: World, message: Message) -> None:
    """Send a message's MESSAGE_CREATE once more."""
    _tell(world, "MESSAGE_CREATE", message)


def unfurl(world: World, message: Message, embed: Json) -> None:
    """Add a link's preview: Discord sends a MESSAGE_UPDATE for it, though nobody edited anything."""
    message.embeds = [*message.embeds, embed]
    _tell(world, "MESSAGE_UPDATE", message)


def react(world: World, message: Message, user: User, emoji: str) -> None:
    """Add a reaction; the same one twice is one."""
    people = message.reactions.setdefault(emoji, [])
    if user.id not in people:
        people.append(user.id)
        _tell_of_reaction(world, "MESSAGE_REACTION_ADD", message, user, emoji)


def unreact(world: World, message: Message, user: User, emoji: str) -> None:
    """Take a reaction back."""
    people = message.reactions.get(emoji, [])
    if user.id in people:
        people.remove(user.id)
        _tell_of_reaction(world, "MESSAGE_REACTION_REMOVE", message, user, emoji)


def start_thread(
    world: World, channel: Channel, owner: User, name: str, starter: Message | None = None, *, private: bool = False
) -> Channel:
    """Start a thread; one from a message has the message's id, and a second one raises `Refusal` 160004."""
    if starter and starter.thread:
        raise thread_exists()
    thread = Channel(
        world,
        starter.id if starter else world.ids.next(),
        name,
        PRIVATE_THREAD if private else PUBLIC_THREAD,
        guild=channel.guild,
        parent=channel,
        owner=owner,
        starter=starter,
        created_at=world.clock.now(),
    )
    thread.joined[owner.id] = world.clock.now()
    world.register(thread)
    data = payloads.thread(thread) | {"newly_created": True}
    _publish(world, "THREAD_CREATE", channel, data, Intent.GUILDS)
    if starter:
        starter.thread = thread
        _tell(world, "MESSAGE_UPDATE", starter)
    return thread


def thread_changed(world: World, thread: Channel) -> None:
    """Tell of a thread's new name, or that it was archived or locked."""
    _publish(world, "THREAD_UPDATE", thread, payloads.thread(thread), Intent.GUILDS)


def join_thread(world: World, thread: Channel, user: User) -> None:
    """Make a user a member of a thread."""
    if user.id in thread.joined:
        return
    thread.joined[user.id] = world.clock.now()
    guild = str(thread.guild.id) if thread.guild else None
    data = {"id": str(thread.id), "guild_id": guild, "member_count": len(thread.joined)}
    added = [payloads.thread_member(thread, user)]
    _publish(world, "THREAD_MEMBERS_UPDATE", thread, data | {"added_members": added}, Intent.GUILDS)


def type_in(world: World, channel: Channel, user: User) -> None:
    """Show that a user is typing."""
    now = world.clock.now()
    if user is world.bot:
        channel.typing.append(now)
    data = {"channel_id": str(channel.id), "user_id": str(user.id), "timestamp": int(now.timestamp())}
    intent = Intent.GUILD_MESSAGE_TYPING if channel.guild else Intent.DIRECT_MESSAGE_TYPING
    _publish(world, "TYPING_START", channel, data, intent)


def content_visible(world: World, message: Message) -> bool:
    """Whether an application without the message content intent is told what a message says.

    It is for its own messages, direct messages and those that mention it ("Message Content Intent" in the gateway's
    documentation); a reply mentions the author of what it replies to, unless that was switched off.
    """
    mine = message.author is world.bot or message.channel.guild is None
    return mine or world.bot.id in message.mentions.users


def _mentions(world: World, message: Message) -> Pings:
    replied_to = message.reference.author.id if message.reference else None
    named = pinged_by(message.content, message.allowed_mentions, replied_to)
    return world.may_ping(message.channel, message.author, named)


def _messages_intent(channel: Channel) -> Intent:
    return Intent.GUILD_MESSAGES if channel.guild else Intent.DIRECT_MESSAGES


def _tell(world: World, name: str, message: Message) -> None:
    if not message.ephemeral:
        full = payloads.event_message(message, visible=True)
        bare = None if content_visible(world, message) else payloads.event_message(message, visible=False)
        _publish(world, name, message.channel, full, _messages_intent(message.channel), bare)
    world.notify()


def _tell_of_reaction(world: World, name: str, message: Message, user: User, emoji: str) -> None:
    data: Json = {
        "user_id": str(user.id),
        "channel_id": str(message.channel.id),
        "message_id": str(message.id),
        "message_author_id": str(message.author.id),
        "emoji": payloads.emoji(emoji),
        "burst": False,
        "type": 0,
    }
    place = message.channel
    if place.guild and name == "MESSAGE_REACTION_ADD" and user.id in place.guild.members:
        data["member"] = payloads.full_member(place.guild.members[user.id])
    intent = Intent.GUILD_MESSAGE_REACTIONS if place.guild else Intent.DIRECT_MESSAGE_REACTIONS
    _publish(world, name, place, data, intent)
    world.notify()


def _publish(world: World, name: str, channel: Channel, data: Json, intent: Intent, bare: Json | None = None) -> None:
    if channel.guild is None:
        world.publish(Event(name, data, intent, bare=bare))
        return
    if Permission.VIEW_CHANNEL in world.permissions_in(channel, world.bot):
        guild = {"guild_id": str(channel.guild.id)}
        world.publish(Event(name, guild | data, intent, channel.guild.id, None if bare is None else guild | bare))
