"""Tells an asker privately why no answer appears where they asked, and the log which permission is missing."""

from time import monotonic

import discord
import structlog

from adapters.discord.channels import Channels
from adapters.discord.identifiers import Route, SentId, channel_id_of
from adapters.discord.needed_permissions import (
    ATTACH_FILES,
    MANAGE_THREADS,
    SEND_IN_THREADS,
    SEND_MESSAGES,
    VIEW_CHANNEL,
    missing,
)
from adapters.discord.refusals import is_closed_thread, is_unseen
from adapters.discord.rendering import Content, notice
from adapters.discord.responses import Responses
from bot.errors import DeliveryRefusedError
from bot.messages import Place, Reply

log = structlog.get_logger(__name__)

_QUIET_SECONDS = 3600.0
"""How long somebody is told only once about one channel."""


class Explaining:
    """What happens when the bot may not write somewhere."""

    def __init__(self, client: discord.Client, channels: Channels, responses: Responses) -> None:
        self._client = client
        self._channels = channels
        self._responses = responses
        self._told: dict[tuple[int, int], float] = {}

    async def explain(self, place: Place, part: Reply, key: str, error: discord.HTTPException) -> SentId:
        """Tell the asker in place of the answer, once an hour for each channel.

        Raises:
            DeliveryRefusedError: nobody could be told, or they were already; or the answer still grows.
        """
        lacking = _missing(self._client.get_channel(channel_id_of(place)), part, error)
        refused = DeliveryRefusedError(f"The permission “{lacking}” is missing there.")
        log.warning("may not write", missing=lacking, server=place.workspace, channel=channel_id_of(place))
        route = Route.of(part.route)
        told = route.user, channel_id_of(place)
        if not (part.complete and route.user and self._is_news(told)):
            raise refused from error
        try:
            sent_id = await self._tell(route, notice(_sentence(place, lacking)), key)
        except discord.HTTPException as unheard:
            raise refused from unheard
        self._told[told] = monotonic()
        return sent_id

    async def _tell(self, route: Route, content: Content, key: str) -> SentId:
        if route.token:
            try:
                return await self._responses.follow_up(route, content, hidden=True)
            except discord.HTTPException as error:
                log.debug("not told through the interaction", code=error.code)
        return await self._channels.write_to(route.user, content, key)

    def _is_news(self, told: tuple[int, int]) -> bool:
        now = monotonic()
        self._told = {one: when for one, when in self._told.items() if now - when < _QUIET_SECONDS}
        return told not in self._told


def _missing(channel: object, part: Reply, error: discord.HTTPException) -> str:
    """Name the permission that the bot lacks to say something in a channel; where it cannot be told, what Discord says.

    Args:
        channel: discord.py's object for it, or None where it is not known.
        part: what was to be said.
        error: what Discord said to it.
    """
    if is_closed_thread(error):
        return MANAGE_THREADS.name
    if is_unseen(error):
        return VIEW_CHANNEL.name
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread) or channel.guild.me is None:
        return error.text
    writing = SEND_IN_THREADS if isinstance(channel, discord.Thread) else SEND_MESSAGES
    needed = (VIEW_CHANNEL, writing, *([ATTACH_FILES] if part.files else ()))
    lacking = missing(needed, channel.permissions_for(channel.guild.me).value)
    return lacking[0] if lacking else error.text


def _sentence(place: Place, permission: str) -> str:
    return (
        f"I have an answer for you, and I may not write it in <#{channel_id_of(place)}>, where you asked: I lack the"
        f" permission “{permission}” there. Whoever runs that server can give it to me; then ask again."
    )
