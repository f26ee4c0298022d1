"""Messages in channels, threads and direct messages: sent once, edited, found again and taken back."""

import hashlib
import textwrap
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import discord
import structlog

from adapters.discord.identifiers import Route, SentId, channel_id_of
from adapters.discord.needed_permissions import CREATE_THREADS
from adapters.discord.refusals import CANNOT_REPLY, THREAD_EXISTS, UNKNOWN_CHANNEL, is_permission
from adapters.discord.rendering import Content, addressed_to, content_of, text_of
from bot.messages import Place, Reply

log = structlog.get_logger(__name__)

_NONCE_BYTES = 12  # 24 characters; Discord takes 25
_LOOKED_THROUGH, _LATEST = 300, 100
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
        await self._start_thread(place, part)
        content, here, above = _addressed(content_of(part), for_whom), channel_id_of(place), int(place.channel)
        try:
            return await self.post(here, content, key, _reference(place, here, part))
        except discord.HTTPException as error:
            if error.code != UNKNOWN_CHANNEL or here == above:
                raise
            # Where no thread could be started for its first part, the whole answer stands in the channel.
            return await self.post(above, content, key, _reference(place, above, part))

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
        """Put a part in the stead of a message; an asker is named above it as in `send`."""
        content = _addressed(content_of(part), for_whom)
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

    async def find_with(self, user: int, part: Reply) -> SentId | None:
        """Look for the same in the direct messages with somebody."""
        if not user:
            return None
        return await self._find((await self._client.create_dm(discord.Object(user))).id, part)

    async def _find(self, channel_id: int, part: Reply) -> SentId | None:
        text, asked = text_of(part), int(part.in_reply_to)
        same = (text, addressed_to(Route.of(part.route).user, text))
        last = asked
        async for message in self._after(channel_id, asked):
            if message.author.id != (self._client.user and self._client.user.id):
                continue
            answered = _answered_by(message)
            last = answered or last
            # Others may have asked the same: a first part tells what it answers, the further ones follow it. In a
            # question's own thread nothing needs to be told.
            is_its_first = answered == asked or (not answered and channel_id == asked)
            if part.part == 0 and is_its_first and text.startswith(message.content.rstrip()):
                return SentId(channel_id, message.id)
            if message.content in same and (last == asked if part.part else not answered):
                return SentId(channel_id, message.id)
        return None

    async def _after(self, channel_id: int, asked: int) -> AsyncIterator[discord.Message]:
        """Yield what was written after a question, oldest first; of very much the beginning and the end."""
        channel, number, last = self._client.get_partial_messageable(channel_id), 0, discord.Object(asked)
        async for message in channel.history(limit=_LOOKED_THROUGH, after=last, oldest_first=True):
            number, last = number + 1, discord.Object(message.id)
            yield message
        if number == _LOOKED_THROUGH:
            latest = [one async for one in channel.history(limit=_LATEST, after=last, oldest_first=False)]
            for message in reversed(latest):
                yield message

    async def _start_thread(self, place: Place, part: Reply) -> None:
        """Start a question's own thread with the first part of the answer, where there is none yet."""
        own_thread = place.thread and place.thread == part.in_reply_to
        if part.part or not own_thread or self._client.get_channel(int(place.thread)):
            return
        channel = self._client.get_partial_messageable(int(place.channel), guild_id=int(place.workspace))
        try:
            await channel.get_partial_message(int(place.thread)).create_thread(name=_thread_name(part.question))
        except discord.HTTPException as error:
            if error.code != THREAD_EXISTS:
                missing = {"missing": CREATE_THREADS.name} if is_permission(error) else {}
                log.warning("no thread started", channel=place.channel, code=error.code, **missing)


def _answered_by(message: discord.Message) -> int:
    """Give the id of the message or interaction that a message answers; 0 where it tells none."""
    if message.reference is not None:
        return message.reference.message_id or 0
    return message.interaction_metadata.id if message.interaction_metadata else 0


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
