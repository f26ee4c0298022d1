"""The pages' one way to the bot: its HTTP API, with the visitor's session as the key."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx
from httpx_sse import SSEError, connect_sse

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 60.0
"""Longer than the API itself lets anybody wait for an answer, so that its own sentence is heard."""

_LOOKING_SECONDS = 8.0
"""As long as a look at something may take; what takes longer hangs."""

UNREACHABLE = "unreachable"
"""The code of a `ApiError` where the API does not answer at all."""

TOO_SLOW = "too_slow"
"""The code of a `ApiError` where the API took the request and did not answer it in time."""

_UNREACHABLE = ("Preceptor does not answer just now.", "It may be starting; this page tries again by itself.")
_TOO_SLOW = ("Preceptor took too long.", "Try again in a minute.")


@dataclass(eq=False)  # not frozen: Python writes the traceback into an error on its way
class ApiError(Exception):
    """What the API refused, or that it is not there.

    Attributes:
        code: the problem's (``conversation_not_found``), or "unreachable", or "too_slow".
        sentence: what is wrong, for the visitor.
        fix: what to do about it; may be empty.
        status: of HTTP; 0 where no response came.
        seconds: how long to wait before trying again; 0 where nothing is said of it.
        errors: what is wrong with which part of the request: `pointer` and `detail` each.
    """

    code: str
    sentence: str
    fix: str = ""
    status: int = 0
    seconds: float = 0
    errors: tuple[Mapping[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.sentence} {self.fix}".strip()

    @property
    def is_away(self) -> bool:
        """Whether nobody answered, so that it may go well when tried again."""
        return self.code in (UNREACHABLE, TOO_SLOW)

    @property
    def is_signed_out(self) -> bool:
        """Whether it takes a key, or a session that still holds."""
        return self.status == httpx.codes.UNAUTHORIZED


class UploadedFile(NamedTuple):
    """A file as it goes to the API: its name, its content, its media type as claimed."""

    name: str
    content: bytes
    media_type: str


class Api:
    """A client of the API. Every method raises `ApiError`.

    Args:
        address: the API's, as ``http://127.0.0.1:8321``.
        token: the visitor's session; empty where there is none.
        client: what requests go through; for all visitors the same one.
    """

    def __init__(self, address: str, token: str, client: httpx.Client) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = client

    def get(self, path: str, **query: str | int | float | bool | None) -> Any:  # noqa: ANN401 - JSON
        """Give the document at a path; a query value that is None is left out."""
        return _document(self._send("GET", path, query))

    def send(self, method: str, path: str, body: object = None, **query: str | int | float | bool | None) -> Any:  # noqa: ANN401 - JSON
        """Send a body as JSON and give the document that comes back; None where none does."""
        return _document(self._send(method, path, query, **({} if body is None else {"json": body})))

    def upload(
        self,
        path: str,
        files: Sequence[UploadedFile],
        fields: Mapping[str, str] | None = None,
        **query: str | int | float | bool | None,
    ) -> Any:  # noqa: ANN401 - JSON
        """Send files as a form, all under the name "file", with other fields; give the document that comes back."""
        form = [("file", tuple(file)) for file in files]
        return _document(self._send("POST", path, query, files=form, data=dict(fields or {})))

    def content(self, path: str) -> tuple[bytes, str]:
        """Give a file at a path, and its media type."""
        response = self._send("GET", path, {})
        return response.content, response.headers.get("content-type", "")

    def events(self, path: str, body: object, **query: str | int | float | bool | None) -> Iterator[tuple[str, Any]]:
        """Send a body as JSON and yield the events of the response, each with its name and its document.

        An ``error`` event is raised as the problem that it holds.
        """
        with (
            _translated(),
            connect_sse(
                self._client, "POST", self._address + path, json=body, headers=self._headers, params=_given(query)
            ) as source,
        ):
            if source.response.status_code >= httpx.codes.BAD_REQUEST:
                source.response.read()
                raise _problem(source.response)
            for event in source.iter_sse():
                document = json.loads(event.data)
                if event.event == "error":
                    raise _of_document(document)
                yield event.event, document

    def _send(self, method: str, path: str, query: Mapping[str, Any], **body: Any) -> httpx.Response:  # noqa: ANN401
        timeout = _timeout(_LOOKING_SECONDS if method == "GET" else _READ_SECONDS)
        with _translated():
            response = self._client.request(
                method, self._address + path, headers=self._headers, params=_given(query), timeout=timeout, **body
            )
        if response.status_code >= httpx.codes.BAD_REQUEST:
            raise _problem(response)
        return response


def client() -> httpx.Client:
    """Make what requests go through; it is to be shared."""
    return httpx.Client(timeout=_timeout(_READ_SECONDS), trust_env=False)


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=_CONNECT_SECONDS)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ApiError(UNREACHABLE, *_UNREACHABLE) from error
    except httpx.TimeoutException as error:
        raise ApiError(TOO_SLOW, *_TOO_SLOW) from error
    except (httpx.TransportError, SSEError, json.JSONDecodeError) as error:
        raise ApiError(UNREACHABLE, "The connection to Preceptor broke off.", "Try again.") from error


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _document(response: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if not response.content:
        return None
    with _translated():
        return response.json()


def _problem(response: httpx.Response) -> ApiError:
    try:
        document = response.json()
    except json.JSONDecodeError:
        document = {}
    return _of_document(document | {"status": response.status_code}, response.headers.get("retry-after", ""))


def _of_document(document: Mapping[str, Any], wait: str = "") -> ApiError:
    return ApiError(
        code=str(document.get("type", "")).rpartition(":")[2] or "unknown",
        sentence=str(document.get("detail") or "Something went wrong."),
        fix=str(document.get("fix") or ""),
        status=int(document.get("status", 0)),
        seconds=float(wait) if wait.isdecimal() else 0,
        errors=tuple(document.get("errors") or ()),
    )
