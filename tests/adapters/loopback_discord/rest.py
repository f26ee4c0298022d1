"""The REST API's frame: authentication, bodies, rate limit headers, faults, refusals and the record of it all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from .faults import ANY, Bucket, Faults, Planned, RequestRecord
from .messages import Upload
from .refusals import Refusal, invalid_form, not_found, unauthorized, unknown

if TYPE_CHECKING:
    from .gateway import Gateway
    from .messages import Message
    from .places import Channel, Guild
    from .world import World

Json = dict[str, Any]
Thing = TypeVar("Thing")

API = "/api/v10"
_LARGEST_BODY = 26 * 1024 * 1024
_MAJOR = ("channel_id", "guild_id", "token")


@dataclass(slots=True)
class Call:
    """One request as the routes see it.

    Attributes:
        path: the path's parameters by name.
        query: the query's.
        body: the JSON body, or the form's ``payload_json``.
        files: the form's files, by their number.
    """

    world: World
    gateway: Gateway
    path: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    body: Any = field(default_factory=dict)
    files: dict[int, Upload] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Give a path parameter that is an id; raises `Refusal` 50035."""
        try:
            return int(self.path[name])
        except ValueError:
            raise invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{self.path[name]}" is not snowflake.') from None

    def channel(self) -> Channel:
        """Give the channel that the path names."""
        return _found(self.world.channels, self.number("channel_id"), "Channel")

    def guild(self) -> Guild:
        """Give the guild that the path names."""
        return _found(self.world.guilds, self.number("guild_id"), "Guild")

    def message(self) -> Message:
        """Give the message that the path names; an ephemeral one is not found this way."""
        message = _found(self.world.messages, self.number("message_id"), "Message")
        if message.deleted or message.ephemeral or message.channel is not self.channel():
            raise unknown("Message")
        return message


def _found(table: dict[int, Thing], number: int, what: str) -> Thing:
    if number not in table:
        raise unknown(what)
    return table[number]


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path of the API and what serves them; `public` is for those that carry no bot token."""

    method: str
    template: str
    handler: Handler
    public: bool = False

    @property
    def name(self) -> str:
        """The route as tests name it."""
        return f"{self.method} {self.template}"


class Rest:
    """Serves routes as Discord's API does."""

    def __init__(self, world: World, gateway: Gateway, faults: Faults) -> None:
        self._world = world
        self._gateway = gateway
        self._faults = faults

    def mount(self, application: web.Application, routes: list[Route]) -> None:
        """Add the routes, and the answer to every other path."""
        for route in routes:
            application.router.add_route(route.method, API + route.template, self._serving(route))
        stray = Route(ANY, "/{path}", _nowhere, public=True)
        application.router.add_route("*", API + "/{path:.*}", self._serving(stray))

    def _serving(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix(API)
            names = (f"{request.method} {path}", route.name)
            await self._faults.released(*names)
            body, files = await _body(request)
            plan = self._faults.next_plan(*names)
            major = next((request.match_info[name] for name in _MAJOR if name in request.match_info), "")
            bucket = self._faults.bucket(request.method, route.template, major)
            call = Call(self._world, self._gateway, dict(request.match_info), dict(request.query), body, files)
            response = await self._answer(request, route, call, plan, bucket)
            self._world.requests.append(
                RequestRecord(request.method, path, route.name, response.status, self._world.clock.now(), body)
            )
            self._world.notify()
            if plan and plan.lost and request.transport:
                request.transport.abort()
            return response

        return serve

    def _authorize(self, request: web.Request, route: Route) -> None:
        if not route.public and request.headers.get("Authorization") != f"Bot {self._gateway.token}":
            raise unauthorized()

    async def _answer(
        self, request: web.Request, route: Route, call: Call, plan: Planned | None, bucket: Bucket
    ) -> web.Response:
        if plan and not plan.lost:
            return _planned_answer(plan, bucket)
        if not bucket.take():
            return _limited(bucket.headers, bucket.reset_after)
        try:
            self._authorize(request, route)
            result = await route.handler(call)
            await self._gateway.delivered()
        except Refusal as refusal:
            return _json(refusal.document, refusal.status, bucket.headers)
        except Exception as error:
            # Otherwise the bot would try again and again, and the test that it drives would only time out.
            self._world.own_faults.append(error)
            raise
        if result is None:
            return web.Response(status=HTTPStatus.NO_CONTENT, headers=bucket.headers)
        return _json(result, HTTPStatus.OK, bucket.headers)


async def _nowhere(call: Call) -> None:
    raise not_found()


def _json(document: Any, status: int, headers: dict[str, str]) -> web.Response:
    # discord.py reads JSON only where the media type stands alone, without a charset.
    return web.Response(
        body=json.dumps(document).encode(), status=status, headers=headers | {"Content-Type": "application/json"}
    )


def _planned_answer(plan: Planned, bucket: Bucket) -> web.Response:
    if plan.status != HTTPStatus.TOO_MANY_REQUESTS:
        return _json({"message": f"{plan.status}: planned", "code": 0}, plan.status, bucket.headers)
    if plan.banned:
        return web.Response(status=plan.status, text="error code: 1015", headers={"Retry-After": "3600"})
    return _limited(bucket.headers, plan.retry_after, everywhere=plan.everywhere)


def _limited(headers: dict[str, str], retry_after: float, *, everywhere: bool = False) -> web.Response:
    told = headers | {
        "Via": "1.1 google",
        "Retry-After": f"{retry_after:.3f}",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset-After": f"{retry_after:.3f}",
        "X-RateLimit-Scope": "global" if everywhere else "user",
    }
    if everywhere:
        told["X-RateLimit-Global"] = "true"
    document = {"message": "You are being rate limited.", "retry_after": retry_after, "global": everywhere}
    return _json(document, HTTPStatus.TOO_MANY_REQUESTS, told)


async def _body(request: web.Request) -> tuple[Any, dict[int, Upload]]:
    if request.content_type == "multipart/form-data":
        return await _form(request)
    text = await request.text()
    return (json.loads(text) if text else {}), {}


async def _form(request: web.Request) -> tuple[Any, dict[int, Upload]]:
    body: Any = {}
    files: dict[int, Upload] = {}
    async for part in await request.multipart():
        data = bytes(await part.read(decode=True))  # type: ignore[union-attr]
        name = part.name or ""  # type: ignore[union-attr]
        if name == "payload_json":
            body = json.loads(data)
        elif name.startswith("files["):
            files[int(name[6:-1])] = Upload(part.filename or "file", data)  # type: ignore[union-attr]
    return body, files


async def settled(world: World, quiet: float) -> None:
    """Wait until no request was answered for `quiet` seconds."""
    seen = -1
    while seen != len(world.requests):
        seen = len(world.requests)
        await asyncio.sleep(quiet)
