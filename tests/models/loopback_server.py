"""A server on this machine that writes answers as it is told to: what the loopback Gemini and OpenAI share."""

import argparse
import asyncio
import contextlib
import json
import re
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web

_PASSAGE = re.compile(r'<passage number="(\d+)">\n(.*?)\n</passage>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Writes:
    """An answer, piece by piece.

    Attributes:
        pieces: what is written; None quotes the first passage of the prompt.
        thoughts: what is thought before, each told as the protocol tells it.
        finish: the protocol's word for the end; empty: the stream ends without one.
        then: what comes behind it: the end, a connection that breaks, silence, or comments that say nothing.
        pause: seconds between pieces.
        usage: tokens read, written and thought; None: they are not told.
        refusal: what the model says instead (OpenAI), or why the prompt is blocked (Gemini).
    """

    pieces: Sequence[str] | None = None
    thoughts: Sequence[str] = ()
    finish: str = "STOP"
    then: Literal["end", "drop", "silence", "pings"] = "end"
    pause: float = 0.0
    usage: tuple[int, int, int] | None = (100, 20, 0)
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Refuses:
    """An error status; `body` is sent as JSON, or as it stands where it is text."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeepsSilent:
    """No answer at all."""


@dataclass(frozen=True, slots=True)
class Sends:
    """Bytes that are no answer."""

    body: bytes
    content_type: str = "text/event-stream"


Behaviour = Writes | Refuses | KeepsSilent | Sends


@dataclass(eq=False)
class Asked:
    """A request that came in.

    Attributes:
        path: with the query.
        headers: by name in lower case.
        body: as it came.
        left: set when the asker hung up before the answer was complete.
    """

    path: str
    headers: dict[str, str]
    body: str
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class LoopbackServer(ABC):
    """Use as a context manager; `script` says what it does next, and when that is used up it quotes the first passage.

    Attributes:
        asked: the requests for an answer, in order.
        looked: the other requests.
        came: set when the first request of all is there.
        key: the only key that is let in; empty lets all in.
    """

    def __init__(self, *, key: str = "", models: Sequence[str] = (), port: int = 0) -> None:
        self.key = key
        self.models = list(models)
        self.asked: list[Asked] = []
        self.looked: list[Asked] = []
        self.came = asyncio.Event()
        self.always: Behaviour = Writes()
        self._script: deque[Behaviour] = deque()
        self._port = port
        self._runner: web.AppRunner | None = None

    def script(self, *behaviours: Behaviour) -> None:
        self._script.extend(behaviours)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    @abstractmethod
    def base_url(self) -> str: ...

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        # A handler whose asker hung up is told so.
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.path_qs, headers, await request.text())
        is_question = self._is_question(request)
        (self.asked if is_question else self.looked).append(asked)
        self.came.set()
        if self.key and self._shown_key(asked) != self.key:
            return self._refused(self._wrong_key())
        if not is_question:
            return self._looked_up(request)
        behaviour = self._script.popleft() if self._script else self.always
        try:
            return await self._behave(behaviour, request, asked)
        except (asyncio.CancelledError, ConnectionError):
            asked.left.set()
            raise

    async def _behave(self, behaviour: Behaviour, request: web.Request, asked: Asked) -> web.StreamResponse:
        match behaviour:
            case Refuses():
                return self._refused(behaviour)
            case KeepsSilent():
                await asyncio.Event().wait()
                raise AssertionError
            case Sends():
                return web.Response(body=behaviour.body, content_type=behaviour.content_type)
            case Writes():
                return await self._write(behaviour, request, asked)

    def _refused(self, behaviour: Refuses) -> web.Response:
        if isinstance(behaviour.body, str):
            return web.Response(
                status=behaviour.status, text=behaviour.body, headers=behaviour.headers, content_type="text/html"
            )
        return web.json_response(behaviour.body, status=behaviour.status, headers=behaviour.headers)

    async def _write(self, behaviour: Writes, request: web.Request, asked: Asked) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        pieces = behaviour.pieces if behaviour.pieces is not None else [quotation(self._prompt(asked))]
        async for event in self._paced(self._events(behaviour, pieces, asked), behaviour.pause):
            await response.write(f"data: {event}\n\n".encode())
        while behaviour.then == "pings":
            await response.write(b": still there\n\n")
            await asyncio.sleep(0.02)
        if behaviour.then == "silence":
            await asyncio.Event().wait()
        if behaviour.then == "drop" and request.transport is not None:
            request.transport.abort()
        return response

    async def _paced(self, events: Sequence[str], pause: float) -> AsyncIterator[str]:
        for event in events:
            yield event
            await asyncio.sleep(pause)

    @abstractmethod
    def _is_question(self, request: web.Request) -> bool: ...

    @abstractmethod
    def _shown_key(self, asked: Asked) -> str: ...

    @abstractmethod
    def _wrong_key(self) -> Refuses: ...

    @abstractmethod
    def _looked_up(self, request: web.Request) -> web.Response: ...

    @abstractmethod
    def _prompt(self, asked: Asked) -> str: ...

    @abstractmethod
    def _events(self, behaviour: Writes, pieces: Sequence[str], asked: Asked) -> list[str]: ...


def quotation(prompt: str) -> str:
    """Answer as a model would that only quotes: the first passage's text, with its number; or that there is none."""
    passage = _PASSAGE.search(prompt)
    return f"{passage[2].splitlines()[-1]} [{passage[1]}]" if passage else "unanswerable"


def run(server: LoopbackServer, refuse: int) -> None:
    """Serve until the process is ended; the first line on standard output is the base URL."""

    async def serve() -> None:
        async with server:
            if refuse:
                server.always = Refuses(refuse)
            sys.stdout.write(f"{server.base_url}\n")
            sys.stdout.flush()
            await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default="", help="the only key that is let in; empty lets all in")
    parser.add_argument("--model", action="append", default=[], help="a model that is there; may be given again")
    parser.add_argument("--refuse", type=int, default=0, help="answer every question with this status")
    return parser.parse_args()
