"""Fetches files that people point to, and nothing that lies inside a private network."""

import re
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.errors import AttachmentError

if TYPE_CHECKING:
    from aiohttp.client import _RequestContextManager

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PIECE_BYTES = 64 << 10
_REDIRECTS = (301, 302, 303, 307, 308)
LONGEST_ADDRESS = 4_096
_PORTS = {"http": 80, "https": 443}
_NAT64 = IPv6Network("64:ff9b::/96")
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        *("192.0.0.0/24", "192.88.99.0/24"),
        *("64:ff9b:1::/48", "100::/64", "2001::/23", "3fff::/20", "5f00::/16"),
    )
)
"""Of IANA's registries of special-purpose addresses, what `ipaddress` takes for global in some versions of Python."""

_A_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*", re.IGNORECASE)
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet", ".corp")


class NotPublicError(OSError):
    """An address inside a private network; an OSError, for that is what a socket's maker may raise."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """How files are fetched.

    Attributes:
        networks: those inside which files may lie though they are private, as ``10.1.0.0/16``.
        own: the base URL that the operator set for the platform; that very server may lie anywhere.
        proxy: the HTTP proxy of the settings; empty for none.
        environment: whether the proxy of the environment counts where the settings name none.
        redirects: how often a server may send us elsewhere.
        seconds: how long one file may take, however slowly it drips.
        pause_seconds: how long nothing at all may come.
        resolver: gives the addresses of a name; None for the system's.
    """

    networks: Sequence[str] = ()
    own: str = ""
    proxy: str = ""
    environment: bool = False
    redirects: int = 3
    seconds: float = 60.0
    pause_seconds: float = 20.0
    resolver: AbstractResolver | None = None


class Fetcher:
    """Fetches by GET, without cookies, without compression and with nothing of ours but the headers it is given.

    The name in an address is resolved once, and the connection goes to the very address that was looked at: a name
    whose address changes in between (DNS rebinding) gains nothing. Behind a proxy it is the proxy that resolves; then
    addresses in figures and names that are local by their form are refused here, and the rest is the proxy's to refuse.
    """

    def __init__(self, how: Fetching) -> None:
        self._how = how
        self._networks = tuple(ip_network(network) for network in how.networks)

    async def pieces(
        self,
        url: str,
        headers: Callable[[str], Mapping[str, str]],
        check: Callable[[aiohttp.ClientResponse], None],
    ) -> AsyncGenerator[bytes, None]:
        """Yield a file's bytes as they arrive.

        Args:
            url: where it lies.
            headers: gives what to send to an address, asked anew for every redirect; raises AttachmentError where
                nothing is to be asked of it.
            check: raises AttachmentError where an answer is not the file.

        Raises:
            AttachmentError: it lies where nothing is fetched from, or its server sends us about.
            aiohttp.ClientError, TimeoutError: its server is not reached, breaks off or is too slow.
        """
        end = monotonic() + self._how.seconds
        try:
            for _ in range(self._how.redirects + 1):
                sent = headers(url)
                async with self._session(url, end - monotonic()) as session, self._get(session, url, sent) as response:
                    if response.status in _REDIRECTS:
                        url = _joined(url, response.headers.get("Location", ""))
                        continue
                    check(response)
                    _refuse_compression(response)
                    async for piece in response.content.iter_chunked(_PIECE_BYTES):
                        yield piece
                    return
        except (NotPublicError, aiohttp.ClientConnectorError) as error:
            if isinstance(error, NotPublicError) or isinstance(error.os_error, NotPublicError):
                raise _not_public() from error
            raise
        raise AttachmentError("It could not be fetched: I am sent from place to place.")

    def _get(self, session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> "_RequestContextManager":
        return session.get(
            url,
            headers={"Accept-Encoding": "identity"} | dict(headers),
            allow_redirects=False,
            proxy=self._proxy(urlsplit(url)) or None,
        )

    def _session(self, url: str, seconds: float) -> aiohttp.ClientSession:
        """Open a session that reaches this one server and no other.

        Raises:
            AttachmentError, NotPublicError: nothing is fetched from there.
        """
        parts = _parts(url)
        is_own = self._is_own(parts)
        proxied = bool(self._proxy(parts))
        if not is_own:
            self._look_at(parts, proxied)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._how.resolver,
                use_dns_cache=False,
                force_close=True,
                socket_factory=None if is_own or proxied else self._socket,
            ),
            # For all of it: what drips in slowly is broken off, too. Nothing at all would stand for no limit.
            timeout=aiohttp.ClientTimeout(
                total=max(seconds, 0.001), sock_connect=10, sock_read=self._how.pause_seconds
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    def _proxy(self, parts: SplitResult) -> str:
        if self._how.proxy or not self._how.environment or proxy_bypass(parts.hostname or ""):
            return self._how.proxy
        return getproxies().get(parts.scheme, "")

    def _is_own(self, parts: SplitResult) -> bool:
        own = urlsplit(self._how.own)
        return (parts.scheme, parts.hostname, parts.port) == (own.scheme, own.hostname, own.port)

    def _look_at(self, parts: SplitResult, proxied: bool) -> None:
        host = parts.hostname or ""
        address = _address(host)
        if address is not None:
            self._admit(address, parts.port or _PORTS[parts.scheme])
        elif proxied and (not _A_NAME.fullmatch(host.rstrip(".")) or _is_local(host)):
            raise NotPublicError
        elif not self._networks and parts.port not in (None, *_PORTS.values()):
            raise AttachmentError("It lies behind an unusual port, and I fetch nothing from there.")

    def _admit(self, address: Address, port: int) -> None:
        """Raise NotPublicError unless this may be connected to."""
        inner = unwrapped(address)
        if any(one in network for network in self._networks for one in (address, inner)):
            return
        if not is_public(address) or port not in _PORTS.values():
            raise NotPublicError

    def _socket(self, info: "tuple[Any, Any, int, str, tuple[Any, ...]]") -> socket.socket:
        """Make the socket for a connection: what stands in `info` now is where it goes."""
        family, kind, protocol, _, (host, port, *_rest) = info
        address = _address(host)
        if address is None:
            raise NotPublicError
        self._admit(address, port)
        return socket.socket(family, kind, protocol)


def unwrapped(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address leads to (mapped, 6to4, NAT64); any other as it is."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_public(address: Address) -> bool:
    """Say whether an address is one of the open Internet's, by the registries that `ipaddress` holds."""
    inner = unwrapped(address)
    # Some of these lie inside ranges that are global otherwise.
    special = inner.is_multicast or inner.is_reserved or inner.is_unspecified or inner.is_link_local
    is_site = isinstance(inner, IPv6Address) and inner.is_site_local
    special = special or is_site or any(inner in network for network in _SPECIAL)
    return inner.is_global and not special


def _not_public() -> AttachmentError:
    return AttachmentError(
        "It lies inside a private network, and I fetch nothing from there.",
        "Upload it here; the setting attachments.allowed_networks names exceptions.",
    )


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_local(host: str) -> bool:
    return f".{host.rstrip('.')}".lower().endswith(_LOCAL_NAMES)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # Where two parsers read it differently it was made to deceive one of them.
        usual = parts.scheme in _PORTS and parts.hostname and parts.port != 0 and _is_one(parts.hostname, URL(url).host)
    except ValueError:
        usual = False
    if not usual or len(url) > LONGEST_ADDRESS:
        raise _no_address()
    if parts.username is not None or parts.password is not None:
        raise AttachmentError("Its address holds a name or a password.", "Upload it here instead.")
    return parts


def _is_one(host: str, other: str | None) -> bool:
    return other is not None and (host == other or (_address(host) or host) == _address(other))


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise _no_address() from error


def _no_address() -> AttachmentError:
    return AttachmentError("Its address is none that files are fetched from.", "Upload it here instead.")


def _refuse_compression(response: aiohttp.ClientResponse) -> None:
    """A small file that unpacks into a huge one is what this is about: nothing compressed is taken."""
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise AttachmentError("Its server sends it compressed, which I do not take.", "Upload it here instead.")
