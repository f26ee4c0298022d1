"""HTTP mode: posts events, commands and interactions to the app's request URLs, signed, and reads the answer."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from .deliveries import Attempt, Delivery, Retry
from .signing import Forgery, forged, signed

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class RequestUrls:
    """Where the app wants what; most apps give one URL for all."""

    events: str
    commands: str
    interactivity: str

    def of(self, delivery: Delivery) -> str:
        urls = {"events_api": self.events, "slash_commands": self.commands, "interactive": self.interactivity}
        return urls[delivery.kind]


class HttpRoad:
    """Carries deliveries to request URLs."""

    def __init__(self, session: aiohttp.ClientSession, urls: RequestUrls, secret: str, ack_seconds: float) -> None:
        self._session = session
        self._urls = urls
        self._secret = secret
        self._timeout = aiohttp.ClientTimeout(total=ack_seconds)

    async def carry(self, delivery: Delivery, retry: Retry | None = None, forgery: Forgery | None = None) -> Attempt:
        """Post it once and note what came of it in the delivery."""
        body, media_type = _body(delivery)
        headers = signed(self._secret, body)
        if forgery is not None:
            headers, body = forged(forgery, self._secret, body)
        headers |= {"Content-Type": media_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry.number), "X-Slack-Retry-Reason": retry.reason}
        attempt = Attempt(retry=retry)
        delivery.attempts.append(attempt)
        await self._post(self._urls.of(delivery), body, headers, attempt)
        return attempt

    async def _post(self, url: str, body: str, headers: dict[str, str], attempt: Attempt) -> None:
        try:
            async with self._session.post(url, data=body.encode(), headers=headers, timeout=self._timeout) as response:
                answer = await response.text()
                attempt.status = response.status
                attempt.no_retry = response.headers.get("X-Slack-No-Retry") == "1"
                if response.ok:
                    attempt.acknowledge(_answer(answer, response.content_type), response.status)
                else:
                    attempt.failure, attempt.answer = "http_error", answer
        except TimeoutError:
            attempt.failure = "http_timeout"
        except aiohttp.ClientError:
            attempt.failure = "connection_failed"


def _body(delivery: Delivery) -> tuple[str, str]:
    if delivery.kind == "events_api":
        return json.dumps(delivery.payload), "application/json"
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload), _FORM
    return urlencode({"payload": json.dumps(delivery.payload)}), _FORM


def _answer(body: str, media_type: str) -> Any:
    if not body:
        return None
    return json.loads(body) if media_type == "application/json" else body
