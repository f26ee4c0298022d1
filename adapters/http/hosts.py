"""Knows under which names the API is reached, and refuses requests that were made for another name."""

import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from adapters.http.problems import Problem


class Hosts:
    """This machine's own names and `allowed`; compared without port and without regard to case."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(name.lower() for name in allowed)

    def refusal(self, headers: Mapping[bytes, bytes]) -> Problem | None:
        """Give the problem of a request that was meant for another host or made by another site's page."""
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not self._knows(_name(host)):
            return Problem(
                "host_unknown", "I am not known under this name.", "The setting http.allowed_hosts lists more names."
            )
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower().partition("://")[2] != host:
            return Problem(
                "origin_refused",
                "A page of another site made this request.",
                "Where keys are set (http.user_keys), a page may send one.",
            )
        return None

    def _knows(self, name: str) -> bool:
        if name == "localhost" or name in self._allowed:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _name(host: str) -> str:
    """Give the host's name or address without its port, brackets and final dot."""
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""
