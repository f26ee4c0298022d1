"""Brings replies to Slack: posts, edits, streams, shows to one person, takes back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack import blocks
from adapters.slack.finding import metadata
from adapters.slack.identifiers import Route, ephemeral_name, is_direct, is_ephemeral, message_name, message_place
from adapters.slack.recent import Recent
from adapters.slack.refusals import USELESS, Refusals, is_permission
from adapters.slack.streams import Streams
from adapters.slack.uploads import Uploads
from adapters.slack.web import SlackRefusal, Web
from bot.errors import DeliveryRefusedError
from bot.messages import Place, Reply

log = structlog.get_logger(__name__)

_QUIETLY: Mapping[str, bool] = {"unfurl_links": False, "unfurl_media": False}
_GONE = frozenset({"edit_window_closed", "message_not_found"})
_REMEMBERED = 500


class Deliveries:
    """Sends what `blocks.parts` made of replies."""

    def __init__(self, web: Web, streams: Streams, refusals: Refusals) -> None:
        self._web = web
        self._streams = streams
        self._refusals = refusals
        self._uploads = Uploads(web)
        self._put_right: Recent[str, str] = Recent(_REMEMBERED)

    async def send(self, place: Place, reply: Reply, key: str) -> str:
        """Deliver one part and give its name. Raises what `Adapter.send` does."""
        try:
            if reply.files:
                await self._hand_over(place, reply, key)
            return await self._say(place, reply, key) if reply.text else ""
        except SlackRefusal as refusal:
            if is_permission(refusal):
                return await self._instead(place, reply, key, refusal)
            raise _final(refusal) from refusal

    async def _say(self, place: Place, reply: Reply, key: str) -> str:
        if reply.ephemeral:
            return await self._show(place, reply, key)
        if self._streams.takes(place, reply):
            try:
                return await self._streams.start(place, reply, key)
            except SlackRefusal as refusal:
                if is_permission(refusal):
                    raise
                log.info("no stream here", reason=refusal.code)
        return await self._post(place.channel, place.thread, reply, key)

    async def _post(self, channel: str, thread: str, reply: Reply, key: str) -> str:
        where = {"channel": channel, "thread_ts": thread or None, "metadata": metadata(key)}
        said = await self._put(self._web.client.chat_postMessage, reply, **where, **_QUIETLY)
        return message_name(str(said["channel"]), str(said["ts"]))

    async def _put(
        self, method: Callable[..., Awaitable[AsyncSlackResponse]], reply: Reply, **where: object
    ) -> Mapping[str, Any]:
        content = blocks.message(reply)
        try:
            return await self._web.call(method(**where, **content))
        except SlackRefusal as refusal:
            if not refusal.code.startswith("invalid_blocks"):
                raise
            # An answer without its buttons is better than none.
            log.error("blocks refused", blocks=len(content["blocks"]), length=len(content["text"]))  # noqa: TRY400
            return await self._web.call(method(**where, text=content["text"], blocks=[]))

    async def _show(self, place: Place, reply: Reply, key: str) -> str:
        """Show a reply to the asker alone: by their response URL, in the channel, or else in a direct message."""
        route = Route.parse(reply.route)
        if route.response_url and await self._responded(route, reply, "ephemeral"):
            return ephemeral_name(key)
        if not route.user:
            raise DeliveryRefusedError("Nobody is known to whom alone this could be shown.")
        try:
            if is_direct(place.channel):
                return await self._post(place.channel, place.thread, reply, key)
            where = {"channel": place.channel, "user": route.user, "thread_ts": _seen_thread(place, reply) or None}
            await self._put(self._web.client.chat_postEphemeral, reply, **where)
            return ephemeral_name(key)
        except SlackRefusal as refusal:
            if not (is_permission(refusal) or refusal.code == "user_not_in_channel"):
                raise
            log.info("shown in a direct message instead", reason=refusal.code)
            return await self._post(route.user, "", reply, key)

    async def _responded(self, route: Route, reply: Reply, response_type: str) -> bool:
        thread = {"thread_ts": route.thread} if route.thread else {}
        answer = {"response_type": response_type, "replace_original": False, **_QUIETLY, **thread}
        try:
            await self._web.respond(route.response_url, answer | blocks.message(reply))
        except SlackRefusal as refusal:
            log.info("response url not usable", reason=refusal.code)
            return False
        return True

    async def _instead(self, place: Place, reply: Reply, key: str, refusal: SlackRefusal) -> str:
        """Answer where the bot may not write: a response URL reaches places that the bot is not in."""
        route = Route.parse(reply.route)
        seen_by = "ephemeral" if reply.ephemeral else "in_channel"
        usable = route.response_url and refusal.code != "is_archived" and reply.complete
        if usable and await self._responded(route, reply, seen_by):
            return ephemeral_name(key)
        return await self._refusals.tell(place, reply, refusal)

    async def edit(self, place: Place, name: str, reply: Reply) -> None:
        """Put `reply` in the stead of what stands. Raises what `Adapter.edit` does."""
        name = self._put_right.get(name, name)
        try:
            if is_ephemeral(name):
                await self._say_instead(place, name, reply)
            elif not await self._streams.grow(name, reply):
                await self._update(*message_place(name), reply)
        except SlackRefusal as refusal:
            raise _final(refusal) from refusal

    async def _say_instead(self, place: Place, name: str, reply: Reply) -> None:
        """Say anew what cannot be changed, once it is complete; from then on that stands in its stead."""
        if reply.complete:
            self._put_right[name] = await self._say(place, reply, message_place(name)[1])

    async def _update(self, channel: str, ts: str, reply: Reply) -> None:
        try:
            await self._put(self._web.client.chat_update, reply, channel=channel, ts=ts)
        except SlackRefusal as refusal:
            if refusal.code in _GONE:
                raise
            # It may be streaming still: an earlier run began that, or it is unclear how far it came.
            await self._streams.end(channel, ts)
            await self._put(self._web.client.chat_update, reply, channel=channel, ts=ts)

    async def delete(self, name: str) -> None:
        """Take back what stands; what one person saw is gone by itself. Raises what `Adapter.send` does."""
        name = self._put_right.get(name, name)
        if is_ephemeral(name):
            return
        channel, ts = message_place(name)
        try:
            await self._web.call(self._web.client.chat_delete(channel=channel, ts=ts))
        except SlackRefusal as refusal:
            if refusal.code != "message_not_found":
                raise _final(refusal) from refusal

    async def _hand_over(self, place: Place, reply: Reply, key: str) -> None:
        try:
            await self._uploads.hand_over(reply, key)
        except SlackRefusal as refusal:
            # The text alone would speak of a file that is not there.
            await self._refusals.tell(place, reply, refusal)
            raise DeliveryRefusedError(f"Slack does not take the file: {refusal}.") from refusal


def _seen_thread(place: Place, reply: Reply) -> str:
    """Give the thread that the asker looks at: what is shown to one person in a thread nobody opened is not seen."""
    asked = message_place(reply.in_reply_to)[1]
    return "" if asked == place.thread else place.thread


def _final(refusal: SlackRefusal) -> Exception:
    """Give the error that tells whether another try makes sense."""
    if refusal.code in USELESS or is_permission(refusal):
        return DeliveryRefusedError(f"Slack does not take it: {refusal}.")
    return refusal
