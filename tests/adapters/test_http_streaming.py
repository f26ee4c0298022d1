"""What a client of the API sees while an answer grows."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.http.streaming import events
from bot.adapter import Exchange
from bot.messages import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

STREAMED = {"Accept": "text/event-stream"}


def parsed(text: str) -> list[tuple[str, object]]:
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.split("\n\n") if block]
    return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]


async def stream(api: httpx.AsyncClient, question: str, **more: object) -> list[tuple[str, object]]:
    response = await api.post("/v1/ask", json={"question": question} | more, headers=STREAMED)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    return parsed(response.text)


async def test_tokens_come_first_then_citations_then_the_whole(api: httpx.AsyncClient) -> None:
    seen = await stream(api, "What is Ohm's law?")
    names = [name for name, _ in seen]
    assert names == ["token"] * (len(names) - 2) + ["citations", "done"]
    whole = seen[-1][1]
    assert isinstance(whole, dict)
    assert "".join(piece["text"] for name, piece in seen if name == "token") == whole["answer"]  # type: ignore[index]
    assert seen[-2][1] == whole["citations"]
    kept = await api.get(f"/v1/conversations/{whole['conversation_id']}")
    assert kept.json()["messages"][1]["text"] == whole["answer"]


async def test_a_streamed_answer_is_the_same_as_the_other(api: httpx.AsyncClient) -> None:
    streamed = (await stream(api, "What is Ohm's law?"))[-1][1]
    plain = (await api.post("/v1/ask", json={"question": "What is Ohm's law?"})).json()
    varying = ("conversation_id", "answer_id", "elapsed_ms")
    assert {k: v for k, v in streamed.items() if k not in varying} == {  # type: ignore[attr-defined]
        k: v for k, v in plain.items() if k not in varying
    }


async def test_a_question_that_is_none_ends_the_stream_with_a_problem(api: httpx.AsyncClient) -> None:
    [(name, problem)] = await stream(api, "???")
    assert name == "error"
    assert isinstance(problem, dict)
    assert (problem["type"], problem["status"]) == ("urn:preceptor:error:question_empty", 422)


async def test_an_answer_whose_asker_left_is_finished_and_kept(api: httpx.AsyncClient) -> None:
    opened = (await api.post("/v1/ask", json={"question": "What is Ohm's law?"})).json()["conversation_id"]
    left = {"question": "What is Newton's first law?", "conversation_id": opened}
    async with api.stream("POST", "/v1/ask", json=left, headers=STREAMED) as response:
        assert response.status_code == 200
    # Answers of one conversation come in order: once this one is there, the one before is, too.
    await api.post("/v1/ask", json={"question": "What is Newton's third law?", "conversation_id": opened})
    kept = (await api.get(f"/v1/conversations/{opened}")).json()["messages"]
    assert [message["role"] for message in kept] == ["question", "answer"] * 3
    assert "at rest" in kept[3]["text"]


async def collected(pieces: AsyncIterator[bytes]) -> str:
    return b"".join([piece async for piece in pieces]).decode()


async def test_a_text_that_does_not_grow_is_replaced() -> None:
    exchange = Exchange()
    exchange.put(Reply("Waking up the model …", complete=False))
    for text in ("One", "One two", "Three"):
        exchange.put(Reply(text, complete=False, generator="somebody"))
    exchange.put(Reply("Three four", outcome="answered"))
    left: list[bool] = []
    seen = parsed(await collected(events(exchange, 5, lambda: left.append(True))))
    assert seen[:5] == [
        ("status", {"text": "Waking up the model …"}),
        ("token", {"text": "One"}),
        ("token", {"text": " two"}),
        ("replace", {"text": "Three"}),
        ("token", {"text": " four"}),
    ]
    assert [name for name, _ in seen[5:]] == ["citations", "done"]
    assert left == [True]


async def test_line_breaks_in_an_answer_break_no_event() -> None:
    exchange = Exchange()
    text = "a\n\nevent: done\r\rdata: {}\u2028b\ud800"
    exchange.put(Reply(text, outcome="answered"))
    seen = parsed(await collected(events(exchange, 5, lambda: None)))
    assert [name for name, _ in seen] == ["token", "citations", "done"]
    assert seen[0] == ("token", {"text": text.replace("\ud800", "?")})


async def test_a_quiet_stream_shows_signs_of_life() -> None:
    exchange = Exchange()
    pieces = events(exchange, 5, lambda: None, quiet=0.01)
    assert (await anext(pieces)).startswith(b":")
    assert (await anext(pieces)).startswith(b":")
    exchange.put(Reply("Now", outcome="answered"))
    assert "done" in await collected(pieces)


async def test_an_answer_that_never_comes_is_given_up() -> None:
    [(name, problem)] = parsed(await collected(events(Exchange(), 0.01, lambda: None)))
    assert name == "error"
    assert isinstance(problem, dict)
    assert problem["status"] == 504


async def test_a_client_that_leaves_leaves_nothing_behind() -> None:
    left: list[bool] = []
    pieces = events(Exchange(), 5, lambda: left.append(True))
    waiting = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert left == [True]
