"""The Web API over HTTP: reads calls, checks tokens and scopes, lets faults happen and answers as Slack does."""

import asyncio
import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from aiohttp import web

from .faults import Fault
from .methods import METHODS, Method
from .response_urls import answer
from .wire import ApiError, Call, Json, decoded

if TYPE_CHECKING:
    from .slack import LoopbackSlack

_LARGEST_BODY = 64 * 1024 * 1024
_TOKENS = {"apps.connections.open": "app", "apps.manifest.export": "configuration"}
"""Methods that want another token than the bot's."""


class WebApi:
    """Answers ``/api/<method>`` and ``/response/<id>``; keeps every call."""

    def __init__(self, slack: "LoopbackSlack") -> None:
        self.calls: list[Call] = []
        self._slack = slack

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/api/{method}", self.call),
            web.post("/response/{name}", self.respond),
        ]

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Do one method call."""
        call = Call(request.match_info["method"], {}, _token(request), time.time())
        self.calls.append(call)
        fault = self._slack.faults.take(call)
        await asyncio.sleep(fault.delay)
        try:
            call.arguments = decoded(await _arguments(request))
            call.token = call.token or str(call.arguments.pop("token", ""))
            call.answer = await self._answered(call, fault)
        except ApiError as error:
            call.answer = error.to_json()
        call.status, call.answered_at = fault.status or 200, time.time()
        self._slack.workspace.changed()
        return self._response(request, call, fault)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Take a post to a response_url."""
        call = Call("response_url", {}, "", time.time())
        self.calls.append(call)
        fault = self._slack.faults.take(call)
        await asyncio.sleep(fault.delay)
        try:
            call.arguments = _json(await request.text())
            call.answer = _failed(fault) or await answer(self._slack, request.match_info["name"], call.arguments)
            call.status = fault.status or 200
        except ApiError as error:
            call.answer, call.status = error.to_json(), 404
        call.answered_at = time.time()
        self._slack.workspace.changed()
        return self._response(request, call, fault)

    async def _answered(self, call: Call, fault: Fault) -> Json:
        failed = _failed(fault)
        if failed:
            return failed
        method = METHODS.get(call.method)
        if method is None:
            raise ApiError("unknown_method")
        self._check(call, method)
        return await method.handler(self._slack, call)

    def _check(self, call: Call, method: Method) -> None:
        if call.method == "api.test":
            return
        if not call.token:
            raise ApiError("not_authed")
        slack = self._slack
        kinds = {slack.bot_token: "bot", slack.app_token: "app", slack.configuration_token: "configuration"}
        if call.token not in kinds:
            raise ApiError("invalid_auth")
        if kinds[call.token] != _TOKENS.get(call.method, "bot"):
            raise ApiError("not_allowed_token_type")
        if slack.auth_error:
            raise ApiError(slack.auth_error)
        method.check(slack.scopes)

    def _response(self, request: web.Request, call: Call, fault: Fault) -> web.Response:
        if fault.loses_answer and request.transport is not None:
            request.transport.abort()
        return web.json_response(call.answer, status=call.status, headers=self._headers(call, fault))

    def _headers(self, call: Call, fault: Fault) -> dict[str, str]:
        method = METHODS.get(call.method)
        headers = {"X-Accepted-OAuth-Scopes": ",".join(method.scopes) if method else ""}
        headers["Date"] = formatdate(time.time() + self._slack.clock_skew, usegmt=True)
        if call.token == self._slack.bot_token:
            headers["X-OAuth-Scopes"] = ",".join(sorted(self._slack.scopes))
        return headers | ({"Retry-After": str(fault.retry_after)} if fault.status == 429 else {})


def _json(body: str) -> Json:
    try:
        document = json.loads(body or "{}")
    except ValueError as error:
        raise ApiError("invalid_json") from error
    if not isinstance(document, dict):
        raise ApiError("json_not_object")
    return document


def largest_body() -> int:
    """How many bytes a request to the loopback may have."""
    return _LARGEST_BODY


def _failed(fault: Fault) -> Json:
    if fault.answer:
        return fault.answer
    return {"ok": False, "error": fault.error, **fault.details} if fault.error else {}


def _token(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ").strip()


async def _arguments(request: web.Request) -> Json:
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        return arguments | _json(await request.text())
    return arguments | {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
