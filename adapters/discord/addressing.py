"""Which messages are for the bot, and what they say without its name."""

import re

import discord

from adapters.discord import message_text
from adapters.discord.attachments import files_of
from adapters.discord.identifiers import place_of
from bot.adapter import Records

_FROM_PEOPLE = (discord.MessageType.default, discord.MessageType.reply)


class Addressing:
    """Tells, for one logged-in bot, whether it is spoken to."""

    def __init__(self, me: discord.ClientUser, records: Records) -> None:
        self._me = me
        self._records = records

    def is_from_a_person(self, message: discord.Message) -> bool:
        """Say whether a person wrote it: no bot, no webhook, not Discord itself."""
        return not message.author.bot and message.webhook_id is None and message.type in _FROM_PEOPLE

    async def is_for_me(self, message: discord.Message) -> bool:
        """Say whether it is a direct message, names the bot, replies to it, or goes on in one of its threads."""
        if is_direct(message) or self._names_me(message) or self._replies_to_me(message):
            return True
        return await self._goes_on_with_me(message)

    def _names_me(self, message: discord.Message) -> bool:
        # A reply with its mention switched on names the bot among the mentions alone, an edited text by itself alone.
        named = {someone.id for someone in message.mentions}
        if self._me.id in named or f"user:{self._me.id}" in message_text.mentions(message.content):
            return True
        # A server gives every bot a role of its own, and people pick that from the menu as easily as the bot itself.
        return message.guild is not None and message.guild.self_role in message.role_mentions

    def _replies_to_me(self, message: discord.Message) -> bool:
        to = message.reference.resolved if message.reference else None
        return isinstance(to, discord.Message) and to.author.id == self._me.id

    def can_read(self, message: discord.Message) -> bool:
        """Say whether Discord shows what a message for the bot says; an empty mention is shown, too."""
        return says_something(message) or bool(message.stickers) or is_direct(message)

    async def _goes_on_with_me(self, message: discord.Message) -> bool:
        thread = message.channel
        # Without the message-content intent there is nothing to go on with.
        if not isinstance(thread, discord.Thread) or not says_something(message):
            return False
        if message.mentions or message.role_mentions or _replies_to_another(message):
            return False
        if thread.owner_id == self._me.id:
            return True
        return await self._records.takes_part(place_of(thread, thread.id, thread.guild.id))

    def text(self, message: discord.Message) -> str:
        """Give what is said, as CommonMark, without the bot's own name."""
        own_role = message.guild.self_role if message.guild else None
        named = rf"<@!?{self._me.id}>" + (rf"|<@&{own_role.id}>" if own_role else "")
        said = re.sub(rf"[ \t]*(?:{named})[ \t]*", " ", message.content).strip()
        # Names are chosen by who bears them: within a command they could be taken for words of it.
        return message_text.commonmark(said, {} if said.startswith("/") else names_in(message))

    def mentions(self, message: discord.Message) -> tuple[str, ...]:
        """Give whom it names besides the bot, as ``user:ID`` and ``role:ID``."""
        own_role = message.guild.self_role if message.guild else None
        mine = {f"user:{self._me.id}", f"role:{own_role.id if own_role else 0}"}
        return tuple(name for name in message_text.mentions(message.content) if name not in mine)


def is_direct(message: discord.Message) -> bool:
    """Say whether it was written to the bot alone; a server that is not known yet is a server all the same."""
    return isinstance(message.channel, discord.DMChannel)


def says_something(message: discord.Message) -> bool:
    """Say whether there are words or files in it, or it forwards files."""
    return bool(message.content or files_of(message))


def _replies_to_another(message: discord.Message) -> bool:
    to = message.reference.resolved if message.reference else None
    return isinstance(to, discord.Message) and to.author.id != message.author.id


def names_in(message: discord.Message) -> dict[str, str]:
    """Give what those whom a message names are called, by id."""
    people = {str(person.id): person.display_name for person in message.mentions}
    roles = {str(role.id): role.name for role in message.role_mentions}
    channels = {str(channel.id): channel.name for channel in message.channel_mentions}
    return people | roles | channels
