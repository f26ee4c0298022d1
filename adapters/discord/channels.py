"""Messages in channels, threads and direct messages: sent once, edited, found again and taken back."""

import hashlib
import textwrap
from dataclasses import replace
from typing import Any

import discord
import structlog

from adapters.discord.places import SentId, channel_id_of
from adapters.discord.refusals import CANNOT_REPLY, THREAD_EXISTS, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE
from adapters.discord.rendering import Content, addressed_to, content_of, text_of
from adapters.discord.route import Route
from bot.messages import Place, Reply

log = structlog.get_logger(__name__)

_NONCE_BYTES = 12  # 24 characters; Discord takes 25
_LOOKED_THROUGH = 100
_THREAD_NAME_LENGTH = 90


class Channels:
    """What the bot says where everyone in a place sees it, or in a direct message."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def send(self, place: Place, part: Reply, key: str, for_whom: int = 0) -> SentId:
        """Send a part of a reply, with a reference to what it answers; the same key sends once within minutes.

        Args:
            place: where.
            part: what.
            key: the idempotency key.
            for_whom: the id of an asker who is named above it, because nothing else shows who had asked.

        Raises:
            discord.HTTPException: Discord does not take it.
        """
        channel_id = await self._opened(place, part)
        content = _addressed(content_of(part), for_whom)
        return await self.post(channel_id, content, key, _reference(place, channel_id, part))

    async def post(
        self, channel_id: int, content: Content, key: str, reference: discord.MessageReference | None = None
    ) -> SentId:
        """Send a message."""
        try:
            message = await self._post(channel_id, content, key, reference)
        except discord.HTTPException as error:
            if error.code != CANNOT_REPLY or reference is None:
                raise
            # Without the permission to read the history nothing may be referred to; the answer is worth more.
            message = await self._post(channel_id, content, key, None)
        return SentId(channel_id, message.id)

    async def _post(
        self, channel_id: int, content: Content, key: str, reference: discord.MessageReference | None
    ) -> discord.Message:
        for file in content.files:
            file.reset(seek=True)
        optional = {"view": content.view, "files": content.files, "reference": reference}
        given: dict[str, Any] = {name: value for name, value in optional.items() if value}
        return await self._client.get_partial_messageable(channel_id).send(
            content.text, allowed_mentions=content.mentions, nonce=_nonce(key), suppress_embeds=True, **given
        )

    async def write_to(self, user: int, content: Content, key: str) -> SentId:
        """Send a direct message.

        Raises:
            discord.Forbidden: this person takes none.
        """
        channel = await self._client.create_dm(discord.Object(user))
        return await self.post(channel.id, content, key)

    async def edit(self, sent: SentId, part: Reply, for_whom: int = 0) -> None:
        """Put a part in the stead of a message."""
        await self.put(sent, _addressed(content_of(part), for_whom))

    async def put(self, sent: SentId, content: Content) -> None:
        """Put a content in the stead of a message's."""
        message = self._client.get_partial_messageable(sent.channel).get_partial_message(sent.message)
        await message.edit(
            content=content.text, view=content.view, attachments=content.files, allowed_mentions=content.mentions
        )

    async def delete(self, sent: SentId) -> None:
        """Take a message back; one that is gone is no error."""
        try:
            await self._client.get_partial_messageable(sent.channel).get_partial_message(sent.message).delete()
        except discord.NotFound:
            log.debug("gone already", channel=sent.channel, message=sent.message)

    async def find(self, place: Place, part: Reply) -> SentId | None:
        """Look after the question for a message of ours that says the same, or the beginning of it."""
        for channel_id in dict.fromkeys((channel_id_of(place), int(place.channel))):
            try:
                if found := await self._find(channel_id, part):
                    return found
            except (discord.NotFound, discord.Forbidden):
                continue
        return None

    async def _find(self, channel_id: int, part: Reply) -> SentId | None:
        text, asked = text_of(part), int(part.in_reply_to)
        same = (text, addressed_to(Route.of(part.route).user, text))
        history = self._client.get_partial_messageable(channel_id).history(
            limit=_LOOKED_THROUGH, after=discord.Object(asked), oldest_first=True
        )
        async for message in history:
            if message.author.id != (self._client.user and self._client.user.id):
                continue
            refers = message.reference is not None and message.reference.message_id == asked
            if message.content in same or (refers and part.part == 0 and text.startswith(message.content.rstrip())):
                return SentId(channel_id, message.id)
        return None

    async def _opened(self, place: Place, part: Reply) -> int:
        """Give the id of the channel to write to; a question's own thread is started where there is none yet."""
        own_thread = place.thread and place.thread == part.in_reply_to
        if not own_thread or self._client.get_channel(int(place.thread)):
            return channel_id_of(place)
        try:
            await self._start_thread(place, part)
        except discord.HTTPException as error:
            if error.code != THREAD_EXISTS:
                log.warning("no thread started", channel=place.channel, missing="Create Public Threads")
                return int(place.channel)
        return channel_id_of(place)

    async def _start_thread(self, place: Place, part: Reply) -> None:
        channel = self._client.get_partial_messageable(int(place.channel), guild_id=int(place.workspace))
        await channel.get_partial_message(int(place.thread)).create_thread(name=_thread_name(part.question))


def is_gone(error: discord.HTTPException) -> bool:
    """Say whether the message or its channel is no longer there."""
    return error.code in (UNKNOWN_MESSAGE, UNKNOWN_CHANNEL)


def _addressed(content: Content, for_whom: int) -> Content:
    return replace(content, text=addressed_to(for_whom, content.text)) if for_whom else content


def _nonce(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=_NONCE_BYTES).hexdigest()


def _reference(place: Place, channel_id: int, part: Reply) -> discord.MessageReference | None:
    """Refer to the question, where it stands in the same channel; the first part does."""
    if part.part or not part.in_reply_to.isdecimal() or str(channel_id) == part.in_reply_to:
        return None
    return discord.MessageReference(
        message_id=int(part.in_reply_to),
        channel_id=channel_id,
        guild_id=int(place.workspace) if place.workspace else None,
        fail_if_not_exists=False,
    )


def _thread_name(question: str) -> str:
    line = " ".join(question.split())
    shortened = textwrap.shorten(line, _THREAD_NAME_LENGTH, placeholder=" …")
    # Of a single long word nothing is left but the ellipsis.
    return (shortened if shortened != "…" else line[:_THREAD_NAME_LENGTH]) or "Question"
