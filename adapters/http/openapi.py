"""The API's description of itself (OpenAPI), and the page that shows it with nothing loaded from elsewhere."""

import importlib.resources
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import FileResponse, Response

from adapters.http.documents import ProblemDocument
from adapters.http.negotiation import EVENTS
from adapters.http.problems import MEDIA_TYPE

_Responses = dict[int | str, dict[str, Any]]

DESCRIPTION = """Answers questions from a knowledge base, with sources, or says that it has no answer.

Errors are problem documents (RFC 9457); their `type` is `urn:preceptor:error:` and a code.
"""

_STREAM = """event: token
data: {"text":"The current through a conductor is proportional to the voltage across it [1]."}

event: citations
data: [{"title":"Ohm's law", …}]

event: done
data: {"question":"What is Ohm's law?", …}
"""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Preceptor: HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

_START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#api", deepLinking: true, tryItOutEnabled: true, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
});
"""

page = APIRouter(include_in_schema=False)


def described(*statuses: int) -> _Responses:
    """Describe the problems a route may answer with, besides those that every route may."""
    return {status: _problem(status) for status in sorted({*statuses, 401, 503})}


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}


AN_ANSWER: _Responses = {
    200: {
        "description": "The answer, or the statement that there is none (`abstained`)",
        "content": {EVENTS: {"schema": {"type": "string"}, "example": _STREAM}},
    },
    **described(400, 403, 404, 413, 415, 422, 429, 504),
}


def describe(app: FastAPI, needs_key: bool) -> Callable[[], dict[str, Any]]:
    """Give the function that describes `app`; the work is done when somebody asks for the first time."""

    def _describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            _complete(app.openapi_schema, needs_key)
        return app.openapi_schema

    return _describe


def _complete(schema: dict[str, Any], needs_key: bool) -> None:
    """Add what FastAPI does not find out by itself: the problem document, and that keys are asked for."""
    template = "#/components/schemas/{model}"
    problem = ProblemDocument.model_json_schema(ref_template=template)
    components = schema["components"]
    components["schemas"] |= problem.pop("$defs") | {"ProblemDocument": problem}
    # FastAPI's own form of a validation error is never sent.
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            if needs_key and path.startswith(("/v1/", "/metrics")):
                operation.setdefault("security", [{"key": []}])
            if "422" in operation["responses"] and MEDIA_TYPE not in operation["responses"]["422"]["content"]:
                del operation["responses"]["422"]
    if needs_key:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}


@page.get("/docs")
async def show_page() -> Response:
    """Show the API to a person, and let them try it."""
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


@page.get("/docs/start.js")
async def start_script() -> Response:
    """Give the line that sets the page up; a file of its own, so that the page needs no inline script."""
    return Response(_START, media_type="text/javascript")


@page.get("/docs/swagger-ui-bundle.js")
def script() -> Response:
    """Give Swagger UI."""
    return _asset("swagger-ui-bundle.js", "text/javascript")


@page.get("/docs/swagger-ui.css")
def style() -> Response:
    """Give Swagger UI's style sheet."""
    return _asset("swagger-ui.css", "text/css")


def _asset(name: str, media_type: str) -> Response:
    """Give a file of the package `fastapi-offline`, which carries Swagger UI."""
    file = importlib.resources.files("fastapi_offline") / "static" / name
    return FileResponse(str(file), media_type=media_type, headers={"Cache-Control": "private, max-age=86400"})
