"""Plain calls to a platform's REST API with short deadlines: an answer, or the sentence why there is none."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bot.errors import PreceptorError

_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Response:
    """What came back.

    Attributes:
        headers: by name in any case.
        document: the JSON object in it; empty where it held another thing.
        items: the JSON list in it, the same way.
    """

    status: int
    headers: Mapping[str, str]
    document: Mapping[str, Any]
    items: tuple[Any, ...] = ()


class UnreachableError(PreceptorError):
    """Nothing came back; the sentence says why."""


class AddressError(PreceptorError):
    """The address or the proxy in the settings cannot be one."""


class Rest:
    """Calls below one base address. Use `connected` to make one."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, method: str, path: str, authorization: str = "", **fields: str) -> Response:
        """Send `fields` as a form.

        Args:
            authorization: in the stead of the one that all calls have.

        Raises:
            UnreachableError: no answer came within five seconds.
        """
        headers = {"Authorization": authorization} if authorization else {}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._client.request(method, path, headers=headers, data=fields)
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._unreachable(error) from None
        found = _read(answer)
        items = tuple(found) if isinstance(found, list) else ()
        return Response(answer.status_code, answer.headers, found if isinstance(found, dict) else {}, items)

    def _unreachable(self, error: Exception) -> UnreachableError:
        reason = str(error) or "no answer in time"
        return UnreachableError(
            f"It could not be checked: no connection to {self._client.base_url.host} ({reason}).",
            "Check the network, base_url and the proxy; then run `preceptor doctor` again.",
        )


@contextlib.asynccontextmanager
async def connected(
    base_url: str, proxy: str, authorization: str = "", *, environment: bool = False
) -> AsyncIterator[Rest]:
    """Lend calls below `base_url` through `proxy`; where that is empty, through none.

    Args:
        authorization: what calls show in the header of that name; ASCII.
        environment: whether the environment's proxy counts where `proxy` is empty.

    Raises:
        AddressError: `base_url` or `proxy` is no address.
    """
    if not _is_address(base_url):
        raise AddressError("The base_url is no address.", "Write it as https://host/path.")
    try:
        client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": authorization} if authorization else {},
            proxy=proxy or None,
            trust_env=environment,
            timeout=_PATIENCE_S,
            follow_redirects=False,
        )
    # The address itself is not told: it may hold a password.
    except (httpx.InvalidURL, ValueError):
        raise AddressError("The proxy is no address.", "Write it as http://host:port.") from None
    async with client:
        yield Rest(client)


def _is_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)


def _read(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return {}
