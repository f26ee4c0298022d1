"""Answers to interactions, given through the interaction's token: to a slash command, a context menu, a press."""

import asyncio
import contextlib
from datetime import timedelta
from typing import cast

import discord

from adapters.discord.identifiers import Route, SentId
from adapters.discord.refusals import is_unacknowledged
from adapters.discord.rendering import Content, content_of
from adapters.discord.underway import Deferrals
from bot.messages import Reply

# The name under which Discord knows an interaction's first response; discord.py passes it on as it is.
_FIRST = cast("int", "@original")

_DEFERRED_WITHIN = timedelta(seconds=3)
"""Later than this Discord takes no first response to an interaction."""

_LOOK_SECONDS = 0.25


class Responses:
    """What the bot says in answer to interactions."""

    def __init__(self, client: discord.Client, deferrals: Deferrals) -> None:
        self._client = client
        self._deferrals = deferrals

    async def send(self, route: Route, part: Reply) -> SentId:
        """Answer a command: the first part takes the place of "thinking", the others follow.

        A deferral that everyone sees cannot become an answer that one person sees: it is taken back instead.

        Raises:
            discord.HTTPException: Discord does not take it; see `refusals.is_over`.
        """
        while True:
            try:
                return await self._send(route, part)
            except discord.NotFound as error:
                # Another process may have heard the command, and be about to defer it.
                if not (is_unacknowledged(error) and _may_be_deferred_yet(part)):
                    raise
            await asyncio.sleep(_LOOK_SECONDS)

    async def _send(self, route: Route, part: Reply) -> SentId:
        await self._deferrals.settled(route.token)
        if part.part:
            return await self.follow_up(route, content_of(part), hidden=part.ephemeral or route.hidden)
        if part.ephemeral and not route.hidden:
            with contextlib.suppress(discord.NotFound):
                await self._hook(route).delete_message(_FIRST)
            return await self.follow_up(route, content_of(part), hidden=True)
        return await self._edit(route, _FIRST, part)

    async def follow_up(self, route: Route, content: Content, *, hidden: bool) -> SentId:
        """Send one more message after the first response."""
        await self._deferrals.settled(route.token)
        message = await self._hook(route).send(
            content.text,
            view=content.view or discord.utils.MISSING,
            files=content.files or discord.utils.MISSING,
            allowed_mentions=content.mentions,
            ephemeral=hidden,
            suppress_embeds=True,
            wait=True,
        )
        return SentId(message.channel.id, message.id)

    async def edit(self, route: Route, sent: SentId, part: Reply) -> None:
        """Put a part in the stead of what was sent."""
        await self._edit(route, sent.message, part)

    async def _edit(self, route: Route, message_id: int, part: Reply) -> SentId:
        content = content_of(part)
        message = await self._hook(route).edit_message(
            message_id,
            content=content.text,
            view=content.view,
            attachments=content.files,
            allowed_mentions=content.mentions,
        )
        return SentId(message.channel.id, message.id)

    def _hook(self, route: Route) -> discord.Webhook:
        hook = discord.Webhook.partial(route.application, route.token, client=self._client)
        hook.type = discord.WebhookType.application
        return hook


def _may_be_deferred_yet(part: Reply) -> bool:
    """Say whether the command that a part answers is so young that it may still be acknowledged; its id tells."""
    if not part.in_reply_to.isdecimal():
        return False
    return discord.utils.utcnow() - discord.utils.snowflake_time(int(part.in_reply_to)) < _DEFERRED_WITHIN
