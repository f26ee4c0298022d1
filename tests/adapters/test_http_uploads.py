"""Pictures over HTTP: how they come in, what is said of forms that do not fit, and that nothing of them is left."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http import HttpAdapter
from adapters.http.documents import ProblemDocument
from adapters.http.multipart import MultipartError, read
from adapters.http.uploads import Uploads
from bot.adapter import AdapterSetup, Receipt
from bot.errors import AttachmentError, OverloadedError
from bot.messages import Attachment, IncomingMessage, Reply
from bot.settings import Settings

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
CONVERSATION = "0123456789abcdef" * 2


@dataclass
class Core:
    """Stands where the core stands: it reads what came with a message, and says how many bytes that was."""

    refuses: bool = False
    is_silent: bool = False
    heard: list[IncomingMessage] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    adapter: HttpAdapter | None = None

    async def accept(self, message: IncomingMessage) -> Receipt:
        self.heard.append(message)
        self.arrived.set()
        if not self.is_silent:
            await self.answer(message)
        return Receipt(is_new=True)

    async def answer(self, message: IncomingMessage) -> None:
        for file in message.attachments:
            self.contents[file.name] = await self.bytes_of(file)
        known = None if self.refuses else "PNG"
        why = "It is no picture." if self.refuses else None
        pictures = [{"name": file.name, "format": known, "error": why} for file in message.attachments]
        error = {"error": "attachment_refused", "outcome": "refused"} if self.refuses else {}
        reply = Reply("Seen.", in_reply_to=message.reference, data={"pictures": pictures}, **cast("Any", error))
        await self.door.send(message.place, reply, message.key)

    async def bytes_of(self, file: Attachment) -> bytes:
        return b"".join([piece async for piece in self.door.download(file)])

    async def still_has(self, file: Attachment) -> bool:
        try:
            await self.bytes_of(file)
        except AttachmentError:
            return False
        return True

    @property
    def door(self) -> HttpAdapter:
        assert self.adapter
        return self.adapter


@contextlib.asynccontextmanager
async def door(core: Core, **sections: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Open the API before a core, with room for one MiB of pictures."""
    values: dict[str, Any] = {"http": {"port": 0}, "attachments": {"megabytes": 1}} | sections
    core.adapter = HttpAdapter.create(AdapterSetup(Settings(**values), cast("Any", None), lambda: ""))
    await core.adapter.start(core.accept)
    try:
        async with httpx.AsyncClient(base_url=core.adapter.address, timeout=30) as api:
            yield api
    finally:
        await core.adapter.stop()


@pytest.fixture
def core() -> Core:
    """A core that answers at once."""
    return Core()


@pytest.fixture
async def api(core: Core) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API before that core."""
    async with door(core) as client:
        yield client


def problem_of(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    document = ProblemDocument.model_validate(response.json(), extra="forbid")
    assert (document.status, document.type) == (status, f"urn:preceptor:error:{code}")
    return dict(response.json())


async def test_pictures_arrive_byte_by_byte_in_their_order(api: httpx.AsyncClient, core: Core) -> None:
    files = [
        ("file", ("cat.png", PNG, "image/png")),
        ("file", ("Straße 7, Süd; (2).jpg", b"\r\n--" * 999, "image/jpeg")),
    ]
    response = await api.post("/v1/describe", files=files)
    assert response.status_code == 200, response.text
    assert [one["name"] for one in response.json()["pictures"]] == ["cat.png", "Straße 7, Süd; (2).jpg"]
    assert core.contents == {"cat.png": PNG, "Straße 7, Süd; (2).jpg": b"\r\n--" * 999}
    assert [(file.media_type, file.size) for file in core.heard[0].attachments] == [
        ("image/png", len(PNG)),
        ("image/jpeg", 3_996),
    ]


async def test_a_question_and_a_conversation_come_along(api: httpx.AsyncClient, core: Core) -> None:
    data = {"question": "Welcher Vögel ist das?", "conversation_id": CONVERSATION}
    response = await api.post("/v1/describe", files={"file": ("bird.png", PNG)}, data=data)
    assert response.status_code == 200
    message = core.heard[0]
    assert (message.command, message.text, message.conversation_id) == (
        "describe",
        "Welcher Vögel ist das?",
        CONVERSATION,
    )


async def test_a_body_in_pieces_without_a_length_is_taken(api: httpx.AsyncClient, core: Core) -> None:
    asked = httpx.Request("POST", "http://x", files={"file": ("cat.png", PNG * 400)})
    body = asked.read()

    async def _pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 4_001):
            yield body[start : start + 4_001]

    headers = {"Content-Type": asked.headers["content-type"]}
    assert (await api.post("/v1/describe", content=_pieces(), headers=headers)).status_code == 200
    assert core.contents == {"cat.png": PNG * 400}


@pytest.mark.parametrize(
    ("files", "data", "pointer", "said"),
    [
        ([], {"question": "Why?"}, "#/file", "No picture came"),
        ([("file", (None, "cat.png"))], {}, "#/file", "with the sign @"),
        ([("file", (f"{number}.png", PNG)) for number in range(9)], {}, "#/file", "9 pictures came. Send 8"),
        ([("picture", ("a.png", PNG)), ("file", ("a.png", PNG))], {}, "#/picture", "no such field"),
        ([("file", ("a.png", PNG))], {"a/b~c": "secret"}, "#/a~1b~0c", "no such field"),
        ([("file", ("a.png", PNG))], {"question": ["secret", "Why?"]}, "#/question", "more than once"),
        ([("file", ("a.png", PNG)), ("question", ("q.txt", b"secret"))], {}, "#/question", "should be"),
        ([("file", ("a.png", PNG))], {"question": "secret " * 10_000}, "#/question", "longer than 65,536"),
    ],
)
async def test_a_form_that_does_not_fit_is_told_where(
    api: httpx.AsyncClient, core: Core, files: Any, data: Any, pointer: str, said: str
) -> None:
    request = api.build_request(
        "POST", "/v1/describe", files=files or {"question": (None, "Why?")}, data=data if files else {}
    )
    response = await api.send(request)
    [error] = problem_of(response, 422, "request_invalid")["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"]
    assert "secret" not in response.text
    assert not core.heard


async def test_a_page_on_which_no_file_was_chosen_brings_no_picture(api: httpx.AsyncClient) -> None:
    nothing = WHOLE.replace(b"a.png", b"").replace(b"abc", b"")
    response = await api.post("/v1/describe", content=nothing, headers=FORM)
    assert "No picture came" in str(problem_of(response, 422, "request_invalid")["errors"])


async def test_a_form_of_very_many_parts_is_not_read_to_its_end(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/describe", files=[("file", (f"{number}.png", b"x")) for number in range(200)])
    assert "images.most" in problem_of(response, 422, "request_invalid")["fix"]


FORM = {"Content-Type": "multipart/form-data; boundary=cut"}
WHOLE = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc\r\n--cut--\r\n'


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (WHOLE[:-10], FORM),
        (WHOLE.replace(b"--cut\r\n", b"--cat\r\n"), FORM),
        (b"", FORM | {"Content-Length": "0"}),
        (b"abc", FORM),
        (b"--cut--\r\n\r\n--cut\r\n", FORM | {"Content-Type": "multipart/form-data"}),
        (WHOLE.replace(b' name="file";', b""), FORM),
        (WHOLE.replace(b"Content-Disposition", b"Content Disposition"), FORM),
        (WHOLE, FORM | {"Content-Type": "multipart/form-data; boundary=" + "c" * 400}),
    ],
)
async def test_a_broken_form_is_a_bad_request(api: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> None:
    response = await api.post("/v1/describe", content=body, headers=headers)
    assert "curl" in problem_of(response, 400, "body_malformed")["fix"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", {"Content-Type": "application/json"}),
        (PNG, {"Content-Type": "image/png"}),
        (b"file=a", {"Content-Type": "application/x-www-form-urlencoded"}),
        (WHOLE, FORM | {"Content-Encoding": "gzip"}),
        (b"", {}),
    ],
)
async def test_what_is_no_form_is_told_how_it_is_sent(
    api: httpx.AsyncClient, body: bytes, headers: dict[str, str]
) -> None:
    response = await api.post("/v1/describe", content=body, headers=headers)
    assert "curl -F file=@" in problem_of(response, 415, "media_type_unsupported")["fix"]


async def test_elsewhere_a_form_is_refused(api: httpx.AsyncClient) -> None:
    problem_of(await api.post("/v1/ask", content=WHOLE, headers=FORM), 415, "media_type_unsupported")


async def test_no_such_conversation_is_told(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/describe", files={"file": ("a.png", PNG)}, data={"conversation_id": "../etc"})
    problem_of(response, 404, "conversation_not_found")


async def test_pictures_that_are_too_large_together_are_refused_with_the_setting(api: httpx.AsyncClient) -> None:
    half = PNG * 300
    response = await api.post("/v1/describe", files=[("file", ("a.png", half)), ("file", ("b.png", half))])
    assert "attachments.megabytes" in problem_of(response, 413, "body_too_large")["fix"]


async def test_so_are_those_that_do_not_say_how_large_they_are(api: httpx.AsyncClient) -> None:
    async def _endless() -> AsyncIterator[bytes]:
        yield WHOLE[:-10]
        for _ in range(40):
            yield bytes(64 << 10)

    response = await api.post("/v1/describe", content=_endless(), headers=FORM)
    assert "attachments.megabytes" in problem_of(response, 413, "body_too_large")["fix"]


async def test_where_no_file_is_a_picture_each_reason_is_told() -> None:
    async with door(Core(refuses=True)) as api:
        response = await api.post("/v1/describe", files=[("file", ("a.txt", b"a")), ("file", ("b.txt", b"b"))])
    assert problem_of(response, 422, "attachment_refused")["errors"] == [
        {"pointer": "#/file/0", "detail": "a.txt: It is no picture."},
        {"pointer": "#/file/1", "detail": "b.txt: It is no picture."},
    ]


async def test_nothing_is_left_once_it_is_answered(api: httpx.AsyncClient, core: Core) -> None:
    await api.post("/v1/describe", files={"file": ("cat.png", PNG)})
    assert not await core.still_has(core.heard[0].attachments[0])


async def test_nothing_is_left_where_no_answer_came_in_time() -> None:
    core = Core(is_silent=True)
    async with door(core, answers={"deadline_seconds": 0.1}, dispatch={"shutdown_seconds": 0.1}) as api:
        response = await api.post("/v1/describe", files={"file": ("cat.png", PNG)})
        problem_of(response, 504, "timed_out")
        assert not await core.still_has(core.heard[0].attachments[0])


async def test_nothing_is_left_where_the_client_has_gone() -> None:
    core = Core(is_silent=True)
    async with door(core) as api:
        waiting = asyncio.create_task(api.post("/v1/describe", files={"file": ("cat.png", PNG)}))
        await core.arrived.wait()
        assert await core.still_has(core.heard[0].attachments[0])
        waiting.cancel()
        async with asyncio.timeout(10):
            while await core.still_has(core.heard[0].attachments[0]):  # noqa: ASYNC110 - the adapter has no event for it
                await asyncio.sleep(0.01)


async def test_who_waits_while_it_stops_is_told() -> None:
    core = Core(is_silent=True)
    async with door(core) as api:
        waiting = asyncio.create_task(api.post("/v1/describe", files={"file": ("cat.png", PNG)}))
        await core.arrived.wait()
        await core.door.stop()
        problem_of(await waiting, 503, "stopping")
        assert not await core.still_has(core.heard[0].attachments[0])


async def test_a_client_that_leaves_in_the_middle_of_its_body_does_no_harm(api: httpx.AsyncClient, core: Core) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    head = "POST /v1/describe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\nContent-Type: "
    writer.write(f"{head}{FORM['Content-Type']}\r\n\r\n".encode() + WHOLE[:40])
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    assert not core.heard
    assert (await api.post("/v1/describe", files={"file": ("cat.png", PNG)})).status_code == 200


async def test_there_is_room_for_so_much_at_once() -> None:
    uploads = Uploads(body_bytes=100)
    with contextlib.ExitStack() as held:
        for _ in range(8):
            held.enter_context(uploads.room(None))
        with pytest.raises(OverloadedError), uploads.room(1):
            raise AssertionError
    with uploads.room(800):
        pass


PARTS = st.lists(
    st.tuples(st.text("abcäß/;= ", min_size=1, max_size=8), st.none() | st.text("xy.ü; ", max_size=8), st.binary()),
    max_size=6,
)


@given(PARTS, st.integers(0, 500))
def test_what_a_client_wrote_is_read_as_it_was(parts: list[tuple[str, str | None, bytes]], cut: int) -> None:
    if not parts:
        return
    request = httpx.Request("POST", "http://x", files=[(name, (filename, body)) for name, filename, body in parts])
    body = request.read()
    found = read(request.headers["content-type"], (body[:cut], body[cut:]), most=6)
    # httpx counts an empty name as none.
    assert [(part.name, part.filename, b"".join(part.pieces)) for part in found] == [
        (name, filename or None, body) for name, filename, body in parts
    ]


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    for tried in (body, WHOLE[:60] + body, WHOLE[:-12] + body + WHOLE[-12:]):
        with contextlib.suppress(MultipartError):
            json.dumps([part.text for part in read(FORM["Content-Type"], (tried,), most=3)])
