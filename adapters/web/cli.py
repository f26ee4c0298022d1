"""The command `preceptor web`."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import httpx
import typer

from bot.errors import AdapterError, AddressInUseError

if TYPE_CHECKING:
    import socket

    from bot.settings import Settings

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_LOOK_SECONDS = 3.0
_PAUSE_SECONDS = 1.0


def _address(text: str) -> str:
    """Let the address of an API pass, or nothing.

    Raises:
        BadParameter: it is neither.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if text and (url.scheme not in ("http", "https") or not url.host):
        raise typer.BadParameter(f"{text} is no address as http://host:port")
    return text.rstrip("/")


@app.command()
def web(
    api: Annotated[
        str,
        typer.Option(
            "--api", metavar="URL", callback=_address, help="Serve the pages alone, for the HTTP API at this address."
        ),
    ] = "",
) -> None:
    """Serve the web pages: to talk to the bot, and to run it.

    Where Preceptor runs already, the pages are served for it; else all of Preceptor is started, as by `preceptor run`.
    """
    from adapters.web.adapter import NOT_INSTALLED, is_installed
    from bot import logs
    from bot.settings import load

    if not is_installed():
        sentence, _, fix = NOT_INSTALLED.partition(": ")
        raise AdapterError(f"{sentence}.", f"Install them: {fix}")
    settings = load().settings
    address = api or _address_of(settings)
    needs_key = asyncio.run(_needs_key(address)) if address else None
    if needs_key is None and not api:
        from bot.cli import conversing

        asyncio.run(_look_at_port(settings))
        # Whoever asks for the pages gets them, also where the settings leave them out of `preceptor run`.
        os.environ["PRECEPTOR_WEB__ENABLED"] = "true"
        conversing.run()
        return
    logs.set_up(settings.log)
    asyncio.run(_serve(settings, address, needs_key=needs_key))


def _address_of(settings: "Settings") -> str:
    """Give the address at which the settings have the API; empty where that is not known before it starts."""
    from adapters.web.adapter import reachable

    host, port = settings.http.host, settings.http.port
    if not settings.http.enabled or not port:
        return ""
    return reachable(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")


async def _needs_key(address: str) -> bool | None:
    """Ask an API whether it takes a key; None where none answers."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_LOOK_SECONDS) as client:
            ready = (await client.get(f"{address}/readyz")).json()
            known = await client.get(f"{address}/v1/about")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    if not isinstance(ready, dict) or "waiting_for" not in ready:
        return None
    return known.status_code == httpx.codes.UNAUTHORIZED


async def _serve(settings: "Settings", address: str, *, needs_key: bool | None) -> None:
    """Serve the pages until somebody stops them; where `needs_key` is None the API is waited for."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    if needs_key is None:
        _say(f"Waiting for {address} to answer as Preceptor does.")
        needs_key = await _waited_for(address, stopped)
    if needs_key is not None:
        await _served(settings, address, stopped, needs_key=needs_key)


async def _waited_for(address: str, stopped: asyncio.Event) -> bool | None:
    """Wait until an API answers, and give what `_needs_key` says; None where somebody stopped it before."""
    while not stopped.is_set():
        if (needs_key := await _needs_key(address)) is not None:
            return needs_key
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _PAUSE_SECONDS)
    return None


async def _served(settings: "Settings", address: str, stopped: asyncio.Event, *, needs_key: bool) -> None:
    from adapters.web.adapter import address_of, page_settings
    from adapters.web.child import Child

    told = replace(page_settings(settings, address), needs_key=needs_key)
    opened = await _opened(settings, needs_key=needs_key)
    url = address_of(opened)
    child = Child(opened, told)
    child.start()
    try:
        _say(f"Open {url}\nThe pages talk to {address}.")
        await stopped.wait()
    finally:
        await child.stop()


async def _opened(settings: "Settings", *, needs_key: bool) -> "socket.socket":
    """Take the pages' address.

    Raises:
        AddressInUseError: another program listens there; where those are the pages, it says so.
        AdapterError: the address cannot be had, or others could reach it without a key.
    """
    from adapters.web.adapter import listen
    from adapters.web.examination import pages_at

    try:
        return await listen(settings, needs_key=needs_key)
    except AddressInUseError:
        if url := await pages_at(settings):
            fix = "Open that; to serve them once more, set web.port to a free one."
            raise AddressInUseError(f"The pages are served at {url} already.", fix) from None
        raise


async def _look_at_port(settings: "Settings") -> None:
    """See that the pages' address can be had. Raises what `_opened` does."""
    (await _opened(settings, needs_key=bool(settings.http.admin_keys or settings.http.user_keys))).close()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
