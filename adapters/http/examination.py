"""Examines the HTTP API's set-up: keys, address, port, and whether Preceptor itself is what listens there."""

import socket
from collections.abc import AsyncIterator

import httpx

from adapters.http import listening
from adapters.http.keys import Keys
from bot.errors import AdapterError, AddressInUseError
from bot.examination import Examined, Finding
from bot.settings.tree import HttpSettings

_PATIENCE_S = 3.0


async def examine(examined: Examined) -> AsyncIterator[Finding]:
    """Check what the adapter's start would stumble over; the port is taken for a moment and let go."""
    settings: HttpSettings = examined.settings.http
    try:
        keys = Keys(settings)
        where = await listening.resolve(settings.host, settings.port)
    except AdapterError as error:
        yield Finding("http: address and keys", "failed", error.sentence, error.fix)
        return
    yield _of_keys(settings, is_loopback=where.is_loopback, has_keys=bool(keys))
    yield await _of_port(where, settings.port)


def _of_keys(settings: HttpSettings, *, is_loopback: bool, has_keys: bool) -> Finding:
    name = "http: keys"
    if has_keys:
        admins, users = len(settings.admin_keys), len(settings.user_keys)
        return Finding(name, "ok", f"Needed, and there: {admins} for admins, {users} for users.")
    if is_loopback:
        return Finding(name, "ok", "None, and none is needed: only this machine can reach it. All there are admins.")
    return Finding(
        name,
        "failed",
        f"On http.host {settings.host} others can reach the HTTP API, and no key is set: it does not start.",
        "Make one with `preceptor settings new-key` and set it in http.admin_keys, or listen on 127.0.0.1.",
    )


async def _of_port(where: listening.Address, port: int) -> Finding:
    name = "http: port"
    try:
        opened = listening.listen(where)
    except AddressInUseError as error:
        if running := await _preceptor_at(where):
            return Finding(name, "ok", f"Preceptor itself listens on port {port}: {running}.")
        return Finding(name, "failed", error.sentence, error.fix)
    except AdapterError as error:
        return Finding(name, "failed", error.sentence, error.fix)
    opened.close()
    return Finding(name, "ok", f"Port {port} is free." if port else "A free one is taken at every start.")


async def _preceptor_at(where: listening.Address) -> str:
    """Say what a Preceptor that listens there is doing; empty where it is none."""
    host, port = where.sockaddr[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - a comparison: there, this machine's own address reaches it
        host = "127.0.0.1" if where.family == socket.AF_INET else "::1"
    url = f"http://[{host}]:{port}/readyz" if ":" in str(host) else f"http://{host}:{port}/readyz"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as client:
            document = (await client.get(url)).json()
    except (httpx.HTTPError, ValueError):
        return ""
    if not isinstance(document, dict) or document.keys() != {"status", "waiting_for"}:
        return ""
    return f"it waits for {document['waiting_for']}" if document["waiting_for"] else "it is running and ready"
