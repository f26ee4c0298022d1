"""Serves the HTTP API for tests: the real application on a real database, knowledge folder and port."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from contract import FLOOR

from adapters.http import HttpAdapter
from bot.adapter import AdapterSetup
from bot.application import Application
from bot.settings import Settings

PASSAGES = [
    {"title": "Ohm's law", "context": "Ohm's law states that voltage equals current times resistance: V = I R."},
    {"title": "Newton's first law", "context": "Newton's first law says that a body at rest stays at rest."},
    {"title": "Newton's third law", "context": "Newton's third law says that every action has an equal reaction."},
    {
        "title": "<script>alert(1)</script>",
        "context": "The pangolin formula is <img src=x onerror=alert(2)> & **bold**.",
    },
    {"title": "قانون أوم", "context": "قانون أوم يربط بين الجهد والتيار والمقاومة."},
]


@dataclass(frozen=True, slots=True)
class Served:
    """An API that listens, a client of it, and the folder that it answers from."""

    api: httpx.AsyncClient
    adapter: HttpAdapter
    application: Application
    folder: Path


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@contextlib.asynccontextmanager
async def running_api(
    folder: Path, headers: dict[str, str] | None = None, **sections: dict[str, Any]
) -> AsyncIterator[Served]:
    """Serve from `folder`; `sections` are settings (``http={"user_keys": …}``), `headers` the client's."""
    knowledge = folder / "knowledge"
    settings = Settings(
        data_directory=folder / "data",
        knowledge={"sources": (str(knowledge),)} | sections.pop("knowledge", {}),
        answers={"threshold": 0.0} | sections.pop("answers", {}),
        http={"port": 0} | sections.pop("http", {}),
        models=sections.pop("models", FLOOR),
        **sections,
    )
    application = Application(settings)
    adapter = HttpAdapter.create(AdapterSetup(settings, application.dispatcher.inquire, application.ready))
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(application.running([adapter]))
        client = httpx.AsyncClient(base_url=adapter.address, headers=headers, timeout=30)
        yield Served(await stack.enter_async_context(client), adapter, application, knowledge)
