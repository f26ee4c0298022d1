"""Decides what the bot hears, by which road, and what becomes of its acknowledgement."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from . import events
from .deliveries import Attempt, Delivery, Retry
from .messages import Message
from .request_urls import HttpRoad
from .socket_mode import SocketRoad
from .wire import Json

if TYPE_CHECKING:
    from .channels import Channel
    from .workspace import Workspace

RETRIES = 3
"""How often Slack sends an event again before it gives up."""


class Dispatch:
    """Sends events, commands and interactions to the bot.

    Attributes:
        road: Socket Mode, or request URLs.
        deliveries: everything that was sent, in order.
        subscriptions: the events that the app is subscribed to.
        retry_pauses: seconds before each automatic retry of an event that was not acknowledged; Slack's own are
            0, 60 and 300. Empty for none: a test sends again what it wants sent again.
        echoes: whether the bot hears of its own messages, as it does from Slack.
    """

    def __init__(self, workspace: "Workspace", socket: SocketRoad) -> None:
        self.socket = socket
        self.road: SocketRoad | HttpRoad = socket
        self.deliveries: list[Delivery] = []
        self.subscriptions = set(events.SUBSCRIPTIONS)
        self.retry_pauses: tuple[float, ...] = ()
        self.echoes = True
        self._workspace = workspace
        self._tasks: set[asyncio.Task[Any]] = set()

    async def event(self, event: Json, channel: "Channel | None" = None) -> list[Delivery]:
        """Send an event and wait until it is acknowledged or lost; nothing goes out for what the app may not hear."""
        if not self._is_heard(event, channel):
            return []
        delivery = Delivery("events_api", events.envelope(event, self._workspace))
        await self.deliver(delivery)
        return [delivery]

    async def message(self, message: Message, *, edited: bool = False) -> list[Delivery]:
        """Send the ``message`` event and, where the bot is mentioned, its ``app_mention`` twin, both at once."""
        channel = message.channel
        sent = [] if edited else [self.event(events.posted(message), channel)]
        if f"<@{self._workspace.bot_user}>" in message.text and channel.kind != "im":
            sent.insert(0, self.event(events.mentioned(message), channel))
        return [delivery for deliveries in await asyncio.gather(*sent) for delivery in deliveries]

    def event_later(self, event: Json, channel: "Channel | None" = None) -> None:
        """Send an event without waiting: the echo of what the bot itself did."""
        if self.echoes and self._is_heard(event, channel):
            self.later(self.event(event, channel))

    async def deliver(self, delivery: Delivery, retry: Retry | None = None) -> Attempt:
        """Send a delivery, and again after the pauses while it is an event that is not acknowledged."""
        if not delivery.attempts:
            self.deliveries.append(delivery)
        attempt = await self.road.carry(delivery, retry)
        for number, pause in enumerate(self.retry_pauses, (retry.number if retry else 0) + 1):
            if delivery.acknowledged or attempt.no_retry or delivery.kind != "events_api" or number > RETRIES:
                break
            await asyncio.sleep(pause)
            attempt = await self.road.carry(delivery, Retry(number, attempt.failure))
        self._workspace.changed()
        return attempt

    def connected(self) -> None:
        """A new connection is there: send what the last one left unacknowledged."""
        for delivery in self.socket.take_pending():
            if len(delivery.attempts) <= RETRIES:
                self.later(self.socket.carry(delivery, Retry(len(delivery.attempts), "timeout")))

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something in a task that is cancelled with the loopback."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until everything that is under way has arrived."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Let go of what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _is_heard(self, event: Json, channel: "Channel | None") -> bool:
        subscription = events.subscription_of(event)
        scope = events.SCOPES.get(subscription)
        allowed = subscription in self.subscriptions and (scope is None or scope in self._workspace.scopes)
        return allowed and (channel is None or channel.bot_is_member)
