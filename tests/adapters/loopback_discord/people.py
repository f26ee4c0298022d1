"""Users and members, and what they do: they talk, react, press and invoke as people do in a client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import invocations, posting

if TYPE_CHECKING:
    from datetime import datetime

    from .interactions import Interaction
    from .messages import Message, Upload
    from .places import Channel, Guild, Role
    from .world import World


class Person:
    """What people do. Each action is delivered to the bot's connection before it returns."""

    __slots__ = ()

    def _account(self) -> User:
        raise NotImplementedError

    def _where(self) -> World:
        raise NotImplementedError

    @property
    def dm(self) -> Channel:
        """The direct message channel with the bot."""
        return self._where().direct_channel(self._account())

    async def says(
        self,
        channel: Channel,
        text: str = "",
        *,
        mentions_bot: bool = False,
        reply_to: Message | None = None,
        pings: bool = True,
        attachments: tuple[Upload, ...] = (),
    ) -> Message:
        """Post a message.

        Args:
            channel: where.
            text: what; mentions in it count as in a client.
            mentions_bot: whether the bot is mentioned first.
            reply_to: the message it replies to.
            pings: whether a reply notifies its addressee. Without that, and without the message content intent, the
                bot is not told what a reply to it says.
            attachments: the files that come along.
        """
        if mentions_bot:
            text = f"{self._where().bot.mention} {text}"
        allowed = None if pings else {"parse": ["users", "roles", "everyone"], "replied_user": False}
        message = posting.post(
            self._where(),
            channel,
            self._account(),
            content=text,
            reference=reply_to,
            attachments=list(attachments),
            allowed_mentions=allowed,
        )
        await self._where().delivered()
        return message

    async def forwards(self, message: Message, channel: Channel) -> Message:
        """Forward a message to a channel: what arrives has no text of its own."""
        forwarding = posting.post(self._where(), channel, self._account(), forwards=message)
        await self._where().delivered()
        return forwarding

    async def edits(self, message: Message, text: str) -> None:
        """Put a new text in the stead of a message's."""
        posting.edit(self._where(), message, {"content": text})
        await self._where().delivered()

    async def deletes(self, message: Message) -> None:
        """Delete a message."""
        posting.delete(self._where(), message)
        await self._where().delivered()

    async def reacts(self, message: Message, emoji: str) -> None:
        """React to a message."""
        posting.react(self._where(), message, self._account(), emoji)
        await self._where().delivered()

    async def unreacts(self, message: Message, emoji: str) -> None:
        """Take a reaction back."""
        posting.unreact(self._where(), message, self._account(), emoji)
        await self._where().delivered()

    async def starts_thread(self, channel: Channel, name: str, *, on: Message | None = None) -> Channel:
        """Start a thread in a channel, or from a message there."""
        thread = posting.start_thread(self._where(), channel, self._account(), name, on)
        await self._where().delivered()
        return thread

    async def invokes(self, channel: Channel, command: str, options: dict[str, Any] | None = None) -> Interaction:
        """Use a slash command (``"ask"``, ``"config show"``); raises `invocations.Unavailable` where a client would not
        offer it: it is not registered, not for this person, not for this place, or an option is missing or wrong.

        An option's value is a plain value, or the `Upload`, `Member`, `User`, `Channel` or `Role` that is meant.
        """
        data = invocations.slash_command(self._where(), self._account(), channel, command, options or {})
        return await self._interacts(2, channel, data)

    async def invokes_on(self, target: Message | Member, command: str, channel: Channel | None = None) -> Interaction:
        """Use a context menu's command on a message, or on a member as seen in `channel`."""
        where = channel or getattr(target, "channel", None)
        if where is None:
            raise ValueError("a member's menu is opened in a channel")
        data = invocations.context_menu(self._where(), self._account(), where, command, target)
        return await self._interacts(2, where, data)

    async def types(
        self, channel: Channel, command: str, option: str, text: str, others: dict[str, Any] | None = None
    ) -> Interaction:
        """Type into an option that completes itself; what is offered is the interaction's `choices`."""
        data = invocations.autocomplete(self._where(), self._account(), channel, command, option, text, others or {})
        return await self._interacts(4, channel, data)

    async def presses(self, message: Message, button: str) -> Interaction:
        """Press a button, named by its custom id, label or emoji."""
        return await self._interacts(
            3, message.channel, invocations.press(self._account(), message, button), message=message
        )

    async def chooses(self, message: Message, menu: str, values: list[str]) -> Interaction:
        """Choose from a select menu, named by its custom id."""
        data = invocations.choice(self._account(), message, menu, values)
        return await self._interacts(3, message.channel, data, message=message)

    async def submits(self, opened: Interaction, values: dict[str, str]) -> Interaction:
        """Fill in the modal that an interaction was answered with, field by custom id, and send it off."""
        data = invocations.submission(self._account(), opened, values)
        return await self._interacts(5, opened.channel, data, message=opened.source)

    async def _interacts(
        self, kind: int, channel: Channel, data: dict[str, Any], message: Message | None = None
    ) -> Interaction:
        interaction = self._where().interact(kind, self._account(), channel, data, message)
        await self._where().delivered()
        return interaction


@dataclass(slots=True, eq=False)
class User(Person):
    """An account. `accepts_messages` is whether the bot may write to it directly."""

    world: World
    id: int
    name: str
    bot: bool = False
    accepts_messages: bool = True

    def _account(self) -> User:
        return self

    def _where(self) -> World:
        return self.world

    @property
    def user(self) -> User:
        """The account itself."""
        return self

    @property
    def mention(self) -> str:
        """How a text names it."""
        return f"<@{self.id}>"


@dataclass(slots=True, eq=False)
class Member(Person):
    """A user in a guild."""

    guild: Guild
    user: User
    joined_at: datetime
    roles: list[Role] = field(default_factory=list)
    nick: str | None = None

    def _account(self) -> User:
        return self.user

    def _where(self) -> World:
        return self.guild.world

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user.id

    @property
    def name(self) -> str:
        """What others see."""
        return self.nick or self.user.name

    @property
    def mention(self) -> str:
        """How a text names them."""
        return self.user.mention
