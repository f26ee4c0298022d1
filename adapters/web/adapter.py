"""Keeps the process that serves the web pages running."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import structlog

from adapters.web.page_settings import PageSettings
from bot.adapter import Accept, Adapter, AdapterSetup, Health, Limits
from bot.errors import AdapterError, AddressInUseError, DeliveryRefusedError

if TYPE_CHECKING:
    import socket

    from adapters.web.child import Child
    from bot.messages import Place, Reply
    from bot.settings import Settings

log = structlog.get_logger(__name__)

_NEEDED = ("httpx_sse", "streamlit")

NOT_INSTALLED = "The web pages are not installed: `make web`."
_NO_API = "The web pages need the HTTP API: set http.enabled to true."

_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - names to be replaced


class WebAdapter(Adapter):
    """The pages. What is asked there comes over the HTTP API, and so do the answers: nothing is sent from here."""

    name = "web"
    limits = Limits(reaches_later=False)

    def __init__(self, setup: AdapterSetup) -> None:
        self._settings = cast("Settings", setup.settings)
        self._addresses = setup.addresses
        self._child: Child | None = None
        self._missing = ""

    @classmethod
    def create(cls, setup: AdapterSetup) -> WebAdapter:
        """Make the adapter from the settings."""
        return cls(setup)

    @property
    def welcome(self) -> str:
        """Say where the pages are, or why there are none."""
        return self._missing or f"Open {self.address}"

    @property
    def health(self) -> Health:
        """Whether the process serves."""
        return self._child.health if self._child else Health(is_up=False, reason=self._missing)

    async def start(self, accept: Accept) -> None:
        """Take the address and start the process; where the pages cannot be, `welcome` says why, and that is all.

        Raises:
            AdapterError: the address cannot be had, other than being in use, or others could reach it without a key.
        """
        api = self._addresses().get("http", "")
        self._missing = "" if is_installed() else NOT_INSTALLED
        if not self._missing and not api:
            self._missing = _NO_API
        if self._missing:
            return
        from adapters.web.child import Child

        settings = page_settings(self._settings, reachable(api))
        try:
            opened = await listen(self._settings, needs_key=settings.needs_key)
        # All else goes on without them: a second process beside the one that serves them is a thing to have.
        except AddressInUseError as error:
            self._missing = f"The web pages are not served: web.port {self._settings.web.port} is taken. {error.fix}"
            log.warning("web pages not served", reason=error.sentence, fix=error.fix)
            return
        self.address = address_of(opened)
        self._child = Child(opened, settings)
        self._child.start()

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Refuse: nobody is reached here but through the HTTP API."""
        raise DeliveryRefusedError("The web pages take their answers from the HTTP API.")

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        """Refuse as `send` does."""
        await self.send(place, reply, sent_id)

    async def stop(self) -> None:
        """End the process."""
        if self._child is not None:
            await self._child.stop()


def is_installed() -> bool:
    """Say whether what the pages are made with is there."""
    return all(importlib.util.find_spec(name) for name in _NEEDED)


def page_settings(settings: Settings, api: str) -> PageSettings:
    """Give what the pages' process is told; `api` is the address of the API."""
    return PageSettings(
        title=settings.web.title,
        api=api,
        needs_key=bool(settings.http.admin_keys or settings.http.user_keys),
        guests=settings.http.guests,
        https=settings.web.https,
        allowed_hosts=settings.web.allowed_hosts,
        upload_megabytes=max(settings.attachments.megabytes, settings.knowledge.upload_megabytes),
        session_hours=settings.http.session_hours,
    )


async def listen(settings: Settings, *, needs_key: bool) -> socket.socket:
    """Take the address of the settings.

    Raises:
        AddressInUseError: another program listens there.
        AdapterError: the address cannot be had, or others could reach it without a key.
    """
    # Here, so that the pages' own process, which imports this package, is free of all that makes up the API.
    from adapters.http import listening

    where = await listening.resolve(settings.web.host, settings.web.port, "web")
    if not where.is_loopback and not needs_key:
        raise AdapterError(
            f"On web.host {settings.web.host} others can reach the web pages, and no key is set.",
            "Make one with `preceptor settings new-key` and set it in http.admin_keys, or listen on 127.0.0.1.",
        )
    return listening.listen(where, "web")


def address_of(opened: socket.socket) -> str:
    """Give the address of a listening socket, as somebody on this machine opens it."""
    from adapters.http import listening

    return reachable(listening.url_of(opened))


def reachable(address: str) -> str:
    """Give an address under which this machine itself reaches what listens on all of its addresses."""
    parts = urlsplit(address)
    host = _ANY.get(parts.hostname or "")
    return address if host is None else f"{parts.scheme}://{host}:{parts.port}"
