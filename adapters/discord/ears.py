"""What the gateway tells of messages and reactions, as the messages that the core takes."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import aiohttp
import discord
import structlog

from adapters.discord.addressing import Addressing, says_something
from adapters.discord.attachments import files_of
from adapters.discord.authors import author_of
from adapters.discord.identifiers import Route, SentId, groups_of, guild_id_of, place_of
from adapters.discord.needed_permissions import CREATE_THREADS, SEND_IN_THREADS, missing
from adapters.failures import told
from bot.access import UNKNOWN
from bot.adapter import Accept, Receipt, Records
from bot.commands import WORD_FOR_DIAGNOSIS
from bot.errors import PreceptorError
from bot.messages import Author, IncomingMessage, Place
from bot.settings.tree import DiscordSettings

log = structlog.get_logger(__name__)

_SOLVED = "✅"

_UNREADABLE = (
    "Discord does not show me what you wrote: mention me in it by my own name, not my role's, or reply with the mention"
    " switched on."
)

_FRESH = timedelta(hours=1)
"""A message that was not for the bot becomes a question by an edit only while it is younger than this."""


class Ears:
    """Hears one client's events, hands on those that are for the bot and passes over all others."""

    def __init__(
        self,
        client: discord.Client,
        accept: Accept,
        records: Records,
        settings: DiscordSettings,
        *,
        diagnoses_in_threads: bool = False,
    ) -> None:
        self._client = client
        self._accept = accept
        self._records = records
        self._settings = settings
        self._diagnoses_in_threads = diagnoses_in_threads
        self._in_turn = asyncio.Lock()

    @property
    def _addressing(self) -> Addressing:
        if self._client.user is None:
            raise RuntimeError("events come after the login")
        return Addressing(self._client.user, self._records)

    async def message(self, message: discord.Message) -> None:
        """Take a new message."""
        addressing = self._addressing
        if not (addressing.is_from_a_person(message) and await addressing.is_for_me(message)):
            return
        if addressing.can_read(message):
            await self._ask(message)
        else:
            await self._tell(message, _UNREADABLE)

    async def missed(self, message: discord.Message, *, is_answered: bool) -> Receipt | None:
        """Take a message that was read in a channel's history, or the edited form of it; None where it is not for us.

        Nobody is told of what goes wrong: whoever wrote it is not looking now, and it can be read again.

        Args:
            message: the message as it stands.
            is_answered: whether the bot is known to have answered it, though it may not remember that.

        Raises:
            PreceptorError: it was not committed.
        """
        addressing = self._addressing
        if not (addressing.is_from_a_person(message) and says_something(message)):
            return None
        accepted_at = await self._records.accepted_at(str(message.id))
        if accepted_at is None:
            if is_answered or not await addressing.is_for_me(message):
                return None
        elif message.edited_at is None or message.edited_at <= accepted_at:
            return None
        await _look_up_roles(message)
        async with self._in_turn:
            return await self._accept(self._as_it_stands(message, is_known=accepted_at is not None))

    def _as_it_stands(self, message: discord.Message, *, is_known: bool) -> IncomingMessage:
        if not (is_known and message.edited_at):
            return self._question(message, key=str(message.id))
        # Whether the edit was in time is judged by when it was made, and not by when it was seen.
        return replace(self._edit(message, message.edited_at), received_at=message.edited_at)

    async def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Take the edited form of a question; of any other message only where it has become one."""
        message = payload.message
        # Discord sends an update without that time when it adds a link's preview.
        if message.edited_at is None or not self._addressing.is_from_a_person(message):
            return
        # One after the other: of two edits the later one holds.
        async with self._in_turn:
            await self._take_edited(message, message.edited_at)

    async def _take_edited(self, message: discord.Message, edited_at: datetime) -> None:
        if not await self._records.has_accepted(str(message.id)):
            fresh = discord.utils.utcnow() - message.created_at < _FRESH
            if fresh and self._addressing.can_read(message) and await self._addressing.is_for_me(message):
                await self._ask(message)
        # Where the bot's name was taken out of a message, its text is not told any more.
        elif says_something(message):
            await self._take(message, self._edit(message, edited_at))

    def _edit(self, message: discord.Message, edited_at: datetime) -> IncomingMessage:
        key = f"{message.id}/edited/{edited_at.isoformat()}"
        return self._question(message, key=key, revises=str(message.id))

    async def deleted(self, message_ids: Iterable[int], channel_id: int, guild_id: int | None) -> None:
        """Take back the questions among deleted messages."""
        place = self._place(channel_id, guild_id)
        for original in map(str, message_ids):
            if await self._records.has_accepted(original):
                await self._hand_in(
                    IncomingMessage(
                        key=f"{original}/deleted",
                        place=place,
                        author=Author(""),
                        text="",
                        command="withdraw",
                        revises=original,
                    )
                )

    async def reacted(self, payload: discord.RawReactionActionEvent) -> None:
        """Take a ✅ under one of the bot's messages."""
        me = self._client.user
        by_a_bot = payload.member is not None and payload.member.bot
        if str(payload.emoji) != _SOLVED or by_a_bot or me is None or payload.user_id == me.id:
            return
        if payload.message_author_id != me.id:
            return
        await self._hand_in(
            IncomingMessage(
                key=f"{payload.message_id}/solved/{payload.user_id}",
                place=self._place(payload.channel_id, payload.guild_id),
                author=_author_of_reaction(payload),
                text="",
                command="solved",
                message_id=str(payload.message_id),
                about=str(SentId(payload.channel_id, payload.message_id)),
                route=Route(payload.user_id).text,
            )
        )

    async def _ask(self, message: discord.Message) -> None:
        await self._take(message, self._question(message, key=str(message.id)))

    async def _take(self, message: discord.Message, question: IncomingMessage) -> None:
        """Hand a question in. Discord sends no message again: nobody but us can tell the asker that it was not kept."""
        try:
            await self._accept(question)
        except PreceptorError as error:
            log.warning("not accepted", key=question.key, code=error.code)
            await self._tell(message, f"{error.sentence} {error.fix}".strip())
        # The task's boundary: discord.py would go on to the next event, and the asker would wait in vain.
        except Exception as error:  # noqa: BLE001
            log.error("not accepted", key=question.key, **told(error))  # noqa: TRY400 - words may be the asker's
            await self._tell(message, "That did not work on my side. Ask again in a moment.")

    async def _hand_in(self, message: IncomingMessage) -> None:
        try:
            await self._accept(message)
        except PreceptorError as error:
            log.warning("not accepted", key=message.key, code=error.code)

    async def _tell(self, message: discord.Message, sentence: str) -> None:
        try:
            # The nonce keeps an event that comes twice from being told twice.
            await message.reply(sentence, mention_author=False, nonce=str(message.id))
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.warning("asker not told", key=message.id, error=type(error).__name__)

    def _question(self, message: discord.Message, key: str, revises: str = "") -> IncomingMessage:
        addressing = self._addressing
        return IncomingMessage(
            key=key,
            place=self._place_of_question(message),
            author=author_of(message.author, guild_id_of(message.channel)),
            text=addressing.text(message),
            message_id=str(message.id),
            attachments=files_of(message),
            streaming=True,
            revises=revises,
            mentions=addressing.mentions(message),
            groups_of_place=groups_of(message.channel),
            route=Route(message.author.id).text,
        )

    def _place_of_question(self, message: discord.Message) -> Place:
        place = place_of(message.channel, message.channel.id, guild_id_of(message.channel))
        if self._gets_a_thread(message.channel, self._addressing.text(message)):
            # A thread that is started from a message has the message's id.
            return Place(place.platform, place.workspace, place.channel, str(message.id))
        return place

    def _gets_a_thread(self, channel: object, text: str) -> bool:
        if not isinstance(channel, discord.TextChannel):
            return False
        is_description = self._diagnoses_in_threads and WORD_FOR_DIAGNOSIS.match(text.strip())
        if not (is_description or {"*", str(channel.id)}.intersection(self._settings.thread_channels)):
            return False
        me = channel.guild.me
        # A thread in which the bot may not write would stay empty.
        lacking = missing((CREATE_THREADS, SEND_IN_THREADS), channel.permissions_for(me).value) if me else []
        if lacking:
            log.warning("no thread for a question", channel=channel.id, missing=", ".join(lacking))
        return not lacking

    def _place(self, channel_id: int, guild_id: int | None) -> Place:
        return place_of(self._client.get_channel(channel_id), channel_id, guild_id)


def _author_of_reaction(payload: discord.RawReactionActionEvent) -> Author:
    if payload.member:
        return author_of(payload.member, payload.guild_id)
    return Author(str(payload.user_id), roles=frozenset({UNKNOWN} if payload.guild_id else ()))


async def _look_up_roles(message: discord.Message) -> None:
    """Find out which roles the author has: unlike an event, a history does not tell. Unknown roles are none."""
    if message.guild is None or isinstance(message.author, discord.Member):
        return
    try:
        message.author = await message.guild.fetch_member(message.author.id)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        log.info("roles not known", key=message.id, error=type(error).__name__)
