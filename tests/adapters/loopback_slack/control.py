"""A small API over HTTP for scenarios whose loopback Slack runs in a process of its own."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .messages import Message
from .wire import ApiError, Json

if TYPE_CHECKING:
    from .slack import LoopbackSlack


class Control:
    """Answers ``/control``: who is there, what people do, what happened.

    ``GET /control`` gives tokens and addresses; ``GET /control/messages?channel=…&after=…&timeout=…`` waits for the
    bot's messages; ``POST /control/<verb>`` with a JSON body does one thing and answers with what came of it.
    """

    def __init__(self, slack: "LoopbackSlack") -> None:
        self._slack = slack
        self._verbs: dict[str, Callable[..., Awaitable[Json]]] = {
            "user": self._user,
            "channel": self._channel,
            "dm": self._dm,
            "deliver_to": self._deliver_to,
            "says": self._says,
            "edits": self._edits,
            "deletes": self._deletes,
            "commands": self._commands,
            "presses": self._presses,
            "drop_connections": self._drop_connections,
            "say_goodbye": self._say_goodbye,
            "rate_limit": self._rate_limit,
            "fail_next": self._fail_next,
            "slow": self._slow,
            "down": self._down,
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control", self.state),
            web.get("/control/messages", self.messages),
            web.post("/control/{verb}", self.do),
        ]

    async def state(self, request: web.Request) -> web.Response:
        """Tokens, addresses and counts."""
        slack = self._slack
        tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token, "signing_secret": slack.signing_secret}
        latencies = [delivery.latency for delivery in slack.acks]
        counts = {"calls": len(slack.calls), "deliveries": len(slack.deliveries), "acks": len(latencies)}
        more = {"slowest_ack": max(latencies, default=0.0), "connections": len(slack.socket.open_connections)}
        return web.json_response({"base_url": slack.base_url, "bot_user": slack.bot_user} | tokens | counts | more)

    async def messages(self, request: web.Request) -> web.Response:
        """The bot's messages in a channel after the first `after`; waits up to `timeout` seconds for one."""
        channel = self._slack.workspace.channels[request.query["channel"]]
        after, timeout = int(request.query.get("after", 0)), float(request.query.get("timeout", 0))
        try:
            await self._slack.until(lambda: len(channel.from_bot) > after, timeout)
        except TimeoutError:
            return web.json_response([])
        return web.json_response([_document(message) for message in channel.from_bot[after:]])

    async def do(self, request: web.Request) -> web.Response:
        """Do one thing."""
        verb = self._verbs.get(request.match_info["verb"])
        if verb is None:
            raise web.HTTPNotFound(text=f"known: {', '.join(self._verbs)}")
        try:
            return web.json_response(await verb(**await request.json()))
        except (ApiError, LookupError, TypeError) as error:
            raise web.HTTPBadRequest(text=f"{type(error).__name__}: {error}") from error

    async def _user(self, **fields: Any) -> Json:
        return {"id": self._slack.user(**fields).id}

    async def _channel(self, **fields: Any) -> Json:
        return {"id": self._slack.channel(**fields).id}

    async def _dm(self, user: str) -> Json:
        return {"id": self._slack.workspace.direct_message(user).id}

    async def _deliver_to(self, **fields: Any) -> Json:
        self._slack.deliver_to(**fields)
        return {}

    async def _says(self, user: str, channel: str, text: str, thread: str = "") -> Json:
        place = self._slack.workspace.channels[channel]
        message = await self._slack.workspace.users[user].says(place, text, thread=thread)
        acknowledged = all(delivery.acknowledged for delivery in message.deliveries)
        return _document(message) | {"acknowledged": acknowledged, "deliveries": len(message.deliveries)}

    async def _edits(self, user: str, channel: str, ts: str, text: str) -> Json:
        message = self._message(channel, ts)
        await self._slack.workspace.users[user].edits(message, text)
        return _document(message)

    async def _deletes(self, user: str, channel: str, ts: str) -> Json:
        message = self._message(channel, ts)
        await self._slack.workspace.users[user].deletes(message)
        return _document(message)

    async def _commands(self, user: str, channel: str, command: str, text: str = "") -> Json:
        place = self._slack.workspace.channels[channel]
        delivery = await self._slack.workspace.users[user].commands(place, command, text)
        return {"acknowledged": delivery.acknowledged, "response_url": delivery.response_url}

    async def _presses(self, user: str, channel: str, ts: str, button: str) -> Json:
        delivery = await self._slack.workspace.users[user].presses(self._message(channel, ts), button)
        return {"acknowledged": delivery.acknowledged}

    async def _drop_connections(self) -> Json:
        return {"dropped": self._slack.drop_connections()}

    async def _say_goodbye(self, **fields: Any) -> Json:
        await self._slack.say_goodbye(**fields)
        return {}

    async def _rate_limit(self, **fields: Any) -> Json:
        self._slack.rate_limit(**fields)
        return {}

    async def _fail_next(self, **fields: Any) -> Json:
        self._slack.fail_next(**fields)
        return {}

    async def _slow(self, **fields: Any) -> Json:
        self._slack.slow(**fields)
        return {}

    async def _down(self, down: bool) -> Json:
        self._slack.faults.down = down
        return {}

    def _message(self, channel: str, ts: str) -> Message:
        return self._slack.workspace.channels[channel].by_ts[ts]


def _document(message: Message) -> Json:
    return {
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "shown": message.shown,
        "labels": message.labels,
        "ephemeral_for": message.ephemeral_for,
        "deleted": message.deleted,
        "edits": len(message.edits),
        "streaming": message.stream is not None and not message.stream.stopped,
    }
