"""Slash commands, context menus and presses: accepted first, then deferred at once, answered later."""

from collections.abc import Sequence
from typing import Protocol

import aiohttp
import discord
import structlog

from adapters.discord.authors import author_of
from adapters.discord.identifiers import Kind, Route, SentId, groups_of, place_of
from adapters.discord.refusals import is_anothers
from adapters.discord.underway import Attendance, Deferrals
from bot.adapter import Accept, Records
from bot.errors import PreceptorError
from bot.messages import Attachment, IncomingMessage, Place

log = structlog.get_logger(__name__)

_CHOICES = 25
_CHOICE_LENGTH = 100
_TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError)
"""What may go wrong with a call; the last is what aiohttp raises where another login took this one's place."""


class HasInteractions(Protocol):
    """The client as commands and buttons see it."""

    @property
    def interactions(self) -> "Interactions":
        """Where interactions are handed in."""


class Interactions:
    """Takes what people do with commands and buttons."""

    def __init__(self, accept: Accept, records: Records, deferrals: Deferrals, attendance: Attendance) -> None:
        self._accept = accept
        self._records = records
        self._deferrals = deferrals
        self._attendance = attendance

    async def command(
        self,
        interaction: discord.Interaction,
        command: str,
        text: str = "",
        *,
        private: bool,
        about: discord.Message | None = None,
        attachments: tuple[Attachment, ...] = (),
        mentions: tuple[str, ...] = (),
    ) -> None:
        """Take a command.

        Args:
            interaction: the interaction itself.
            command: the core's command.
            text: its argument.
            private: whether the asker alone sees the answer.
            about: the message that a context menu was opened on.
            attachments: files that came with it.
            mentions: whom the argument names.
        """
        message = IncomingMessage(
            key=str(interaction.id),
            place=_place(interaction),
            author=author_of(interaction.user, interaction.guild_id),
            groups_of_place=groups_of(interaction.channel),
            text=text,
            command=command,
            message_id=str(about.id) if about else "",
            about=str(SentId(about.channel.id, about.id)) if about else "",
            attachments=attachments,
            mentions=mentions,
            private=private,
            streaming=not private,
            route=_route(interaction, "command", hidden=private),
        )
        await self._take(interaction, message)

    async def pressed(self, interaction: discord.Interaction, command: str, text: str) -> None:
        """Take a press: `command` and `text` are the button's."""
        under = interaction.message
        if under is None:
            return
        message = IncomingMessage(
            key=str(interaction.id),
            place=_place(interaction),
            author=author_of(interaction.user, interaction.guild_id),
            groups_of_place=groups_of(interaction.channel),
            text=text,
            command=command,
            message_id=str(under.id),
            about=str(SentId(under.channel.id, under.id)),
            # What is asked from under a private answer is private, too.
            private=under.flags.ephemeral and command == "ask",
            route=_route(interaction, "press"),
        )
        await self._take(interaction, message)

    async def titles(self, asker: IncomingMessage) -> Sequence[str]:
        """Give what a question may go on with; nothing where the knowledge base cannot say it now."""
        try:
            found = await self._records.titles(asker, _CHOICES)
        except PreceptorError as error:
            log.warning("no completion", code=error.code)
            return ()
        # Discord takes none twice, and none that is blank.
        return list(dict.fromkeys(title[:_CHOICE_LENGTH] for title in found[:_CHOICES] if title.strip()))

    async def _take(self, interaction: discord.Interaction, message: IncomingMessage) -> None:
        with self._attendance.taken(), self._deferrals.opening(interaction.token):
            try:
                receipt = await self._accept(message)
            except PreceptorError as error:
                log.warning("not accepted", key=message.key, code=error.code)
                await tell(interaction, f"{error.sentence} {error.fix}".strip())
                return
            if receipt.is_new:
                await self._defer(interaction, message)

    async def _defer(self, interaction: discord.Interaction, message: IncomingMessage) -> None:
        """Acknowledge: a command shows that the bot thinks, a press changes nothing that can be seen."""
        try:
            await interaction.response.defer(ephemeral=message.private)
        except _TROUBLE as error:
            if is_anothers(error):
                return
            # It is a committed row by now: the answer finds its way through the channel.
            log.warning("not deferred", key=message.key, error=type(error).__name__)


async def tell(interaction: discord.Interaction, sentence: str) -> None:
    """Say something at once, to whoever acts alone; never raises."""
    try:
        await interaction.response.send_message(sentence, ephemeral=True)
    except _TROUBLE as error:
        if not is_anothers(error):
            log.warning("asker not told", key=interaction.id, error=type(error).__name__)


def asker_of(interaction: discord.Interaction, beginning: str) -> IncomingMessage:
    """Give who is about to ask, where, and what they have typed by now."""
    return IncomingMessage(
        key=str(interaction.id),
        place=_place(interaction),
        author=author_of(interaction.user, interaction.guild_id),
        text=beginning,
        groups_of_place=groups_of(interaction.channel),
    )


def _place(interaction: discord.Interaction) -> Place:
    return place_of(interaction.channel, interaction.channel_id or 0, interaction.guild_id)


def _route(interaction: discord.Interaction, kind: Kind, *, hidden: bool = False) -> str:
    return Route(interaction.user.id, kind, interaction.application_id, interaction.token, hidden).text
