"""Examines the web pages' set-up: reachable by whom, on a port that is free, with cookies that fit."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx

from adapters.web.adapter import reachable
from bot.errors import AdapterError, AddressInUseError
from bot.examination import Examined, Finding

if TYPE_CHECKING:
    from adapters.http import listening
    from bot.settings import Settings

_PATIENCE_S = 3.0
_ADMIN_FIX = "Make one with `preceptor settings new-key` and set it in http.admin_keys."


async def examine(examined: Examined) -> AsyncIterator[Finding]:
    """Check what the pages' start would stumble over; the port is taken for a moment and let go."""
    from adapters.http import listening

    settings = examined.settings
    if not settings.http.enabled:
        fix = "Set http.enabled to true, or web.enabled to false."
        yield Finding("web: HTTP API", "warning", "The pages talk to the HTTP API, which is off: there are none.", fix)
    try:
        where = await listening.resolve(settings.web.host, settings.web.port, "web")
    except AdapterError as error:
        yield Finding("web: address", "failed", error.sentence, error.fix)
        return
    yield _of_keys(settings, is_loopback=where.is_loopback)
    if settings.http.user_keys and not settings.http.admin_keys:
        sentence, fix = "No key is an admin's: nobody can open the pages for running Preceptor.", _ADMIN_FIX
        yield Finding("web: admin keys", "warning", sentence, fix)
    if finding := _of_cookies(settings, is_loopback=where.is_loopback):
        yield finding
    yield await _of_port(where, settings)


def _of_keys(settings: "Settings", *, is_loopback: bool) -> Finding:
    name = "web: keys"
    if settings.http.admin_keys or settings.http.user_keys:
        guests = " Guests may ask." if settings.http.guests else ""
        return Finding(name, "ok", f"People sign in with a key of [http].{guests}")
    if is_loopback:
        return Finding(name, "ok", "None, and none is needed: only this machine can reach the pages.")
    return Finding(
        name,
        "failed",
        f"On web.host {settings.web.host} others can reach the web pages, and no key is set: they do not start.",
        "Make one with `preceptor settings new-key` and set it in http.admin_keys, or listen on 127.0.0.1.",
    )


def _of_cookies(settings: "Settings", *, is_loopback: bool) -> Finding | None:
    """Say whether sessions may travel in the clear."""
    is_reached_from_elsewhere = bool(settings.web.allowed_hosts) or not is_loopback
    if settings.web.https or not is_reached_from_elsewhere:
        return None
    return Finding(
        "web: https",
        "warning",
        "The pages are reached from elsewhere, and their cookies do not ask for https.",
        "Put a proxy with https before them and set web.https to true.",
    )


async def _of_port(where: "listening.Address", settings: "Settings") -> Finding:
    from adapters.http import listening

    name, port = "web: port", settings.web.port
    try:
        opened = listening.listen(where, "web")
    except AddressInUseError as error:
        if await pages_at(settings):
            return Finding(name, "ok", f"Preceptor's own pages are served on port {port}.")
        return Finding(name, "failed", error.sentence, error.fix)
    except AdapterError as error:
        return Finding(name, "failed", error.sentence, error.fix)
    opened.close()
    return Finding(name, "ok", f"Port {port} is free." if port else "A free one is taken at every start.")


async def pages_at(settings: "Settings") -> str:
    """Give the address of the pages that are served where these would be; empty where there are none.

    Nobody else has both that sign-in and Streamlit's health.

    Raises:
        AdapterError: web.host names no address.
    """
    from adapters.http import listening

    host, port = (await listening.resolve(settings.web.host, settings.web.port, "web")).sockaddr[:2]
    address = reachable(f"http://[{host}]:{port}" if ":" in str(host) else f"http://{host}:{port}")
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as client:
            health = await client.get(f"{address}/_stcore/health")
            leaving = await client.get(f"{address}/sign-out")
    except httpx.HTTPError:
        return ""
    return address if health.text == "ok" and "/sign-out" in leaving.text else ""
