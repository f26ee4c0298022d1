"""How the API starts, waits and stops."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import structlog
from http_serving import Serve, Served

from adapters.http import HttpAdapter
from bot.adapter import AdapterSetup, Receipt
from bot.errors import AdapterError, AddressInUseError, OverloadedError
from bot.messages import Author, IncomingMessage, Place, Reply
from bot.settings import Settings

QUESTION = {"question": "What is Ohm's law?"}


class Desk:
    """Stands where the dispatcher does: takes messages and answers when the test says so."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[IncomingMessage] = asyncio.Queue()
        self.waiting_for = ""
        self.refusal: Exception | None = None

    async def accept(self, message: IncomingMessage) -> Receipt:
        if self.refusal is not None:
            raise self.refusal
        self.messages.put_nowait(message)
        return Receipt(is_new=True)

    async def inquire(self, message: IncomingMessage) -> Reply:
        raise RuntimeError("a defect that holds the word xylophone")

    def ready(self) -> str:
        return self.waiting_for


def adapter_at(desk: Desk, **http: object) -> HttpAdapter:
    settings = Settings(http={"port": 0} | http, answers={"deadline_seconds": 5})
    return HttpAdapter.create(AdapterSetup(settings, desk.inquire, desk.ready))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def adapter(desk: Desk) -> AsyncIterator[HttpAdapter]:
    adapter = adapter_at(desk)
    await adapter.start(desk.accept)
    yield adapter
    await adapter.stop()


@pytest.fixture
async def client(adapter: HttpAdapter) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=adapter.address, timeout=20) as client:
        yield client


async def test_it_answers_as_soon_as_it_is_started(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_it_says_what_it_waits_for_until_it_is_ready(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.waiting_for = "the knowledge base"
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["waiting_for"]) == (503, "the knowledge base")
    desk.waiting_for = ""
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")


async def test_a_port_in_use_is_named_with_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUseError) as caught:
            await adapter_at(Desk(), port=port).start(Desk().accept)
    assert caught.value.sentence == f"Port {port} on 127.0.0.1 is in use by another program."
    assert "http.port" in caught.value.fix


@pytest.mark.parametrize("host", ["no-such-host.invalid", "", "not a host", "a" * 300, "1.2.3.4.5"])
async def test_a_host_that_is_none_is_named_with_the_setting(host: str) -> None:
    with pytest.raises(AdapterError, match=r"http\.host"):
        await adapter_at(Desk(), host=host).start(Desk().accept)


async def test_an_address_of_another_machine_is_named_with_the_setting() -> None:
    adapter = adapter_at(Desk(), host="192.0.2.1", user_keys=("0123456789abcdef",))
    with pytest.raises(AdapterError, match=r"192\.0\.2\.1.*http\.host"):
        await adapter.start(Desk().accept)


async def test_it_listens_on_ipv6(desk: Desk) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    adapter = adapter_at(desk, host="::1")
    try:
        await adapter.start(desk.accept)
    except AdapterError:
        pytest.skip("this machine has no IPv6 loopback")
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{adapter.address}/healthz")).status_code == 200
    await adapter.stop()


async def test_it_listens_on_localhost_by_name(desk: Desk) -> None:
    adapter = adapter_at(desk, host="localhost")
    await adapter.start(desk.accept)
    assert adapter.address.startswith("http://127.0.0.1:")
    await adapter.stop()


async def test_a_stop_leaves_no_task_and_no_socket(desk: Desk) -> None:
    before = asyncio.all_tasks()
    descriptors = _open_descriptors()
    adapter = adapter_at(desk)
    await adapter.start(desk.accept)
    async with httpx.AsyncClient() as client:
        await client.get(f"{adapter.address}/healthz")
        idle = await asyncio.open_connection("127.0.0.1", urlsplit(adapter.address).port)
        await adapter.stop()
        idle[1].close()
        await idle[1].wait_closed()
    assert asyncio.all_tasks() == before
    assert _open_descriptors() == descriptors
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", urlsplit(adapter.address).port)


async def test_who_still_waits_when_it_stops_is_told(desk: Desk) -> None:
    adapter = adapter_at(desk)
    await adapter.start(desk.accept)
    async with httpx.AsyncClient(base_url=adapter.address) as client:
        plain = asyncio.create_task(client.post("/v1/ask", json=QUESTION))
        streamed = asyncio.create_task(client.post("/v1/ask", json=QUESTION, headers={"Accept": "text/event-stream"}))
        await desk.messages.get()
        await desk.messages.get()
        await adapter.stop()
        assert (await plain).status_code == 503
        assert (await plain).json()["type"] == "urn:preceptor:error:stopping"
        assert (await streamed).text.startswith("event: error\n")
        assert "urn:preceptor:error:stopping" in (await streamed).text


async def test_a_client_that_stops_half_way_does_not_hold_up_a_stop(desk: Desk) -> None:
    adapter = adapter_at(desk)
    await adapter.start(desk.accept)
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(adapter.address).port)
    head = "POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    writer.write(head.encode())
    await writer.drain()
    async with asyncio.timeout(10):
        await adapter.stop()
        await reader.read()
    writer.close()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_a_question_that_comes_too_late_is_refused(adapter: HttpAdapter, desk: Desk) -> None:
    await adapter.stop()
    with pytest.raises(OverloadedError) as caught:
        await adapter.post(IncomingMessage("late", Place("http"), Author("local"), "Why?"))
    assert caught.value.code == "stopping"
    assert desk.messages.empty()


async def test_a_stop_without_a_start_does_nothing(desk: Desk) -> None:
    await adapter_at(desk).stop()


async def test_what_is_being_answered_is_finished_before_the_application_stops(serve: Serve) -> None:
    async with httpx.AsyncClient() as client:
        async with serve() as served:
            url = served.adapter.address
            asked = asyncio.create_task(client.post(f"{url}/v1/ask", json=QUESTION))
            await _accepted(served)
        answer = await asked
        assert answer.status_code == 200
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/healthz")


async def _accepted(served: Served) -> None:
    """Wait until the question before this one has been taken in."""
    await served.api.post("/v1/ask", json=QUESTION)


async def test_a_full_queue_is_told_with_the_time_to_try_again(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.refusal = OverloadedError("1,000 messages are waiting before yours.", "Try again in a minute.")
    for accept in ("application/json", "text/event-stream"):
        response = await client.post("/v1/ask", json=QUESTION, headers={"Accept": accept})
        assert response.status_code == 503
        assert response.headers["retry-after"] == "60"
        assert response.json()["type"] == "urn:preceptor:error:overloaded"
        assert response.json()["detail"] == "1,000 messages are waiting before yours."


async def test_a_defect_is_told_under_a_name_that_the_log_knows(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logged:
        response = await client.get("/v1/knowledge")
    problem = response.json()
    assert (response.status_code, problem["type"]) == (500, "urn:preceptor:error:internal_error")
    assert response.headers["content-type"] == "application/problem+json"
    assert "xylophone" not in response.text
    assert problem["instance"] in {line["instance"] for line in logged if line["event"] == "defect"}


async def test_an_answer_reaches_the_one_who_asked(client: httpx.AsyncClient, adapter: HttpAdapter, desk: Desk) -> None:
    first = asyncio.create_task(client.post("/v1/ask", json={"question": "one"}))
    one = await desk.messages.get()
    second = asyncio.create_task(client.post("/v1/ask", json={"question": "two"}))
    two = await desk.messages.get()
    for message in (two, one):
        reply = Reply(f"to {message.text}", outcome="answered", in_reply_to=message.reference)
        await adapter.send(message.place, reply, message.key)
    assert (await first).json()["answer"] == "to one"
    assert (await second).json()["answer"] == "to two"


async def test_signals_stay_with_the_application(desk: Desk) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    adapter = adapter_at(desk)
    await adapter.start(desk.accept)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    await adapter.stop()


async def test_a_server_that_dies_closes_the_door(adapter: HttpAdapter) -> None:
    closed = asyncio.create_task(adapter.closed())
    [serving] = [task for task in asyncio.all_tasks() if task.get_name() == "http server"]
    serving.cancel()
    assert await closed == 1


def _open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))
