"""HTTP mode: the ASGI application that Slack's request URLs lead to; bolt verifies who calls and when."""

import re

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.slack.manifest import COMMANDS_PATH, EVENTS_PATH, INTERACTIVITY_PATH

ROOT = "/slack"
_PATHS = frozenset({EVENTS_PATH, COMMANDS_PATH, INTERACTIVITY_PATH})

_SIGNED = {
    "x-slack-request-timestamp": re.compile("[0-9]{1,15}"),
    "x-slack-signature": re.compile("v[0-9]+=[0-9a-f]{1,200}"),
}
"""The form of what bolt verifies. It would not refuse what has another, but fail at it, with a traceback."""


class RequestUrl:
    """Passes requests on to bolt. Each address takes events, commands and interactions alike."""

    def __init__(self, app: AsyncApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        if request.url.path not in _PATHS:
            response = Response("Not Found", 404)
        elif request.method != "POST":
            response = Response("Method Not Allowed", 405, {"Allow": "POST"})
        else:
            response = _http(await self._dispatched(await request.body(), request.headers, request.url.query))
        await response(scope, receive, send)

    async def _dispatched(self, body: bytes, headers: Headers, query: str) -> BoltResponse:
        if any(name in headers and not form.fullmatch(headers[name]) for name, form in _SIGNED.items()):
            return BoltResponse(status=401, body={"error": "invalid request"})
        try:
            asked = AsyncBoltRequest(body=body.decode(), query=query, headers=dict(headers))
            return await self._app.async_dispatch(asked)
        # Bolt reads the body before it looks at the signature: what it cannot read comes from nobody we know.
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            return BoltResponse(status=400, body={"error": "not readable"})


def _http(answer: BoltResponse) -> Response:
    response = Response(answer.body, answer.status)
    for name, values in answer.headers.items():
        for value in values:
            response.headers[name] = value
    return response
