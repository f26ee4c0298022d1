"""Puts the ASGI application together: the gate before the routes, and problem documents for all that goes wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp

from adapters.http import openapi, routes
from adapters.http.admin_routes import admin
from adapters.http.conversation_routes import talking
from adapters.http.front import Front
from adapters.http.gate import Gate, too_large
from adapters.http.hosts import Hosts
from adapters.http.keys import Keys
from adapters.http.library_routes import library
from adapters.http.metrics_route import Measured, metrics
from adapters.http.problems import Problem, of_error
from adapters.http.session_routes import Doorkeeper, sessions
from adapters.http.webhooks import Webhooks
from bot.errors import PreceptorError
from bot.settings.tree import HttpSettings

_NO_TELEMETRY = TelemetryConfig(
    tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False, exclude=lambda scope: True
)
"""FastAPI would hand requests, with what people wrote, to whatever OpenTelemetry set-up it finds."""

_SEE = "GET /docs shows what there is."
_BY_STATUS: Mapping[int, tuple[str, str, str]] = {
    404: ("not_found", "There is nothing at this address.", _SEE),
    405: ("method_not_allowed", "This address does not take this method.", _SEE),
    408: ("body_too_slow", "The body did not arrive in time.", "Send it again, faster."),
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_UNREADABLE = ("body_malformed", "The body cannot be read as JSON.", "Send UTF-8, nested no deeper than it needs.")


def build(
    front: Front, keys: Keys, settings: HttpSettings, webhooks: Callable[[], Mapping[str, ASGIApp]] = dict
) -> FastAPI:
    """Build the application that uvicorn serves; `webhooks` gives what other front doors want called, by path."""
    hosts = Hosts(settings.allowed_hosts)
    gate = Middleware(Gate, keys=keys, hosts=hosts, body_bytes=settings.body_kilobytes << 10, forms=front.forms)
    app = FastAPI(
        title="Preceptor",
        version=version("preceptor"),
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Measured, figures=front.figures, webhooks=webhooks),
            Middleware(Webhooks, find=webhooks),
            gate,
        ],
        exception_handlers={
            HTTPException: _on_http_error,
            RequestValidationError: _on_invalid,
            PreceptorError: _on_our_error,
        },
        telemetry=_NO_TELEMETRY,
    )
    for router in (
        routes.asking,
        talking,
        routes.personal,
        routes.knowledge,
        library,
        routes.health,
        sessions,
        metrics,
        admin,
        openapi.page,
    ):
        app.include_router(router)
    app.state.front = front
    app.state.doorkeeper = Doorkeeper(keys)
    app.openapi = openapi.describe(app, bool(keys))  # type: ignore[method-assign]  # FastAPI's documented way
    return app


async def _on_our_error(request: Request, error: Exception) -> Response:
    return of_error(cast("PreceptorError", error)).response()


async def _on_http_error(request: Request, error: Exception) -> Response:
    raised = cast("HTTPException", error)
    if raised.status_code == 413:
        return too_large(request.url.path, request.app.state.front.forms).response()
    code, detail, fix = _BY_STATUS.get(raised.status_code, _UNREADABLE)
    headers = _allowed(request) if raised.status_code == 405 else dict(raised.headers or {})
    return Problem(code, detail, fix, headers=headers).response()


def _allowed(request: Request) -> dict[str, str]:
    """Name the methods of all routes at an address; Starlette knows those of the first one alone."""
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    routes_here = request.app.router.routes
    found = [name for name, scope in scopes.items() if any(one.matches(scope)[0] is Match.FULL for one in routes_here)]
    return {"Allow": ", ".join(found)}


async def _on_invalid(request: Request, error: Exception) -> Response:
    """Say what is wrong where in the body, or behind the ? of the address, without repeating what was sent."""
    found = cast("RequestValidationError", error).errors()
    if found[0]["type"] == "json_invalid":
        reason, position = found[0]["ctx"]["error"], found[0]["loc"][-1]
        return Problem("body_malformed", f"{reason}, at character {position:,} of the body.").response()
    what = "The body" if any(one["loc"][0] == "body" for one in found) else "The address"
    return Problem(
        "request_invalid", f"{what} does not fit.", "GET /docs shows its form.", errors=tuple(_pointers(found))
    ).response()


def _pointers(found: Sequence[Mapping[str, object]]) -> Iterator[Mapping[str, str]]:
    for one in found:
        _, *parts = cast("tuple[str | int, ...]", one["loc"])
        escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
        yield {"pointer": "#" + "".join(f"/{part}" for part in escaped), "detail": str(one["msg"])}
