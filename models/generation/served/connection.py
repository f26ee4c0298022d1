"""The HTTP connection to a server that writes answers: what goes along with a request, and what its failures mean.

Imported only when a connection is made: it takes the HTTP library with it.
"""

import contextlib
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from ipaddress import ip_address

import anyio
import httpx2

from models.errors import GeneratorRefusedError, GeneratorSlowError, GeneratorUnreachableError
from models.generation.served.faults import AttemptError, Server

FAILURES = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    # What the TLS layer throws comes raw now and then.
    ssl.SSLError,
    anyio.EndOfStream,
    OSError,
)
"""What a connection may fail with."""

_NEEDED = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host", "user-agent"}
)
_BEFORE_THE_REQUEST = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
)

responses: ContextVar[list[httpx2.Response]] = ContextVar("responses")
"""Where the responses that come in are noted, so that who began can end them."""


def http_client(
    server: Server, base_url: str, proxy: str, timeout: float, credentials: Mapping[str, str]
) -> httpx2.AsyncClient:
    """Open a client that sends what the protocol needs and these credentials, and nothing that a library adds to it.

    Args:
        server: how messages speak of it.
        base_url: where it is; the environment's proxy does not count for one on this machine.
        proxy: an address, or empty: the environment's counts (``HTTPS_PROXY``, ``NO_PROXY``).
        timeout: seconds of silence that are borne.
        credentials: headers; those of the library or the environment are left out.

    Raises:
        GeneratorRefusedError: `base_url` or `proxy` is no address, or one of a kind that is not served.
    """

    async def keep_to_the_needed(request: httpx2.Request) -> None:
        for name in [name for name in request.headers if name not in _NEEDED]:
            del request.headers[name]
        if request.headers.get("authorization", "").startswith("Bearer"):
            del request.headers["authorization"]
        request.headers.update(credentials)

    try:
        if httpx2.URL(base_url).scheme not in {"http", "https"} or not httpx2.URL(base_url).host:
            raise _bad_address(server)
        return httpx2.AsyncClient(
            proxy=proxy or None,
            trust_env=not _is_this_machine(base_url),
            timeout=timeout,
            follow_redirects=False,
            event_hooks={"request": [keep_to_the_needed], "response": [_note]},
        )
    # What it says may hold the password in an address.
    except (httpx2.InvalidURL, ValueError):
        raise _bad_address(server) from None
    except ImportError:
        raise GeneratorRefusedError(
            f"{server.section}.proxy, or the environment's, is a SOCKS proxy.", "Give the address of an HTTP proxy."
        ) from None


async def _note(response: httpx2.Response) -> None:
    noted = responses.get(None)
    if noted is not None:
        noted.append(response)


def _is_this_machine(base_url: str) -> bool:
    host = httpx2.URL(base_url).host
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def of_failure(server: Server, base_url: str, failure: BaseException | None) -> AttemptError:
    """Tell what one of the `FAILURES` means."""
    section = server.section
    if isinstance(failure, _BEFORE_THE_REQUEST):
        error = GeneratorUnreachableError(
            f"{server.name} cannot be reached at {_shown(base_url)}.",
            f"Look whether it runs, at the network, and at {section}.base_url and {section}.proxy.",
        )
        return AttemptError(error, is_passing=True)
    if isinstance(failure, (httpx2.TimeoutException, TimeoutError)):
        return AttemptError(too_slow(server), is_billed=True)
    if isinstance(failure, (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)):
        return AttemptError(_bad_address(server))
    return broke_off(server)


def too_slow(server: Server) -> GeneratorSlowError:
    """It kept silent for too long."""
    return GeneratorSlowError(
        f"{server.name} kept silent for longer than {server.section}.timeout_seconds.",
        "Raise it, or use a faster model.",
    )


def broke_off(server: Server) -> AttemptError:
    """The connection ended before the answer did."""
    error = GeneratorUnreachableError(f"{server.name} broke off.", "It is asked again with the next question.")
    return AttemptError(error, is_passing=True, is_billed=True)


def not_the_api(server: Server) -> AttemptError:
    """Something came that is not the API's: a page of a proxy, or half an answer."""
    error = GeneratorUnreachableError(
        f"What answers in the place of {server.name} sends something else than its API does.",
        f"Look at {server.section}.base_url and {server.section}.proxy.",
    )
    return AttemptError(error, is_billed=True)


def _bad_address(server: Server) -> GeneratorRefusedError:
    return GeneratorRefusedError(
        f"{server.section}.base_url or {server.section}.proxy is no address, or the environment's proxy is none.",
        "Write them as https://host/path and http://host:port.",
    )


def _shown(base_url: str) -> str:
    """An address without what may be a password in it."""
    url = httpx2.URL(base_url)
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
