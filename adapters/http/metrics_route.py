"""Shows the metrics to whoever collects them, and counts the requests among them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.front import Front
from adapters.http.keys import GUEST
from adapters.http.openapi import described
from adapters.http.problems import Problem
from bot.adapter import Figures
from bot.messages import Author

_OTHER = "other"
"""Stands for addresses that lead nowhere, and methods that nobody knows: there is no end to them."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_RESPONSE = 499
"""The status under which a request is counted whose client left before there was any response."""

_EXAMPLE = """# HELP preceptor_questions_total Messages that ended, by how
# TYPE preceptor_questions_total counter
preceptor_questions_total{capability="answer",outcome="answered",platform="discord"} 42.0
"""

metrics = APIRouter(tags=["health"])


@metrics.get(
    "/metrics",
    summary="The metrics, as Prometheus reads them",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus' text format, or OpenMetrics where `Accept` asks for it",
            "content": {
                "text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE},
                "application/openmetrics-text": {"schema": {"type": "string"}},
            },
        },
        **described(403),
    },
)
async def show_metrics(request: Request) -> Response:
    """Give counters, gauges and histograms of this process: no ids, no names and no texts are among them.

    Any key will do; guests have none.
    """
    author: Author = request.state.author
    if author.id.startswith(GUEST):
        return Problem("not_allowed", "Guests are not shown the metrics.", "Show a key.").response()
    front: Front = request.app.state.front
    content, media_type = await front.figures.exposition(",".join(request.headers.getlist("accept")))
    return Response(content, headers={"Content-Type": media_type})


@dataclass(frozen=True, slots=True)
class Measured:
    """ASGI middleware that counts requests by the template of their address, and times them.

    Args:
        app: what answers them.
        figures: where they are counted.
        webhooks: gives the paths under which other front doors are called.
    """

    app: ASGIApp
    figures: Figures
    webhooks: Callable[[], Iterable[str]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have one request answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = perf_counter(), _NO_RESPONSE

        async def _send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, _send)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else _OTHER
            self.figures.request(self._template(scope), method, status, perf_counter() - begun)

    def _template(self, scope: Scope) -> str:
        template = getattr(scope.get("route"), "path", None)
        if template:
            return str(template)
        root = f"/{scope['path'].split('/')[1]}" if scope["path"].startswith("/") else ""
        return root if root in self.webhooks() else _OTHER
