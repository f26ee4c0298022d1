"""Who may fill the memory of the pages' process: nobody with a session that was made up, and nobody without end."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from signed_in import ADMIN, KEYS, USER, SignedIn, api_with_sessions, pages_of
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from adapters.web.admission import MOST_OF_ONE, MOST_STRANGERS, Admission
from adapters.web.page_settings import PageSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

_MADE_UP = f"ps_{'a' * 43}"
_NOBODY = "http://127.0.0.1:9"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SignedIn]:
    """Give an API that takes keys."""
    async with api_with_sessions(tmp_path_factory.mktemp("admission"), http=KEYS) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages(served: SignedIn) -> AsyncIterator[httpx.AsyncClient]:
    """Give the client of pages before that API."""
    async with pages_of(served.settings, served.adapter.address) as pages:
        yield pages


async def test_files_are_taken_from_those_alone_whose_session_holds(served: SignedIn, pages: httpx.AsyncClient) -> None:
    token = (await served.opened(key=ADMIN))["token"]
    assert await _uploaded(pages, token) == 204
    assert await _uploaded(pages, _MADE_UP) == 401


async def test_a_session_that_ended_takes_no_files_any_more(served: SignedIn, pages: httpx.AsyncClient) -> None:
    token = (await served.opened(key=ADMIN))["token"]
    await served.api.delete("/v1/sessions/current", headers={"Authorization": f"Bearer {token}"})
    assert await _uploaded(pages, token) == 401


async def test_strangers_cannot_open_pages_without_end() -> None:
    waiting = _Waiting()
    admission = Admission(waiting, PageSettings(api=_NOBODY, needs_key=True))
    tasks = [asyncio.create_task(_streamed(admission)) for _ in range(MOST_STRANGERS)]
    await waiting.until_there_are(MOST_STRANGERS)
    assert [message["type"] for message in await _streamed(admission)] == ["websocket.close"]
    waiting.over.set()
    await asyncio.gather(*tasks)
    assert await _streamed(admission) == []


async def test_one_session_opens_so_many_pages_and_leaves_room_for_others(served: SignedIn) -> None:
    token, other = [(await served.opened(key=key))["token"] for key in (ADMIN, USER)]
    waiting = _Waiting()
    admission = Admission(waiting, PageSettings(api=served.adapter.address, needs_key=True))
    tasks = [asyncio.create_task(_streamed(admission, token)) for _ in range(MOST_OF_ONE)]
    await waiting.until_there_are(MOST_OF_ONE)
    assert [message["type"] for message in await _streamed(admission, token)] == ["websocket.close"]
    tasks.append(asyncio.create_task(_streamed(admission, other)))
    await waiting.until_there_are(1)
    waiting.over.set()
    assert await asyncio.gather(*tasks) == [[]] * (MOST_OF_ONE + 1)


async def test_one_page_cannot_fill_the_memory_with_files() -> None:
    waiting = _Waiting()
    admission = Admission(waiting, PageSettings(api=_NOBODY))
    tasks = [asyncio.create_task(_put(admission, "p", str(30 << 20))) for _ in range(8)]
    await waiting.until_there_are(8)
    assert await _put(admission, "p", str(30 << 20)) == 413
    assert await _put(admission, "p", "") == 411
    waiting.over.set()
    await asyncio.gather(*tasks)
    assert await _put(admission, "p", str(30 << 20)) == 204


async def test_all_pages_together_cannot_fill_the_memory_with_files() -> None:
    waiting = _Waiting()
    admission = Admission(waiting, PageSettings(api=_NOBODY))
    tasks = [asyncio.create_task(_put(admission, f"p{number}", str(128 << 20))) for number in range(8)]
    await waiting.until_there_are(8)
    assert await _put(admission, "another", "1") == 503
    waiting.over.set()
    await asyncio.gather(*tasks)


class _Waiting:
    """An application that answers when it is told to."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._came = asyncio.Semaphore(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._came.release()
        await self.over.wait()
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})

    async def until_there_are(self, number: int) -> None:
        for _ in range(number):
            await self._came.acquire()


async def _connect() -> Message:
    return {"type": "websocket.connect"}


async def _streamed(admission: Admission, token: str = _MADE_UP) -> list[Message]:
    sent: list[Message] = []

    async def _send(message: Message) -> None:
        sent.append(message)

    cookie = (b"cookie", f"preceptor_session={token}".encode())
    await admission({"type": "websocket", "path": "/_stcore/stream", "headers": [cookie]}, _connect, _send)
    return sent


async def _put(admission: Admission, page: str, length: str) -> int:
    sent: list[Message] = []

    async def _send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", length.encode())] if length else []
    path = f"/_stcore/upload_file/{page}/f"
    await admission({"type": "http", "method": "PUT", "path": path, "headers": headers}, _connect, _send)
    return int(sent[0]["status"])


async def _uploaded(pages: httpx.AsyncClient, token: str) -> int:
    """Open a page under a session, and send a file to it."""
    own = str(pages.base_url).rstrip("/")
    pages.cookies.clear()
    xsrf = (await pages.get("/_stcore/health")).cookies["_streamlit_xsrf"]
    cookie = f"preceptor_session={token}; _streamlit_xsrf={xsrf}"
    async with connect(f"{own.replace('http:', 'ws:')}/_stcore/stream", additional_headers={"Cookie": cookie}) as page:
        address = f"/_stcore/upload_file/{await _name_of(page)}/f"
        headers = {"Cookie": cookie, "X-Xsrftoken": xsrf}
        response = await pages.put(address, headers=headers, files={"file": ("a.png", b"content")})
    return response.status_code


async def _name_of(page: ClientConnection) -> str:
    message = BackMsg()
    message.rerun_script.query_string = ""
    await page.send(message.SerializeToString())
    async with asyncio.timeout(30):
        while True:
            told = ForwardMsg.FromString(await page.recv(decode=False))
            if told.WhichOneof("type") == "new_session":
                return str(told.new_session.initialize.session_id)
