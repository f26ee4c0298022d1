"""What a client of the API is told when something is wrong: always a problem document, never what it sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from http_serving import Serve
from starlette.exceptions import HTTPException
from starlette.types import Message

from adapters.http.documents import ProblemDocument
from adapters.http.gate import bounded
from adapters.http.problems import KINDS, Problem, of_reply
from bot import errors
from bot.errors import PreceptorError
from bot.messages import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}


def problem_of(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    document = ProblemDocument.model_validate(response.json(), extra="forbid")
    assert (document.status, document.type) == (status, f"urn:preceptor:error:{code}")
    assert document.title
    assert document.detail.endswith(".")
    return dict(response.json())


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"question": "Why?",}',
        b"question=Why",
        b"\xff\xfe\xfd",
        b'{"question": "\xe4"}',
        b"[" * 30_000,
        b'{"question": "Why?", "top_k": ' + b"9" * 5_000 + b"}",
    ],
)
async def test_a_body_that_is_no_json_is_a_bad_request(api: httpx.AsyncClient, body: bytes) -> None:
    problem_of(await api.post("/v1/ask", content=body, headers=JSON), 400, "body_malformed")


async def test_the_place_of_a_mistake_is_told(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/ask", content=b'{"question": "Why?",}', headers=JSON)
    assert "at character 20 " in str(problem_of(response, 400, "body_malformed")["detail"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", "#"),
        (b"[]", "#"),
        (b"null", "#"),
        (b"{}", "#/question"),
        (b'{"question": null}', "#/question"),
        (b'{"question": ["secret"]}', "#/question"),
        (b'{"question": NaN}', "#/question"),
        (b'{"question": "Why?", "top_k": "5"}', "#/top_k"),
        (b'{"question": "Why?", "top_k": NaN}', "#/top_k"),
        (b'{"question": "Why?", "top_k": -Infinity}', "#/top_k"),
        (b'{"question": "Why?", "top_k": true}', "#/top_k"),
        (b'{"question": "Why?", "top_k": 0}', "#/top_k"),
        (b'{"question": "Why?", "top_k": 51}', "#/top_k"),
        (b'{"question": "Why?", "conversation_id": 7}', "#/conversation_id"),
        (b'{"question": "Why?", "a/b~c": "secret"}', "#/a~1b~0c"),
        (b'{"question": "Why?", "\\ud800": "secret"}', "#"),
    ],
)
async def test_a_body_that_does_not_fit_is_told_where(api: httpx.AsyncClient, body: bytes, pointer: str) -> None:
    response = await api.post("/v1/ask", content=body, headers=JSON)
    problem = problem_of(response, 422, "request_invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]  # type: ignore[attr-defined]
    assert "secret" not in response.text


async def test_a_byte_order_mark_does_no_harm(api: httpx.AsyncClient) -> None:
    body = b'\xef\xbb\xbf{"question": "What is Ohm\'s law?"}'
    assert (await api.post("/v1/ask", content=body, headers=JSON)).status_code == 200


async def _in_pieces(total: int) -> AsyncIterator[bytes]:
    yield b'{"question": "'
    for _ in range(total // 1000):
        yield b"a" * 1000
    yield b'"}'


async def test_a_body_in_pieces_has_the_same_limit(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/ask", content=_in_pieces(70_000), headers=JSON)
    problem = problem_of(response, 413, "body_too_large")
    assert "http.body_kilobytes" in str(problem["fix"])


async def test_an_announced_body_that_is_too_large_is_refused_unread(api: httpx.AsyncClient) -> None:
    problem_of(await api.post("/nothing", content=b"a" * 70_000, headers=JSON), 413, "body_too_large")


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    async def _never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(HTTPException) as caught:
        await bounded(_never, 1_000, seconds=0.01)()
    assert caught.value.status_code == 408


async def test_a_compressed_body_is_refused(api: httpx.AsyncClient) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    problem_of(await api.post("/v1/ask", content=b"x", headers=headers), 415, "media_type_unsupported")


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v1/ask/", "/v1/conversations/", "/docs/../setup.py", "/docs/redoc.js", "/%00", "/openapi"],
)
async def test_an_unknown_path_is_not_found(api: httpx.AsyncClient, path: str) -> None:
    assert "/docs" in str(problem_of(await api.get(path), 404, "not_found")["fix"])


async def test_a_wrong_method_is_told_the_right_one(api: httpx.AsyncClient) -> None:
    response = await api.get("/v1/ask")
    problem_of(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


async def test_every_problem_has_a_name_of_its_own(api: httpx.AsyncClient) -> None:
    named = {(await api.get("/nothing")).json()["instance"] for _ in range(3)}
    assert len(named) == 3


async def test_a_request_that_is_no_http_does_no_harm(api: httpx.AsyncClient) -> None:
    for garbage in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"X" * 100_000 + b"\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
        writer.write(garbage)
        writer.write_eof()
        assert b"200 OK" not in await reader.read()
        writer.close()
        await writer.wait_closed()
    assert (await api.get("/healthz")).status_code == 200


def _codes(error: type[PreceptorError]) -> Iterator[str]:
    yield error.code
    for kind in error.__subclasses__():
        yield from _codes(kind)


async def test_every_error_that_a_reply_can_tell_has_a_status() -> None:
    at_start_only = {"error", "settings_invalid", "adapter_failed", "address_in_use"}
    on_the_way_out = set(_codes(errors.DeliveryError))
    assert set(_codes(errors.PreceptorError)) - at_start_only - on_the_way_out <= set(KINDS)


async def test_an_unknown_code_is_our_fault() -> None:
    response = Problem("unheard_of", "Odd.").response()
    assert response.status_code == 500
    assert json.loads(bytes(response.body))["status"] == 500


async def test_who_may_try_again_is_told_when() -> None:
    assert Problem("overloaded", "Full.").response().headers["retry-after"] == "60"
    assert "retry-after" not in Problem("question_empty", "Empty.").response().headers


@pytest.mark.parametrize(("seconds", "told"), [(2.2, "3"), (59.0, "59"), (None, "60")])
async def test_who_asks_too_much_is_told_how_long_to_wait(seconds: float | None, told: str) -> None:
    data = {"sentence": "That was quick.", "fix": "Ask again in 3 seconds."} | ({"seconds": seconds} if seconds else {})
    response = of_reply(Reply("", outcome="refused", error="too_many", data=data)).response()
    assert response.status_code == 429
    assert response.headers["retry-after"] == told
    document = json.loads(bytes(response.body))
    assert (document["detail"], document["fix"]) == ("That was quick.", "Ask again in 3 seconds.")


async def test_a_key_that_asks_too_much_is_told_when_to_come_back(serve: Serve) -> None:
    key = "0123456789abcdef"
    limits = {"person_per_minute": 2}
    async with serve({"X-API-Key": key}, http={"user_keys": (key,)}, limits=limits) as served:
        responses = [await served.api.post("/v1/ask", json={"question": "What is Ohm's law?"}) for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 429, 429]
    problem = problem_of(responses[3], 429, "too_many")
    assert 1 <= int(responses[3].headers["retry-after"]) <= 30
    assert problem["detail"] == "That was quick: I take 2 questions a minute of each."


async def test_in_a_stream_who_asks_too_much_is_told_in_an_event(serve: Serve) -> None:
    key = "0123456789abcdef"
    headers = {"X-API-Key": key, "Accept": "text/event-stream"}
    async with serve(headers, http={"user_keys": (key,)}, limits={"person_per_minute": 1}) as served:
        responses = [await served.api.post("/v1/ask", json={"question": "What is Ohm's law?"}) for _ in range(2)]
    assert "urn:preceptor:error:too_many" in responses[1].text
