"""Sends discord.py to the loopback by the two class attributes that hold Discord's addresses."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

if TYPE_CHECKING:
    from collections.abc import Iterator


class Addressed(Protocol):
    """A loopback, in this process or in another one, by its addresses and the bot's token."""

    @property
    def rest_url(self) -> str:
        """The REST API's base."""

    @property
    def gateway_url(self) -> str:
        """The gateway's address."""

    @property
    def token(self) -> str:
        """The bot's token."""


@contextlib.contextmanager
def pointed_at(discord: Addressed) -> Iterator[None]:
    """Let discord.py's clients in this process talk to the loopback for as long as this lasts."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = discord.rest_url, yarl.URL(discord.gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
