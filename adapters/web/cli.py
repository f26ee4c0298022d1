"""The command `preceptor web`."""

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import httpx
import typer

from bot.errors import AdapterError

if TYPE_CHECKING:
    from adapters.web.page_settings import PageSettings
    from bot.settings import Settings

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_LOOK_SECONDS = 3.0


@app.command()
def web(
    api: Annotated[
        str, typer.Option("--api", metavar="URL", help="Serve the pages alone, for the HTTP API at this address.")
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
    address = api.rstrip("/") or _address_of(settings)
    needs_key = asyncio.run(_needs_key(address)) if address else None
    if needs_key is None and not api:
        from bot.cli import conversing

        # Whoever asks for the pages gets them, also where the settings leave them out of `preceptor run`.
        os.environ["PRECEPTOR_WEB__ENABLED"] = "true"
        conversing.run()
        return
    if needs_key is None:
        raise AdapterError(f"No Preceptor answers at {address}.", "Start it there, or mend --api.")
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


async def _serve(settings: "Settings", address: str, *, needs_key: bool) -> None:
    """Serve the pages until somebody stops them."""
    from dataclasses import replace

    from adapters.web.adapter import address_of, listen, page_settings
    from adapters.web.child import Child

    told: PageSettings = replace(page_settings(settings, address), needs_key=needs_key)
    opened = await listen(settings, needs_key=needs_key)
    url = address_of(opened)
    child = Child(opened, told)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    child.start()
    try:
        sys.stdout.write(f"Open {url}\nThe pages talk to {address}.\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await child.stop()
