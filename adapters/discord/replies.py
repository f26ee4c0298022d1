"""Decides through which door a reply leaves: in the channel, through an interaction's token, or privately."""

import re
from dataclasses import replace

import discord
import structlog

from adapters.discord.channels import Channels
from adapters.discord.explaining import Explaining
from adapters.discord.identifiers import Route, SentId, channel_id_of
from adapters.discord.refusals import in_core_terms, is_gone, is_over, is_permission
from adapters.discord.rendering import content_of
from adapters.discord.responses import Responses
from adapters.discord.underway import Deferrals
from bot.errors import DeliveryRefusedError, NotAllowedError
from bot.messages import Place, Reply

log = structlog.get_logger(__name__)

_SAFE_IN_PUBLIC = ("refused", "failed")
"""Outcomes whose sentences tell nothing of the asker's; that they may not do something is nobody else's matter."""

_COMMAND = re.compile(r"/\w+")


class Replies:
    """What the adapter says, wherever that has to be said."""

    def __init__(self, client: discord.Client, deferrals: Deferrals) -> None:
        self._channels = Channels(client)
        self._responses = Responses(client, deferrals)
        self._explaining = Explaining(client, self._channels, self._responses)

    async def send(self, place: Place, part: Reply, key: str) -> SentId:
        """Send one part of a reply.

        Raises:
            RateLimitedError: Discord wants a pause.
            DeliveryRefusedError: Discord will not take it, and the asker was told if that was possible.
        """
        with in_core_terms():
            try:
                return await self._send(place, part, key, Route.of(part.route))
            except discord.HTTPException as error:
                return await self._explained(place, part, key, error)

    async def _send(self, place: Place, part: Reply, key: str, route: Route) -> SentId:
        if route.token and (route.kind == "command" or part.ephemeral):
            return await self._respond(place, part, key, route)
        if _is_private(place, part):
            return await self._say_privately(place, part, key, route)
        return await self._channels.send(place, part, key)

    async def _explained(self, place: Place, part: Reply, key: str, error: discord.HTTPException) -> SentId:
        """Tell the asker why there is no answer where they asked, if it is for want of a permission there."""
        if not (is_permission(error) and place.workspace):
            raise error
        return await self._explaining.explain(place, part, key, error)

    async def _respond(self, place: Place, part: Reply, key: str, route: Route) -> SentId:
        try:
            if route.kind == "command":
                return await self._responses.send(route, part)
            return await self._responses.follow_up(route, content_of(part), hidden=True)
        except discord.HTTPException as error:
            if not is_over(error):
                raise
        log.info("the interaction is over", kind=route.kind, channel=place.channel)
        if place.workspace and (part.ephemeral or route.hidden):
            return await self._say_privately(place, part, key, route)
        return await self._channels.send(place, part, key, for_whom=_named(place, part, route))

    async def _say_privately(self, place: Place, part: Reply, key: str, route: Route) -> SentId:
        """Write to the asker directly; where they take no messages, say in the channel how they can be answered."""
        if not route.user:
            raise DeliveryRefusedError("Nobody is known to whom it could be told privately.")
        content = content_of(part)
        if part.error == NotAllowedError.code:
            # Where they may not they do not see from the sentence alone.
            content = replace(content, text=f"-# <#{channel_id_of(place)}>\n{content.text}")
        try:
            return await self._channels.write_to(route.user, content, key)
        except discord.Forbidden:
            if part.part:
                raise
        led = replace(part, text=_how_to_hear(part), citations=(), buttons=(), files=())
        return await self._channels.send(place, led, key)

    async def edit(self, place: Place, sent: SentId, part: Reply) -> None:
        """Put a part in the stead of what was sent. Raises what `send` does."""
        route = Route.of(part.route)
        with in_core_terms():
            try:
                if not await self._edited_through_token(sent, part, route):
                    await self._channels.edit(sent, part, for_whom=_named(place, part, route))
            except discord.HTTPException as error:
                await self._explained(place, part, f"{sent} {part.part}", error)

    async def _edited_through_token(self, sent: SentId, part: Reply, route: Route) -> bool:
        if not route.token or not (route.kind == "command" or part.ephemeral):
            return False
        try:
            await self._responses.edit(route, sent, part)
        except discord.HTTPException as error:
            # The token has expired, or the answer had gone to the channel: there it may still be edited.
            if not (is_over(error) or is_gone(error)):
                raise
            return False
        return True

    async def delete(self, sent: SentId) -> None:
        """Take back what was sent."""
        with in_core_terms():
            await self._channels.delete(sent)

    async def find(self, place: Place, part: Reply) -> SentId | None:
        """Look for what an interrupted `send` may have delivered: in the place, or among the direct messages.

        What only the asker sees in answer to an interaction is in no history.
        """
        if not part.in_reply_to.isdecimal():
            return None
        with in_core_terms():
            if _is_private(place, part):
                return await self._channels.find_with(Route.of(part.route).user, part)
            return await self._channels.find(place, part)


def _is_private(place: Place, part: Reply) -> bool:
    """Say whether others would read what is for the asker alone."""
    tells = part.outcome not in _SAFE_IN_PUBLIC or part.error == NotAllowedError.code
    return part.ephemeral and bool(place.workspace) and tells


def _named(place: Place, part: Reply, route: Route) -> int:
    """Give whom a part names because nothing else shows there who had asked: the first one, for a command."""
    return route.user if route.kind == "command" and part.part == 0 and place.workspace else 0


def _how_to_hear(part: Reply) -> str:
    asked = _COMMAND.match(part.question.strip())
    command = f"`{asked[0]}`" if asked else "the command"
    return (
        "That is for your eyes alone, and you take no direct messages from me:"
        f" choose {command} from the menu that opens when you type `/`."
    )
