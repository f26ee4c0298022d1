"""The API's routes for guilds, members, channels and threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import payloads, posting
from .permissions import Permission
from .refusals import invalid_form, missing_permissions, unknown
from .rest import Call, Route
from .rest_messages import require

if TYPE_CHECKING:
    from .people import Member

Json = dict[str, Any]

_THREAD_NAME = 100


async def guild(call: Call) -> Json:
    """GET a guild."""
    place = call.guild()
    counts = {"approximate_member_count": len(place.members), "approximate_presence_count": 1}
    return payloads.guild(place) | (counts if call.query.get("with_counts") in ("1", "true") else {})


async def my_guilds(call: Call) -> list[Json]:
    """GET the guilds that the bot is in."""
    return [
        {"id": str(place.id), "name": place.name, "icon": None, "owner": False, "permissions": "0", "features": []}
        for place in call.world.guilds.values()
    ]


async def guild_channels(call: Call) -> list[Json]:
    """GET a guild's channels."""
    return [payloads.channel(place) for place in call.guild().channels.values() if not place.is_thread]


async def guild_roles(call: Call) -> list[Json]:
    """GET a guild's roles."""
    return [payloads.role(role) for role in call.guild().roles.values()]


async def guild_member(call: Call) -> Json:
    """GET a member."""
    return payloads.full_member(_member(call))


async def active_threads(call: Call) -> Json:
    """GET a guild's threads that are not archived."""
    threads = [place for place in call.guild().channels.values() if place.is_thread and not place.archived]
    bot = call.world.bot
    members = [payloads.thread_member(place, bot) for place in threads if bot.id in place.joined]
    return {"threads": [payloads.thread(place) for place in threads], "members": members}


async def leave(call: Call) -> None:
    """DELETE the bot's membership in a guild."""
    call.guild().remove()


async def channel(call: Call) -> Json:
    """GET a channel."""
    require(call, call.channel())
    return payloads.channel(call.channel())


async def change_thread(call: Call) -> Json:
    """PATCH a thread's name, or archive or lock it."""
    place = call.channel()
    mine = call.world.permissions_in(place, call.world.bot)
    if Permission.MANAGE_THREADS not in mine and place.owner is not call.world.bot:
        raise missing_permissions()
    place.name = call.body.get("name", place.name)
    place.archived = call.body.get("archived", place.archived)
    place.locked = call.body.get("locked", place.locked)
    posting.thread_changed(call.world, place)
    return payloads.channel(place)


async def thread_from_message(call: Call) -> Json:
    """POST a thread that starts from a message."""
    place, message = call.channel(), call.message()
    require(call, place, Permission.CREATE_PUBLIC_THREADS)
    name = _thread_name(call)
    return payloads.thread(posting.start_thread(call.world, place, call.world.bot, name, message))


async def thread_without_message(call: Call) -> Json:
    """POST a thread by itself."""
    place, private = call.channel(), call.body.get("type") != 11
    require(call, place, Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS)
    name = _thread_name(call)
    return payloads.thread(posting.start_thread(call.world, place, call.world.bot, name, private=private))


async def join_thread(call: Call) -> None:
    """PUT the bot into a thread."""
    require(call, call.channel())
    posting.join_thread(call.world, call.channel(), call.world.bot)


async def add_to_thread(call: Call) -> None:
    """PUT a user into a thread."""
    require(call, call.channel(), Permission.SEND_MESSAGES_IN_THREADS)
    posting.join_thread(call.world, call.channel(), call.world.users[call.number("user_id")])


async def thread_members(call: Call) -> list[Json]:
    """GET a thread's members."""
    place = call.channel()
    return [payloads.thread_member(place, call.world.users[number]) for number in place.joined]


async def user(call: Call) -> Json:
    """GET a user."""
    found = call.world.users.get(call.number("user_id"))
    if found is None:
        raise unknown("User")
    return payloads.user(found)


async def open_direct_channel(call: Call) -> Json:
    """POST a direct message channel."""
    recipient = call.world.users.get(int(call.body["recipient_id"]))
    if recipient is None:
        raise unknown("User")
    return payloads.channel(call.world.direct_channel(recipient))


def _member(call: Call) -> Member:
    found = call.guild().members.get(call.number("user_id"))
    if found is None:
        raise unknown("Member")
    return found


def _thread_name(call: Call) -> str:
    name = str(call.body.get("name") or "")
    if not 1 <= len(name) <= _THREAD_NAME:
        raise invalid_form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    return name


_GUILD = "/guilds/{guild_id}"
_CHANNEL = "/channels/{channel_id}"

ROUTES = [
    Route("GET", "/users/@me/guilds", my_guilds),
    Route("POST", "/users/@me/channels", open_direct_channel),
    Route("DELETE", "/users/@me/guilds/{guild_id}", leave),
    Route("GET", "/users/{user_id}", user),
    Route("GET", _GUILD, guild),
    Route("GET", _GUILD + "/channels", guild_channels),
    Route("GET", _GUILD + "/roles", guild_roles),
    Route("GET", _GUILD + "/members/{user_id}", guild_member),
    Route("GET", _GUILD + "/threads/active", active_threads),
    Route("GET", _CHANNEL, channel),
    Route("PATCH", _CHANNEL, change_thread),
    Route("POST", _CHANNEL + "/messages/{message_id}/threads", thread_from_message),
    Route("POST", _CHANNEL + "/threads", thread_without_message),
    Route("GET", _CHANNEL + "/thread-members", thread_members),
    Route("PUT", _CHANNEL + "/thread-members/@me", join_thread),
    Route("PUT", _CHANNEL + "/thread-members/{user_id}", add_to_thread),
]
