"""Guilds, roles, channels and threads: the places of the loopback, and what a test reads from them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from .permissions import EVERYTHING, NOTHING, Overwrite, Permission

if TYPE_CHECKING:
    from datetime import datetime

    from .messages import Message
    from .people import Member, User
    from .world import World

TEXT, DIRECT, ANNOUNCEMENT, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 5, 11, 12


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild; @everyone is the one whose id is the guild's."""

    id: int
    name: str
    permissions: Permission = NOTHING
    position: int = 1
    mentionable: bool = False
    managed: bool = False

    @property
    def mention(self) -> str:
        """How a text names it."""
        return f"<@&{self.id}>"


@dataclass(slots=True, eq=False)
class Guild:
    """A server: people, roles and channels. `owner_id` may do everything there."""

    world: World
    id: int
    name: str
    owner_id: int = 0
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)

    @property
    def everyone(self) -> Role:
        """The role that all members have."""
        return self.roles[self.id]

    @property
    def bot(self) -> Member:
        """The bot's membership."""
        return self.members[self.world.bot.id]

    def role(self, name: str, permissions: Permission = NOTHING, *, mentionable: bool = False) -> Role:
        """Add a role."""
        return self.world.add_role(self, name, permissions, mentionable)

    def member(
        self,
        name: str,
        *,
        roles: tuple[Role, ...] = (),
        permissions: Permission = NOTHING,
        bot: bool = False,
        user: User | None = None,
    ) -> Member:
        """Add a member: a new user of that name, or a user whom another guild has too.

        `permissions` beyond everyone's come in a role of the member's own.
        """
        if permissions:
            roles = (*roles, self.role(f"{name}'s", permissions))
        return self.world.add_member(self, user or self.world.add_user(name, bot=bot), roles)

    def channel(
        self,
        name: str,
        *,
        allow: dict[Role | Member, Permission] | None = None,
        deny: dict[Role | Member, Permission] | None = None,
        topic: str = "",
    ) -> Channel:
        """Add a text channel, with what it allows and denies roles and members (the bot is `guild.bot`)."""
        channel = self.world.add_channel(self, name, topic)
        for target, permissions in (allow or {}).items():
            channel.allow(target, permissions)
        for target, permissions in (deny or {}).items():
            channel.deny(target, permissions)
        return channel

    def remove(self) -> None:
        """Throw the bot out of the guild."""
        self.world.remove_guild(self)


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel, a thread or a direct message channel.

    Attributes:
        parent: a thread's channel.
        recipient: whom a direct message channel leads to.
        owner: who started a thread.
        starter: the message a thread was started from.
        typing: when the bot showed that it was typing there.
    """

    world: World
    id: int
    name: str = ""
    kind: int = TEXT
    guild: Guild | None = None
    parent: Channel | None = None
    topic: str = ""
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    recipient: User | None = None
    owner: User | None = None
    starter: Message | None = None
    created_at: datetime | None = None
    archived: bool = False
    locked: bool = False
    joined: dict[int, datetime] = field(default_factory=dict)
    log: list[Message] = field(default_factory=list)
    typing: list[datetime] = field(default_factory=list)
    read_up_to: int = 0

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread."""
        return self.kind in (PUBLIC_THREAD, PRIVATE_THREAD)

    @property
    def mention(self) -> str:
        """How a text names it."""
        return f"<#{self.id}>"

    @property
    def messages(self) -> list[Message]:
        """What everyone there sees now, oldest first."""
        return [message for message in self.log if not (message.deleted or message.ephemeral)]

    @property
    def ephemeral_messages(self) -> list[Message]:
        """What one person each sees there, oldest first."""
        return [message for message in self.log if message.ephemeral and not message.deleted]

    @property
    def deleted_messages(self) -> list[Message]:
        """What is gone, oldest first."""
        return [message for message in self.log if message.deleted]

    @property
    def bot_messages(self) -> list[Message]:
        """What the bot said there and everyone sees, oldest first."""
        return [message for message in self.messages if message.author is self.world.bot]

    @property
    def threads(self) -> list[Channel]:
        """The threads in it, oldest first."""
        if self.guild is None:
            return []
        return [channel for channel in self.guild.channels.values() if channel.parent is self]

    def messages_after(self, number: int) -> list[Message]:
        """Give what everyone there sees now and has an id above `number`, oldest first."""
        recent = takewhile(lambda message: message.id > number, reversed(self.log))
        return [message for message in recent if not (message.deleted or message.ephemeral)][::-1]

    async def next_message(self, within: float = 20.0) -> Message:
        """Wait for the next message of the bot that everyone sees and that was not given before, as it then stands.

        Raises TimeoutError after `within` seconds.
        """
        await self.world.until(lambda: bool(self._unread), within)
        message = self._unread[0]
        self.read_up_to = message.id
        return message

    async def next_answer(self, within: float = 20.0, quiet: float = 0.3) -> Message:
        """Wait for the bot's next message, and then until it was not edited for `quiet` seconds."""
        message = await self.next_message(within)
        states = 0
        while states != len(message.history):
            states = len(message.history)
            await asyncio.sleep(quiet)
        return message

    def allow(self, target: Role | Member, permissions: Permission) -> None:
        """Allow a role or a member something here."""
        self._overwrite(target, permissions, NOTHING)

    def deny(self, target: Role | Member, permissions: Permission = EVERYTHING) -> None:
        """Deny a role or a member something here."""
        self._overwrite(target, NOTHING, permissions)

    def _overwrite(self, target: Role | Member, allow: Permission, deny: Permission) -> None:
        old = self.overwrites.get(target.id, Overwrite(target.id, int(not isinstance(target, Role))))
        self.overwrites[target.id] = Overwrite(
            old.target, old.kind, (old.allow | allow) & ~deny, (old.deny | deny) & ~allow
        )
        self.world.channel_changed(self)

    @property
    def _unread(self) -> list[Message]:
        return [message for message in self.messages_after(self.read_up_to) if message.author is self.world.bot]

    def __repr__(self) -> str:
        return f"<Channel {self.id} {self.name!r}>"
