"""Opens the way to Slack: who the bot is, and in Socket Mode the line; tried until Slack is reached or says no."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from slack_bolt.app.async_app import AsyncApp

from adapters.slack.errands import FAILURES, reason
from adapters.slack.socket_mode import Pauses, SocketMode
from adapters.slack.web import SlackRefusal, Web
from bot.adapter import Health
from bot.errors import AdapterError

log = structlog.get_logger(__name__)

_START_SECONDS = 0.8
"""How long a start waits for Slack; what takes longer goes on in the background."""

_STRANGER = (
    "What answers at slack.base_url does not speak Slack's Web API: see whether the address is right, and what stands"
    " between; I keep trying."
)


class Opening:
    """The way to Slack, from `start` to `stop`.

    Args:
        web: the Web API.
        app: what a line's envelopes go to; None for no line.
        reached: told when Slack is reached, at first and each time that it was not for a while.
    """

    def __init__(self, web: Web, app: AsyncApp | None, reached: Callable[[], None]) -> None:
        self._web = web
        self._app = app
        self._reached = reached
        self._socket: SocketMode | None = None
        self._trying: asyncio.Task[None] | None = None
        self._began = datetime.now(UTC)
        self._trouble = ""

    @property
    def health(self) -> Health:
        """Whether Slack is reached now, and if not, why and since when."""
        if self._web.lost.is_set():
            return Health(False, "The bot's token is no longer good: docs/slack.md says where the right one is.")
        if self._trying is not None and self._trying.done() and not self._trying.cancelled():
            error = self._trying.exception()
            if error is not None:
                return Health(False, str(error))
            return self._socket.health if self._socket else Health(True)
        why = f" ({self._trouble})" if self._trouble else ""
        return Health(False, f"Slack is not reached since {self._began:%Y-%m-%d %H:%M} UTC{why}; I keep trying.")

    async def start(self) -> None:
        """Reach Slack, or go on trying in the background.

        Raises:
            AdapterError: Slack does not know a token.
        """
        self._trying = asyncio.create_task(self._try(), name="slack opening")
        await asyncio.wait((self._trying,), timeout=_START_SECONDS)
        if self._trying.done() and (error := self._trying.exception()):
            raise error

    async def _try(self) -> None:
        pauses = Pauses()
        while True:
            try:
                await self._reach()
            except SlackRefusal as refusal:
                if not (refusal.passes or refusal.is_a_strangers):
                    raise self._unwelcome(refusal) from None
                why = {"why": _STRANGER} if refusal.is_a_strangers else {}
                self._trouble = refusal.code
                log.warning("slack not reached", reason=refusal.code, **why)
            except FAILURES as error:
                self._trouble = reason(error)
                log.warning("slack not reached", reason=self._trouble)
            else:
                self._reached()
                return
            await asyncio.sleep(pauses.longer())

    async def _reach(self) -> None:
        await self._web.identify()
        if self._app is not None:
            address = await self._web.socket_address()
            self._socket = self._socket or SocketMode(self._app, self._web, self._reached)
            await self._socket.connect(address)

    def _unwelcome(self, refusal: SlackRefusal) -> AdapterError:
        which = "slack.app_token" if self._web.is_known else "slack.bot_token"
        return AdapterError(f"Slack does not take {which} ({refusal}).", "docs/slack.md says where the right one is.")

    async def lost(self) -> str:
        """Wait until the bot's token is revoked, or turns out to be none, and say which."""
        lost = asyncio.create_task(self._web.lost.wait(), name="slack lost")
        try:
            if self._trying is not None:
                await asyncio.wait((lost, self._trying), return_when=asyncio.FIRST_COMPLETED)
                if self._trying.done() and (error := self._trying.exception()):
                    return str(error)
            await lost
            return "The bot's token is no longer good."
        finally:
            lost.cancel()

    async def stop(self) -> None:
        """Leave no task and no socket."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.gather(self._trying, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
