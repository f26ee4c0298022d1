"""Serves what other front doors want called over HTTP, before the gate: each of them checks by itself who calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.gate import bounded
from adapters.http.problems import Problem

_BODY_BYTES = 1 << 20

_RESERVED = frozenset({"slack"})
"""First parts of paths that belong to front doors: where one is not served there is nothing, with or without a key."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """ASGI middleware that passes requests to the application whose path they begin with.

    Args:
        app: what gets all other requests.
        find: gives the applications by path (``/slack``).
    """

    app: ASGIApp
    find: Callable[[], Mapping[str, ASGIApp]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        root = scope.get("path", "").split("/")[1:2]
        if scope["type"] != "http" or not root or root[0] not in _RESERVED:
            await self.app(scope, receive, send)
            return
        webhook = self.find().get(f"/{root[0]}")
        if webhook is None:
            problem = Problem("not_found", "There is nothing at this address.")
            await problem.response()(scope, receive, send)
            return
        try:
            await webhook(scope, bounded(receive, _BODY_BYTES), send)
        except HTTPException as error:
            await _of_body(error).response()(scope, receive, send)
        except ClientDisconnect:
            return


def _of_body(error: HTTPException) -> Problem:
    if error.status_code == 413:
        return Problem("body_too_large", "The body is larger than what is read here.")
    return Problem("body_too_slow", "The body did not arrive in time.")
