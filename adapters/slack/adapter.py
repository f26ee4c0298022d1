"""Slack as an adapter: puts the parts together, opens the door in either mode and closes it again."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.fetching import Fetching
from adapters.slack import blocks, exposure
from adapters.slack.assistant import Assistant
from adapters.slack.catching_up import CatchingUp
from adapters.slack.deliveries import Deliveries
from adapters.slack.downloads import Downloads
from adapters.slack.errands import Errands
from adapters.slack.events import Events
from adapters.slack.finding import find
from adapters.slack.hearing import Hearing
from adapters.slack.home import Home
from adapters.slack.identifiers import is_ephemeral, message_place
from adapters.slack.interactions import Interactions
from adapters.slack.manifest import COMMANDS
from adapters.slack.opening import Opening
from adapters.slack.questions import PLATFORM, Questions
from adapters.slack.refusals import Refusals
from adapters.slack.request_url import ROOT, RequestUrl
from adapters.slack.roles import Roles
from adapters.slack.streams import Streams
from adapters.slack.web import Web, quiet
from bot.adapter import Accept, Adapter, AdapterSetup, Health, Limits
from bot.errors import AdapterError
from bot.messages import Attachment, IncomingMessage, Place, Reply
from bot.settings import Settings

log = structlog.get_logger(__name__)

_HEARS = "I hear mentions, direct messages, commands, and what is said in threads that I answer in."


class SlackAdapter(Adapter):
    """The front door to one Slack workspace, over Socket Mode or HTTP request URLs.

    Raises:
        AdapterError: the settings want HTTP mode, and nothing serves HTTP.
    """

    name = PLATFORM

    def __init__(self, setup: AdapterSetup) -> None:
        settings = cast("Settings", setup.settings)
        self._settings = settings.slack
        self._is_exposed = exposure.is_exposed(settings)
        if self._is_http and not settings.http.enabled:
            raise AdapterError(
                "slack.mode is http, and http.enabled is off: Slack could reach nothing.",
                "Set http.enabled = true, or slack.mode = socket.",
            )
        self.limits = Limits(
            message_length=blocks.SECTION_LENGTH,
            edits_per_second=self._settings.edits_per_second,
            streaming=True,
            placeholder=True,
            buttons=True,
            open_threads=True,
        )
        self._web = Web(self._settings)
        self._errands = Errands()
        self._assistant = Assistant(self._web, setup.records, self._errands)
        self._deliveries = Deliveries(self._web, Streams(self._web, self._settings.streaming), Refusals(self._web))
        self._roles = Roles(self._web, settings.access.roles_named)
        networks, own, proxy = settings.attachments.allowed_networks, self._settings.base_url, self._settings.proxy
        self._downloads = Downloads(self._web, Fetching(networks, own, proxy, environment=True))
        questions = Questions()
        self._hearing = Hearing(
            self._web,
            Events(questions, setup.records),
            Interactions(questions),
            self._assistant,
            Home(self._web, setup, self._errands),
            self._errands,
        )
        self._app = self._bolt()
        self._catching_up = CatchingUp(self._web, self._hearing, setup.records, settings.catch_up)
        self._opening = Opening(self._web, None if self._is_http else self._app, self._catching_up.want)

    @classmethod
    def create(cls, setup: AdapterSetup) -> "SlackAdapter":
        """Make the adapter from the settings."""
        return cls(setup)

    def _bolt(self) -> AsyncApp:
        app = AsyncApp(
            name="preceptor",
            logger=quiet,
            signing_secret=self._settings.signing_secret.get_secret_value(),
            # Without a token: bolt would ask Slack who it is while the first event waits.
            client=AsyncWebClient(base_url=self._settings.base_url, logger=quiet, retry_handlers=[]),
            authorize=self._hearing.authorizing(),
        )
        app.use(self._hearing)
        app.error(self._hearing.not_understood)
        return app

    @property
    def _is_http(self) -> bool:
        return self._settings.mode == "http"

    @property
    def health(self) -> Health:
        """Whether Slack is reached, and in Socket Mode the line stands; in HTTP mode when Slack last called."""
        health = self._opening.health
        if not (health.is_up and self._is_http):
            return health
        heard = self._hearing.heard_at
        told = f"Slack last called at {heard:%Y-%m-%d %H:%M} UTC." if heard else "Slack has not called yet."
        return Health(True, told)

    @property
    def welcome(self) -> str:
        """Say where people find the bot and what it hears."""
        way = "HTTP" if self._is_http else "Socket Mode"
        if not self._web.is_known:
            return f"Slack ({way}): not reached yet; I keep trying."
        bot = self._web.identity
        return f"Slack: @{bot.name} in {bot.team_name or bot.team} ({way}). {_HEARS}"

    @property
    def webhooks(self) -> Mapping[str, Any]:
        """In HTTP mode: what Slack calls under ``/slack``."""
        return {ROOT: RequestUrl(self._app)} if self._is_http else {}

    async def start(self, accept: Accept) -> None:
        """Open the door; where Slack is not reached at once it is tried again in the background.

        Raises:
            AdapterError: Slack does not know a token.
        """
        self._hearing.accept = accept
        if self._is_exposed:
            log.warning("the HTTP API is open", danger=exposure.DANGER, fix=exposure.FIX)
        await self._web.open()
        self._catching_up.start()
        try:
            await self._opening.start()
        except AdapterError:
            await self.stop()
            raise

    async def closed(self) -> int:
        """Wait until the bot's token is revoked, or turns out to be none; the exit status of that is 1."""
        log.error("slack closed", reason=await self._opening.lost())
        return 1

    async def stop(self) -> None:
        """Close the door, leaving no task and no socket."""
        self._hearing.accept = None
        await self._catching_up.stop()
        await self._opening.stop()
        await self._errands.stop()
        await self._web.close()

    def parts(self, reply: Reply) -> Sequence[Reply]:
        """Cut a reply into messages of one section each."""
        return blocks.parts(reply)

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Post a part, begin to stream it, or show it to the asker alone. Raises what `Adapter.send` does."""
        return await self._deliveries.send(place, reply, idempotency_key)

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        """Put `reply` in the stead of what stands, or let the stream grow by it. Raises what `Adapter.send` does."""
        await self._deliveries.edit(place, sent_id, reply)

    async def delete(self, place: Place, sent_id: str) -> None:
        """Take a message back. Raises what `Adapter.send` does."""
        await self._deliveries.delete(sent_id)

    async def find(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Look through the thread for what was posted under this key."""
        return await find(self._web, place, reply, idempotency_key)

    def working(self, message: IncomingMessage) -> contextlib.AbstractAsyncContextManager[None]:
        """Show a status in the thread."""
        return self._assistant.working(message)

    async def roles(self, message: IncomingMessage) -> frozenset[str]:
        """Give the author's groups, and what else of them the settings of access name."""
        return message.author.roles | await self._roles.of(message.author.id)

    def spelled(self, command: str) -> str:
        """Give a command as people write it: few are Slack's own, the others stand behind ``/preceptor``."""
        own = f"/{command}"
        return own if any(own == known.name for known in COMMANDS) else f"/preceptor {command}"

    async def link(self, place: Place, message_id: str) -> str:
        """Give a message's permalink."""
        channel, ts = message_place(message_id)
        if not ts or is_ephemeral(message_id) or not self._web.is_known:
            return ""
        thread = f"?thread_ts={place.thread}&cid={channel}" if place.thread and place.thread != ts else ""
        return f"{self._web.identity.url}archives/{channel}/p{ts.replace('.', '')}{thread}"

    def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Yield a file's bytes as they arrive.

        Raises:
            AttachmentError: Slack does not give it.
        """
        return self._downloads.pieces(attachment)
