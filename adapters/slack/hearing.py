"""What bolt hands on: every event, command and interaction is a committed row before Slack hears that it arrived."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.failures import told
from adapters.slack.assistant import Assistant
from adapters.slack.errands import Errands
from adapters.slack.events import Events
from adapters.slack.home import Home
from adapters.slack.interactions import Interactions
from adapters.slack.web import Web
from bot.adapter import Accept
from bot.errors import PreceptorError, StoppingError, StorageBusyError
from bot.messages import IncomingMessage

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]

_COMMIT_SECONDS = 2.5
"""Slack waits for three; what is committed after all is not done twice when it comes again."""

_NOT_READY = StoppingError("I am just starting, or about to stop.", "Try again in a moment.")
_TOO_SLOW = StorageBusyError("I could not write it down in time.", "Try again in a moment.")

_UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError)
"""What an event that is none raises where it is read."""

_KIND = re.compile(r"/?[a-z_.-]{1,60}")


class Hearing(AsyncMiddleware):
    """The last of bolt's middleware: it answers every request, so that no listener is needed.

    A bolt listener that raises is acknowledged all the same, and Slack never sends that event again. Here an event
    that could not be committed is answered with 503 (in Socket Mode: not at all), and Slack does.
    """

    def __init__(
        self, web: Web, events: Events, interactions: Interactions, assistant: Assistant, home: Home, errands: Errands
    ) -> None:
        self._web = web
        self._events = events
        self._interactions = interactions
        self._assistant = assistant
        self._home = home
        self._errands = errands
        self.accept: Accept | None = None
        self.heard_at: datetime | None = None

    def authorizing(self) -> Callable[[], Awaitable[AuthorizeResult]]:
        """Give what tells bolt who the bot is, without asking Slack: an event must not wait for that."""
        web = self._web

        # Bolt counts a method's `self` among what it is to hand in.
        async def _authorize() -> AuthorizeResult:
            if not web.is_known:
                return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=web.token)
            bot = web.identity
            return AuthorizeResult(
                enterprise_id=None, team_id=bot.team, bot_id=bot.bot, bot_user_id=bot.user, bot_token=web.token
            )

        return _authorize

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        """Answer a request that bolt found genuine."""
        body: Body = req.body
        self.heard_at = datetime.now(UTC)
        try:
            await self._heard(body)
        except (PreceptorError, TimeoutError) as error:
            known = error if isinstance(error, PreceptorError) else _TOO_SLOW
            log.warning("not accepted", kind=_kind(body.get("type") or body.get("command")), code=known.code)
            return self._not_accepted(body, known)
        # The task's boundary: whatever it was that failed here, Slack is to send it again.
        except Exception as error:  # noqa: BLE001
            log.error("not accepted", **told(error))  # noqa: TRY400 - its words may be somebody's
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    async def _heard(self, body: Body) -> None:
        if self.accept is None or not self._web.is_known:
            raise _NOT_READY
        async with asyncio.timeout(_COMMIT_SECONDS):
            await self._hear(body, self.accept)

    async def _hear(self, body: Body, accept: Accept) -> None:
        await self._take(await self._read(body), accept)

    async def _read(self, body: Body) -> IncomingMessage | None:
        """Read a request; one that cannot be read is passed over: it would be no better the next time."""
        try:
            if body.get("type") != "event_callback":
                return self._interactions.read(body, self._web.identity)
            self._notice(body.get("event") or {})
            return await self._events.read(body, self._web.identity)
        except _UNREADABLE as error:
            log.warning("event not understood", **told(error))
            return None

    @staticmethod
    async def not_understood(error: Exception) -> BoltResponse:
        """Pass over what bolt itself cannot read; what fails behind it does not come here."""
        log.warning("event not understood", **told(error))
        return BoltResponse(status=200)

    async def missed(self, message: Body, channel: str) -> bool:
        """Take a message that was read in a channel's history; say whether it is for the bot, and new to it.

        Raises:
            PreceptorError: it was not committed.
        """
        if self.accept is None:
            raise _NOT_READY
        event = {**message, "channel": channel}
        return await self._take(await self._read({"type": "event_callback", "event": event}), self.accept)

    async def _take(self, message: IncomingMessage | None, accept: Accept) -> bool:
        if message is None:
            return False
        is_first = await self._assistant.is_first(message)
        receipt = await accept(message)
        if is_first and receipt.is_new:
            self._assistant.entitle(message)
        return receipt.is_new

    def _notice(self, event: Body) -> None:
        """See to what is no message."""
        match event.get("type"):
            case "app_home_opened" if event.get("tab") == "home":
                self._home.opened(event)
            case "app_home_opened" if event.get("tab") == "messages":
                self._assistant.conversation_opened(event)
            case "assistant_thread_started":
                self._assistant.opened(event)
            case "app_uninstalled":
                self._web.lost.set()
            case "tokens_revoked" if self._web.identity.user in ((event.get("tokens") or {}).get("bot") or ()):
                self._web.lost.set()
            case kind:
                log.debug("event", kind=_kind(kind))

    def _not_accepted(self, body: Body, error: PreceptorError) -> BoltResponse:
        """Have Slack send an event again; commands and presses come once, so whoever made them is told."""
        if body.get("type") == "event_callback":
            return BoltResponse(status=503)
        text = f"{error.sentence} {error.fix}".strip()
        told = {"response_type": "ephemeral", "replace_original": False, "text": text}
        if "command" in body:
            return BoltResponse(status=200, body=told)
        if body.get("response_url"):
            self._errands.do("apology", partial(self._web.respond, str(body["response_url"]), told))
        return BoltResponse(status=200)


def _kind(kind: object) -> str:
    """Give an event's kind for the log, where it is one."""
    return kind if isinstance(kind, str) and _KIND.fullmatch(kind) else "unknown"
