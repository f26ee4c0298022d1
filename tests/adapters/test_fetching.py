"""Files are fetched from public addresses, whole, in time, and from nowhere else."""

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from adapters.fetching import Fetcher, Fetching, is_public, unwrapped
from bot.adapter import InMemoryAdapter
from bot.attachments import fetch
from bot.errors import AttachmentError
from bot.messages import Attachment

HERE = "127.0.0.1/32"
"""The one network that is allowed in a test in which something is fetched."""

PRIVATE = (
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254"),
    *("0.0.0.0", "0.1.2.3", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("2002:7f00:1::", "2002:0a00:0001::1", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2001::1"),
)
PUBLIC = ("1.1.1.1", "8.8.8.8", "162.159.128.233", "2606:4700::6810:1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8")


@dataclass
class Names(AbstractResolver):
    """Gives each name's addresses, one answer after the other; the last one for ever."""

    answers: dict[str, list[Sequence[str]]]
    asked: list[str] = field(default_factory=list)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.answers.get(host.rstrip("."), [])
        if not answers:
            raise OSError("no such name")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [self._result(host, address, port) for address in addresses]

    @staticmethod
    def _result(host: str, address: str, port: int) -> ResolveResult:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Server:
    """A file server on this machine, and what was asked of it."""

    port: int
    requests: list[web.Request]

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.requests]


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def _server(**answers: Answer) -> AsyncIterator[Server]:
    requests: list[web.Request] = []

    async def _handle(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        return await answers[request.path.strip("/")](request)

    application = web.Application()
    application.router.add_get("/{path:.*}", _handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Server(runner.addresses[0][1], requests)
    finally:
        await runner.cleanup()


async def _file(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"a picture")


def _to(address: str) -> Answer:
    async def _redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": address})

    return _redirect


def _nothing(url: str) -> Mapping[str, str]:
    return {}


def _any(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        raise AttachmentError(f"HTTP {response.status}.")


async def _fetched(url: str, **how: Any) -> bytes:
    pieces = Fetcher(Fetching(**how)).pieces(url, _nothing, _any)
    async with contextlib.aclosing(pieces):
        return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("address", PRIVATE)
async def test_an_address_inside_a_private_network_is_refused_by_whatever_name(address: str) -> None:
    assert not is_public(ip_address(address))
    names = Names({"files.example": [[address]]})
    literal = f"[{address.partition('%')[0]}]" if ":" in address else address
    for url in ("http://files.example/x", "https://files.example./x", f"http://{literal}/x"):
        with pytest.raises(AttachmentError, match="inside a private network"):
            await _fetched(url, resolver=names)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_in_its_ipv6_forms(address: Any) -> None:
    number = int(address)
    forms = (f"::ffff:{address}", ip_address((0x2002 << 112) | (number << 80)), f"64:ff9b::{address}")
    for form in map(ip_address, forms):
        assert unwrapped(form) == address
        assert is_public(form) == is_public(address)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "0x7f.0.0.1", "localhost", "LOCALHOST."]
)
async def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    async with _server(x=_file) as server:
        for url in (f"http://{host}:{server.port}/x", f"http://{host}/x"):
            with pytest.raises((AttachmentError, aiohttp.ClientError)):
                await _fetched(url)
    assert not server.asked


async def test_what_the_settings_allow_is_fetched() -> None:
    names = Names({"files.example": [["127.0.0.1"]]})
    async with _server(x=_file) as server:
        for host in ("files.example", "127.0.0.1", "[::ffff:127.0.0.1]"):
            assert await _fetched(f"http://{host}:{server.port}/x", resolver=names, networks=(HERE,)) == b"a picture"


async def test_the_server_that_the_operator_set_may_lie_anywhere_and_its_neighbours_may_not() -> None:
    async with _server(x=_file) as own, _server(x=_file) as neighbour:
        base = f"http://127.0.0.1:{own.port}"
        assert await _fetched(f"{base}/x", own=f"{base}/api/v10") == b"a picture"
        with pytest.raises(AttachmentError, match="inside a private network"):
            await _fetched(f"http://127.0.0.1:{neighbour.port}/x", own=base)
    assert not neighbour.asked


async def test_a_name_is_resolved_once_and_the_connection_goes_to_what_was_looked_at() -> None:
    names = Names({"files.example": [["127.0.0.1"], ["10.0.0.1"]]})
    async with _server(x=_file) as server:
        url = f"http://files.example:{server.port}/x"
        assert await _fetched(url, resolver=names, networks=(HERE,)) == b"a picture"
        assert names.asked == ["files.example"]
        with pytest.raises(AttachmentError, match="inside a private network"):
            await _fetched(url, resolver=names, networks=(HERE,))
    assert len(server.asked) == 1


async def test_a_name_that_changes_its_address_on_the_way_is_looked_at_anew() -> None:
    names = Names({"files.example": [["127.0.0.1"], ["169.254.169.254"]]})
    async with _server(x=_to("/y"), y=_file) as server:
        with pytest.raises(AttachmentError, match="inside a private network"):
            await _fetched(f"http://files.example:{server.port}/x", resolver=names, networks=(HERE,))
    assert server.asked == ["/x"]


async def test_of_several_addresses_the_private_ones_are_left_out() -> None:
    async with _server(x=_file) as server:
        mixed = Names({"files.example": [["127.0.0.2", "::1", "127.0.0.1"]]})
        url = f"http://files.example:{server.port}/x"
        assert await _fetched(url, resolver=mixed, networks=(HERE,)) == b"a picture"
        private = Names({"files.example": [["127.0.0.2", "::1", "10.0.0.1"]]})
        with pytest.raises(AttachmentError, match="inside a private network"):
            await _fetched(url, resolver=private, networks=(HERE,))


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("http://10.0.0.1/secret", "inside a private network"),
        ("http://[::1]/secret", "inside a private network"),
        ("http://inside.example/secret", "inside a private network"),
        ("//169.254.169.254/latest/meta-data", "inside a private network"),
        ("file:///etc/passwd", "none that files are fetched from"),
        ("gopher://files.example/x", "none that files are fetched from"),
        ("http://", "from place to place"),
        ("http://inside.example\\@files.example/x", "a name or a password|none that"),
        ("http://[", "none that files are fetched from"),
        ("http://me:secret@files.example/x", "a name or a password"),
    ],
)
async def test_a_redirect_leads_nowhere_that_the_address_itself_could_not(target: str, sentence: str) -> None:
    names = Names({"files.example": [["127.0.0.1"]], "inside.example": [["192.168.0.1"]]})
    async with _server(x=_to(target)) as server:
        with pytest.raises(AttachmentError, match=sentence) as raised:
            await _fetched(f"http://files.example:{server.port}/x", resolver=names, networks=(HERE,))
    assert target not in str(raised.value)


async def test_redirects_are_followed_a_few_times_and_asked_for_their_headers_each_time() -> None:
    asked: list[str] = []

    def _headers(url: str) -> Mapping[str, str]:
        asked.append(url)
        return {"Authorization": "Bearer token"} if "first" in url else {}

    names = Names({name: [["127.0.0.1"]] for name in ("first.example", "second.example")})
    async with _server(y=_file) as second, _server(x=_to(f"http://second.example:{second.port}/y")) as first:
        how = Fetching((HERE,), resolver=names)
        url = f"http://first.example:{first.port}/x"
        assert [piece async for piece in Fetcher(how).pieces(url, _headers, _any)] == [b"a picture"]
        assert len(asked) == 2
        assert first.requests[0].headers["Authorization"] == "Bearer token"
        assert "Authorization" not in second.requests[0].headers
    async with _server(x=_to("/x")) as circle:
        with pytest.raises(AttachmentError, match="from place to place"):
            await _fetched(f"http://first.example:{circle.port}/x", resolver=names, networks=(HERE,))
        assert len(circle.asked) == 4


async def test_a_file_that_drips_in_is_broken_off_when_its_time_is_over() -> None:
    async def _drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b".")
                await asyncio.sleep(0.01)
        return response

    async with _server(x=_drip) as server:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await _fetched(f"http://127.0.0.1:{server.port}/x", networks=(HERE,), seconds=0.3)
        assert asyncio.get_running_loop().time() - began < 3


async def test_a_server_that_says_nothing_is_left() -> None:
    async def _hang(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("nobody waits for this")

    async with _server(x=_hang) as server:
        with pytest.raises(TimeoutError):
            await _fetched(f"http://127.0.0.1:{server.port}/x", networks=(HERE,), pause_seconds=0.1)


async def test_nothing_compressed_is_taken() -> None:
    bomb = gzip.compress(bytes(50 << 20))

    async def _bomb(request: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with _server(x=_bomb) as server:
        with pytest.raises(AttachmentError, match="compressed"):
            await _fetched(f"http://127.0.0.1:{server.port}/x", networks=(HERE,))
        assert server.requests[0].headers["Accept-Encoding"] == "identity"


class _Fetching(InMemoryAdapter):
    """A platform whose files lie at an address."""

    def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        return Fetcher(Fetching((HERE,))).pieces(attachment.url, _nothing, _any)


async def test_a_server_that_lies_about_the_length_gains_nothing_by_it() -> None:
    async def _endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 64 << 20:
                await response.write(bytes(1 << 16))
                sent += 1 << 16
        assert sent < 32 << 20
        return response

    async def _short(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"less")
        request.transport.close()  # type: ignore[union-attr]
        return response

    async with _server(endless=_endless, short=_short) as server:
        root = f"http://127.0.0.1:{server.port}"
        with pytest.raises(AttachmentError, match="larger; I fetch 1 MiB"):
            await fetch(_Fetching(), Attachment("x.png", "image/png", 10, f"{root}/endless"), 1)
        with pytest.raises(aiohttp.ClientError):
            await fetch(_Fetching(), Attachment("x.png", "image/png", 10, f"{root}/short"), 1)


async def test_behind_a_proxy_figures_and_local_names_are_refused_and_the_rest_is_the_proxys() -> None:
    async with _server(**{"http://files.example/x": _file, "x": _file}) as proxy:
        through = f"http://127.0.0.1:{proxy.port}"
        for host in (
            "10.0.0.1",
            "[::1]",
            "2130706433",
            "0x7f000001",
            "127.1",
            "localhost",
            "printer.local",
            "intranet",
        ):
            with pytest.raises((AttachmentError, aiohttp.ClientError)):
                await _fetched(f"http://{host}/x", proxy=through)
        assert not proxy.asked
        assert await _fetched("http://files.example/x", proxy=through) == b"a picture"


async def test_an_unusual_port_is_refused() -> None:
    with pytest.raises(AttachmentError, match="unusual port"):
        await _fetched("https://files.example:22/x", resolver=Names({"files.example": [["1.1.1.1"]]}))
