"""A small bolt app that notes what it hears and answers mentions, and the two roads by which it connects."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from .slack import LoopbackSlack
from .wire import Json


class Bot:
    """A bolt app that notes every event it hears and answers mentions in their thread."""

    def __init__(self, slack: LoopbackSlack) -> None:
        self.client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)
        self.app = AsyncApp(client=self.client, signing_secret=slack.signing_secret)
        self.heard: list[Json] = []
        self.retries: list[tuple[str, str]] = []
        self.app.middleware(self._note)
        self.app.event("app_mention")(self._answer)
        for kind in (
            "message",
            "reaction_added",
            "app_home_opened",
            "assistant_thread_started",
            "member_joined_channel",
        ):
            self.app.event(kind)(self.does_nothing)

    def types(self) -> list[str]:
        return [body["event"].get("subtype") or body["event"]["type"] for body in self.heard]

    async def _note(self, req: Any, next: Callable[[], Any]) -> None:  # noqa: A002 — bolt finds it by this name
        if "event" in req.body:
            self.heard.append(req.body)
        if "x-slack-retry-num" in req.headers:
            self.retries.append((req.headers["x-slack-retry-num"][0], req.headers["x-slack-retry-reason"][0]))
        await next()

    async def _answer(self, event: Json, say: Any) -> None:
        if "edited" not in event:
            await say(text=f"You said: {event['text']}", thread_ts=event.get("thread_ts", event["ts"]))

    async def does_nothing(self, event: Json) -> None:
        return


@asynccontextmanager
async def over_socket_mode(slack: LoopbackSlack, bot: Bot) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(bot.app, slack.app_token, ping_interval=0.2)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # bolt leaves it unannotated
    await slack.connected()
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http(slack: LoopbackSlack, bot: Bot) -> AsyncIterator[None]:
    runner = web.AppRunner(bot.app.server(port=0).web_app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.deliver_to(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    try:
        yield
    finally:
        await slack.settle()
        await runner.cleanup()
