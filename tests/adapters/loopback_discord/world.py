"""The loopback's state: who and what there is, and how a test waits for it to change."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import payloads
from .clock import Clock, Snowflakes
from .interactions import Interaction
from .mentions import Pings
from .people import Member, User
from .permissions import EVERYDAY, EVERYTHING, NOTHING, Permission, in_channel
from .places import DIRECT, Channel, Guild, Role
from .sessions import Event, Intent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .faults import RequestRecord
    from .messages import Message, Upload

Json = dict[str, Any]

BOT_ID = 10**18
"""The bot's id, older than everything else; a token begins with it in base64."""

_KEPT_REQUESTS = 20_000
_LOOK_SECONDS = 0.05


class World:
    """Users, guilds, channels, messages, files, interactions and commands of one application.

    Attributes:
        base_url: where the server listens; set when it starts.
        publish: tells the gateway's sessions of an event.
        delivered: waits until what was told is sent.
        own_faults: what went wrong in the loopback itself; raised when it stops.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.ids = Snowflakes(self.clock)
        self.base_url = ""
        self.publish: Callable[[Event], None] = lambda event: None
        self.delivered: Callable[[], Awaitable[None]] = _at_once
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.files: dict[int, Upload] = {}
        self.nonces: dict[tuple[int, str], Message] = {}
        self.direct: dict[int, Channel] = {}
        self.interactions: dict[str, Interaction] = {}
        self.commands: dict[int, list[Json]] = {}
        self.own_faults: list[Exception] = []
        self.requests: deque[RequestRecord] = deque(maxlen=_KEPT_REQUESTS)
        self.bot = self.users[BOT_ID] = User(self, BOT_ID, "Preceptor", bot=True)
        self.application_id = self.bot.id
        self.owner = self.add_user("Owner")
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Wake those who wait for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, predicate: Callable[[], bool], within: float = 20.0) -> None:
        """Wait until `predicate` holds; raises TimeoutError, with the last requests, after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                while not predicate():
                    await self._change()
        except TimeoutError as error:
            last = "; ".join(map(str, list(self.requests)[-6:])) or "none"
            raise TimeoutError(f"not within {within} s; the last requests: {last}") from error

    async def _change(self) -> None:
        changed = self._changed
        try:
            # What a predicate looks at may be the bot's own state, of whose changes nobody tells.
            async with asyncio.timeout(_LOOK_SECONDS):
                await changed.wait()
        except TimeoutError:
            return

    def add_user(self, name: str, *, bot: bool = False) -> User:
        """Add an account."""
        user = User(self, self.ids.next(), name, bot)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, everyone: Permission = EVERYDAY, bot: Permission = NOTHING) -> Guild:
        """Add a guild with the bot in it; `bot` is what its own role gives it beyond @everyone's."""
        guild = Guild(self, self.ids.next_guild(), name, self.owner.id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", everyone, position=0)
        self.guilds[guild.id] = guild
        role = Role(self.ids.next(), self.bot.name, bot, managed=True)
        guild.roles[role.id] = role
        now = self.clock.now()
        guild.members[self.owner.id] = Member(guild, self.owner, now)
        guild.members[self.bot.id] = Member(guild, self.bot, now, [role])
        self.publish(Event("GUILD_CREATE", payloads.created_guild(guild), Intent.GUILDS, guild.id))
        return guild

    def remove_guild(self, guild: Guild) -> None:
        """Take the bot out of a guild."""
        del self.guilds[guild.id]
        for number in guild.channels:
            del self.channels[number]
        self.publish(Event("GUILD_DELETE", {"id": str(guild.id)}, Intent.GUILDS, guild.id))

    def add_role(self, guild: Guild, name: str, permissions: Permission, mentionable: bool) -> Role:
        """Add a role to a guild."""
        role = Role(self.ids.next(), name, permissions, len(guild.roles), mentionable)
        guild.roles[role.id] = role
        data = {"guild_id": str(guild.id), "role": payloads.role(role)}
        self.publish(Event("GUILD_ROLE_CREATE", data, Intent.GUILDS, guild.id))
        return role

    def add_member(self, guild: Guild, user: User, roles: tuple[Role, ...]) -> Member:
        """Add a user to a guild."""
        member = guild.members[user.id] = Member(guild, user, self.clock.now(), list(roles))
        data = payloads.full_member(member) | {"guild_id": str(guild.id)}
        self.publish(Event("GUILD_MEMBER_ADD", data, Intent.GUILD_MEMBERS, guild.id))
        return member

    def add_channel(self, guild: Guild, name: str, topic: str) -> Channel:
        """Add a text channel to a guild."""
        channel = Channel(self, self.ids.next(), name, guild=guild, topic=topic, created_at=self.clock.now())
        self.register(channel)
        self.publish(Event("CHANNEL_CREATE", payloads.channel(channel), Intent.GUILDS, guild.id))
        return channel

    def register(self, channel: Channel) -> None:
        """Enter a channel or thread where it is looked up."""
        self.channels[channel.id] = channel
        if channel.guild:
            channel.guild.channels[channel.id] = channel

    def direct_channel(self, user: User) -> Channel:
        """Give the direct message channel between the bot and a user, the same one every time."""
        if user.id in self.direct:
            return self.direct[user.id]
        channel = Channel(self, self.ids.next(), user.name, DIRECT, recipient=user, created_at=self.clock.now())
        self.register(channel)
        self.direct[user.id] = channel
        return channel

    def channel_changed(self, channel: Channel) -> None:
        """Tell the bot of a channel's new permissions: as an update, or as gone where it no longer sees it."""
        if channel.guild:
            seen = bool(in_channel(channel.guild.bot, channel))
            name = "CHANNEL_UPDATE" if seen else "CHANNEL_DELETE"
            self.publish(Event(name, payloads.channel(channel), Intent.GUILDS, channel.guild.id))

    def permissions_in(self, channel: Channel, user: User) -> Permission:
        """Give what a user may do in a channel; in a direct message channel everything."""
        if channel.guild is None:
            return EVERYTHING
        member = channel.guild.members.get(user.id)
        return in_channel(member, channel) if member else NOTHING

    def may_ping(self, channel: Channel, author: User, pings: Pings) -> Pings:
        """Take @everyone from pings that the author may not send."""
        everyone = pings.everyone and Permission.MENTION_EVERYONE in self.permissions_in(channel, author)
        return replace(pings, everyone=everyone)

    def keep_file(self, channel: Channel, file: Upload) -> None:
        """Give a file its id and its address."""
        file.id = self.ids.next()
        file.url = f"{self.base_url}/cdn/attachments/{channel.id}/{file.id}/{file.filename}?ex=0&is=0&hm=0"
        self.files[file.id] = file

    def command(self, name: str, kind: int, guild: Guild | None) -> Json | None:
        """Give a registered command: the guild's own before the global one."""
        for scope in (guild.id if guild else 0, 0):
            for command in self.commands.get(scope, []):
                if command["name"] == name and command.get("type", 1) == kind:
                    return command
        return None

    def interact(self, kind: int, user: User, channel: Channel, data: Json, source: Message | None) -> Interaction:
        """Tell the bot of an interaction."""
        interaction = Interaction(self, self.ids.next(), kind, user, channel, data, self.clock.now(), source)
        self.interactions[interaction.token] = interaction
        guild = channel.guild.id if channel.guild else None
        self.publish(Event("INTERACTION_CREATE", payloads.interaction(interaction), guild=guild))
        return interaction


async def _at_once() -> None:
    return
