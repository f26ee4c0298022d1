"""Tells an asker privately why no answer appears where they asked, and the log which permission is missing."""

from time import monotonic

import discord
import structlog

from adapters.discord.channels import Channels
from adapters.discord.places import SentId, channel_id_of
from adapters.discord.refusals import missing_permission
from adapters.discord.rendering import Content, notice
from adapters.discord.responses import Responses
from adapters.discord.route import Route
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
        missing = missing_permission(self._client.get_channel(channel_id_of(place)), part) or error.text
        refused = DeliveryRefusedError(f"The permission “{missing}” is missing there.")
        log.warning("may not write", missing=missing, server=place.workspace, channel=channel_id_of(place))
        route = Route.of(part.route)
        if not (part.complete and route.user and self._is_news(route.user, channel_id_of(place))):
            raise refused from error
        try:
            return await self._tell(route, notice(_sentence(place, missing)), key)
        except discord.HTTPException as unheard:
            raise refused from unheard

    async def _tell(self, route: Route, content: Content, key: str) -> SentId:
        if route.token:
            try:
                return await self._responses.follow_up(route, content, hidden=True)
            except discord.HTTPException as error:
                log.debug("not told through the interaction", code=error.code)
        return await self._channels.write_to(route.user, content, key)

    def _is_news(self, user: int, channel: int) -> bool:
        now = monotonic()
        self._told = {told: when for told, when in self._told.items() if now - when < _QUIET_SECONDS}
        if (user, channel) in self._told:
            return False
        self._told[user, channel] = now
        return True


def _sentence(place: Place, missing: str) -> str:
    return (
        f"I have an answer for you, and I may not write it in <#{channel_id_of(place)}>, where you asked: I lack the"
        f" permission “{missing}” there. Whoever runs that server can give it to me; then ask again."
    )
