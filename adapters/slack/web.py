"""Slack's Web API: one session, one token, and Slack's refusals as errors that say what they mean."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Any, cast

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from adapters.slack.hosts import is_slacks
from adapters.slack.identifiers import Identity
from bot.errors import RateLimitedError
from bot.settings.tree import SlackSettings

_CALL_SECONDS = 20

_PAUSE_SECONDS = 30.0
"""How long to leave Slack alone where it does not say how long."""

DEAD_TOKEN = frozenset(
    {
        "account_inactive",
        "app_uninstalled",
        "invalid_auth",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
"""What Slack says of a token that will never be good again."""

_PASSING = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "too_many_websockets"})

quiet = logging.getLogger("slack_bolt.preceptor")
"""For Slack's libraries: below WARNING they log messages and addresses."""
quiet.setLevel(logging.WARNING)


class SlackRefusal(Exception):  # noqa: N818 - Slack's word is no: an error of nobody's
    """Slack answered ``ok: false``; `code` is its error, `needed` the scope that is missing."""

    def __init__(self, code: str, needed: str = "") -> None:
        super().__init__(f"{code} {needed}".strip())
        self.code = code
        self.needed = needed

    @property
    def passes(self) -> bool:
        """Whether it is Slack's own trouble, and asking again may help."""
        return self.code in _PASSING or self.code.startswith("http_5")

    @property
    def is_a_strangers(self) -> bool:
        """Whether Slack cannot have said it: its refusals have a name, whatever their status."""
        return self.code.startswith("http_") and not self.passes


class Web:
    """The Web API under the bot's token. `open` before any call; after `close` no socket is left.

    Attributes:
        client: slack_sdk's own client; it tries nothing twice, for retries are the caller's.
        lost: set once Slack says that the bot's token is no longer good.
    """

    def __init__(self, settings: SlackSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._token = settings.bot_token.get_secret_value()
        self._identity: Identity | None = None
        self.client = self._client()
        self.lost = asyncio.Event()

    def _client(self) -> AsyncWebClient:
        client = AsyncWebClient(
            self._token, self._settings.base_url, timeout=_CALL_SECONDS, logger=quiet, retry_handlers=[]
        )
        # The library takes a proxy from the environment without asking NO_PROXY; the session asks.
        client.proxy = self.proxy
        return client

    @property
    def proxy(self) -> str | None:
        """The proxy of the settings, or None for what the environment says."""
        return self._settings.proxy or None

    @property
    def token(self) -> str:
        """The bot's token."""
        return self._token

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session that all calls share.

        Raises:
            RuntimeError: it is not open.
        """
        if self._session is None:
            raise RuntimeError("the Slack adapter is not started")
        return self._session

    @property
    def identity(self) -> Identity:
        """Who the bot is.

        Raises:
            SlackRefusal: Slack was not reached yet.
        """
        if self._identity is None:
            raise SlackRefusal("not_reached_yet")
        return self._identity

    @property
    def is_known(self) -> bool:
        """Whether Slack said who the bot is."""
        return self._identity is not None

    async def open(self) -> None:
        """Open the session."""
        timeout = aiohttp.ClientTimeout(total=_CALL_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout, trust_env=True, cookie_jar=aiohttp.DummyCookieJar())
        self.client.session = self._session

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def call(self, request: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
        """Wait for a call of `client` and give Slack's answer.

        Raises:
            RateLimitedError: Slack says how long to wait.
            SlackRefusal: Slack says no.
            aiohttp.ClientError, TimeoutError: Slack cannot be reached.
        """
        try:
            response = await request
        except SlackApiError as error:
            raise self._meaning(error) from None
        return cast("Mapping[str, Any]", response.data)

    def _meaning(self, error: SlackApiError) -> Exception:
        data = error.response.data if isinstance(error.response.data, dict) else {}
        code = str(data.get("error", "")) or f"http_{error.response.status_code}"
        if error.response.status_code == 429 or code == "ratelimited":
            return _limited(error.response.headers)
        if code in DEAD_TOKEN:
            self.lost.set()
        return SlackRefusal(code, str(data.get("needed", "")))

    async def identify(self) -> Identity:
        """Ask Slack who the bot is. Raises what `call` does."""
        try:
            said = await self.call(self.client.auth_test())
            self._identity = _identity(said)
        except (AttributeError, KeyError, TypeError) as error:
            # What slack_sdk does with an answer that is text, and we with one that names nobody.
            raise SlackRefusal("http_answer_of_another_kind") from error
        return self._identity

    async def socket_address(self) -> str:
        """Ask for the address of a new Socket Mode connection. Raises what `call` does."""
        app_token = self._settings.app_token.get_secret_value()
        said = await self.call(self.client.apps_connections_open(app_token=app_token))
        return str(said["url"])

    async def respond(self, response_url: str, body: dict[str, Any]) -> None:
        """Post to a response URL.

        Raises:
            RateLimitedError: Slack wants to be left alone.
            SlackRefusal: the URL is none of Slack's, too old, or was used too often.
        """
        if not is_slacks(response_url, self._settings.base_url):
            raise SlackRefusal("response_url_elsewhere")
        webhook = AsyncWebhookClient(response_url, session=self.session, logger=quiet, retry_handlers=[])
        webhook.proxy = self.proxy
        response = await webhook.send_dict(body)
        if response.status_code == 429:
            raise _limited(response.headers)
        if response.status_code != 200:
            raise SlackRefusal(f"response_url_{response.status_code}")


def _identity(said: Mapping[str, Any]) -> Identity:
    return Identity(
        team=said["team_id"],
        team_name=said.get("team", ""),
        url=said.get("url", ""),
        user=said["user_id"],
        bot=said.get("bot_id", ""),
        name=said.get("user", ""),
    )


def _limited(headers: Mapping[str, str]) -> RateLimitedError:
    """Read how long to wait; a gateway may have put a date in the stead of Slack's seconds."""
    said = headers.get("Retry-After", "")
    return RateLimitedError(float(said) if said.isdecimal() else _PAUSE_SECONDS)
