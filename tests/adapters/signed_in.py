"""Serves, for tests, an API that keeps sessions, and the pages before it: real processes on real ports."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import httpx
from contract import contract_settings

from adapters.http import HttpAdapter
from adapters.web.adapter import address_of, listen, page_settings
from adapters.web.child import Child
from bot.application import Application
from bot.settings import Settings

ADMIN = "admin-key-0123456789"
USER = "user-key-0123456789"
KEYS = {"admin_keys": (f"sha256:{hashlib.sha256(ADMIN.encode()).hexdigest()}",), "user_keys": (USER,)}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An API that listens, and a client of it."""

    api: httpx.AsyncClient
    adapter: HttpAdapter
    application: Application
    settings: Settings

    async def opened(self, **wish: Any) -> dict[str, Any]:
        """Open a session."""
        response = await self.api.post("/v1/sessions", json=wish)
        assert response.status_code == 201, response.text
        return cast("dict[str, Any]", response.json())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@contextlib.asynccontextmanager
async def api_with_sessions(folder: Path, **sections: Any) -> AsyncIterator[SignedIn]:
    """Serve an API from `folder`, under settings (``http={"guests": True}``)."""
    http = {"port": 0} | sections.pop("http", KEYS)
    settings = contract_settings(folder, http=http, web={"port": 0} | sections.pop("web", {}), **sections)
    application = Application(settings)
    adapter = cast("HttpAdapter", application.adapter("http"))
    async with application.running([adapter]), httpx.AsyncClient(base_url=adapter.address, timeout=30) as api:
        yield SignedIn(api, adapter, application, settings)


@contextlib.asynccontextmanager
async def pages_of(settings: Settings, api: str, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the pages for an API; `changes` are of what their process is told."""
    told = replace(page_settings(settings, api), **changes)
    opened = await listen(settings, needs_key=told.needs_key)
    child = Child(opened, told)
    child.start()
    try:
        async with httpx.AsyncClient(base_url=address_of(opened), timeout=30) as pages:
            yield pages
    finally:
        await child.stop()
