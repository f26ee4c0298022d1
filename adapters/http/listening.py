"""Opens the socket that the API listens on, and says whether anybody but this machine can reach it."""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
from dataclasses import dataclass
from typing import Any

from bot.errors import AdapterError, AddressInUseError


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, resolved: `sockaddr` is what the socket module takes for `family`."""

    family: socket.AddressFamily
    sockaddr: tuple[Any, ...]

    @property
    def is_loopback(self) -> bool:
        """Whether it is reached from this machine alone."""
        return ipaddress.ip_address(str(self.sockaddr[0]).partition("%")[0]).is_loopback


async def resolve(host: str, port: int, section: str = "http") -> Address:
    """Find the address that `host` names; where it names several, IPv4 goes first.

    Args:
        host: a name or an address.
        port: 0 takes any.
        section: that of the settings which names them.

    Raises:
        AdapterError: it names none.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        found = []
    if not host or not found:
        raise AdapterError(f"There is no address {host!r} to listen on.", f"Mend the setting {section}.host.")
    family, _, _, _, sockaddr = min(found, key=lambda one: one[0] != socket.AF_INET)
    return Address(family, sockaddr)


def listen(address: Address, section: str = "http") -> socket.socket:
    """Take the address; from here on connections are queued.

    Args:
        address: where to listen.
        section: that of the settings which names it.

    Raises:
        AddressInUseError: another program has it.
        AdapterError: it cannot be had for another reason.
    """
    with contextlib.ExitStack() as undo:
        # With its protocol named: only then does asyncio set TCP_NODELAY, without which each response waits 40 ms.
        opened = undo.enter_context(socket.socket(address.family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        if os.name == "posix":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setblocking(False)
        try:
            opened.bind(address.sockaddr)
            # Listening already here: two programs may bind one address, but only one may listen on it.
            opened.listen()
        except OSError as error:
            raise _explained(error, address, section) from None
        undo.pop_all()
        return opened


def _explained(error: OSError, address: Address, section: str) -> AdapterError:
    host, port = address.sockaddr[:2]
    if error.errno == errno.EADDRINUSE:
        return AddressInUseError(
            f"Port {port} on {host} is in use by another program.",
            f"Set {section}.port to a free one (0 takes any), or stop that program.",
        )
    if error.errno == errno.EACCES:
        return AdapterError(f"This user may not listen on port {port}.", f"Set {section}.port to a number above 1023.")
    if error.errno == errno.EADDRNOTAVAIL:
        return AdapterError(f"This machine does not have the address {host}.", f"Mend the setting {section}.host.")
    return AdapterError(
        f"Cannot listen on {host}, port {port}: {error.strerror}.", f"Mend {section}.host or {section}.port."
    )


def url_of(opened: socket.socket) -> str:
    """Give the address of a listening socket as a browser takes it."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if opened.family == socket.AF_INET6 else f"http://{host}:{port}"
