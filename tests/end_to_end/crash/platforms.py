"""The loopback platforms with a watch at their door: it sees a message of the bot's come in, and its receipt go out."""

from collections.abc import Callable
from typing import Literal

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tests.adapters.loopback_discord import LoopbackDiscord
from tests.adapters.loopback_slack import LoopbackSlack
from tests.adapters.loopback_slack.web_api import WebApi

Moment = Literal["asked to send", "sent"]
"""A message of the bot's has come in and is not posted yet; it is posted, and the bot does not know it yet."""

Watch = Callable[[Moment, int], bool]
"""Told of every moment with the port that the bot calls from; True means that the request is to be lost."""

_SLACK_SENDS = ("chat.postMessage", "chat.postEphemeral", "chat.startStream", "chat.update")


class WatchedDiscord(LoopbackDiscord):
    """A loopback Discord whose messages are watched."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def _application(self) -> web.Application:
        application = super()._application()
        application.middlewares.append(_watching(self._watch, _is_a_message))
        return application


class WatchedSlack(LoopbackSlack):
    """A loopback Slack whose messages are watched."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._api = _WatchedApi(self, watch)


class _WatchedApi(WebApi):
    def __init__(self, slack: LoopbackSlack, watch: Watch) -> None:
        super().__init__(slack)
        self._guard = _watching(watch, lambda request: request.match_info.get("method") in _SLACK_SENDS)

    async def call(self, request: web.Request) -> web.StreamResponse:
        return await self._guard(request, super().call)


def _is_a_message(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/messages")


def _watching(watch: Watch, concerns: Callable[[web.Request], bool]) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not concerns(request):
            return await handler(request)
        port = request.transport.get_extra_info("peername")[1] if request.transport else 0
        if watch("asked to send", port):
            raise web.HTTPServiceUnavailable
        response = await handler(request)
        watch("sent", port)
        return response

    return guard
