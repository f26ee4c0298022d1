"""Files that come with messages: how much of them is read, and what they are taken for."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence

import pytest
from kept_questions import Person

from bot.adapter import Adapter, InMemoryAdapter
from bot.attachments import Describing, fetch, media_type
from bot.errors import AttachmentError, NotSetUpError
from bot.messages import Attachment

MIB = 1 << 20
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb004300") + bytes(64)
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(12) + b"\x3b"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
BMP = b"BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" + bytes(40)


class Bearer(InMemoryAdapter):
    """A platform that hands over what it was given, chunk by chunk, and counts what was taken."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        super().__init__()
        self.chunks = chunks
        self.taken = 0
        self.is_closed = False

    async def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        try:
            for chunk in self.chunks:
                self.taken += 1
                yield chunk
        finally:
            self.is_closed = True


class Stuck(Bearer):
    """A platform that begins to hand over and never goes on."""

    async def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        try:
            yield PNG[:8]
            await asyncio.Event().wait()
        finally:
            self.is_closed = True


def _file(name: str = "cat.png", size: int = 0) -> Attachment:
    return Attachment(name, "image/png", size, "https://files.example/1")


async def test_a_file_arrives_whole_and_is_known_by_its_content() -> None:
    fetched = await fetch(Bearer([PNG[:20], PNG[20:]]), _file("notes.txt"), 1)
    assert (fetched.content, fetched.media_type) == (PNG, "image/png")


async def test_a_file_that_says_it_is_too_large_is_not_fetched_at_all() -> None:
    bearer = Bearer([PNG])
    with pytest.raises(AttachmentError, match=r"cat\.png has 26\.0 MiB; I fetch 20 MiB at the most") as refused:
        await fetch(bearer, _file(size=26 * MIB), 20)
    assert "attachments.megabytes" in refused.value.fix
    assert bearer.taken == 0


async def test_a_file_larger_than_it_says_is_read_no_further_than_the_limit() -> None:
    bearer = Bearer([bytes(MIB // 2)] * 100)
    with pytest.raises(AttachmentError, match="is larger; I fetch 1 MiB"):
        await fetch(bearer, _file(size=10), 1)
    assert bearer.taken == 3
    assert bearer.is_closed


async def test_a_file_just_as_large_as_it_may_be_is_fetched() -> None:
    assert len((await fetch(Bearer([bytes(MIB)]), _file(size=MIB), 1)).content) == MIB


async def test_an_empty_file_is_named() -> None:
    with pytest.raises(AttachmentError, match=r"cat\.png is empty"):
        await fetch(Bearer([]), _file(), 1)


async def test_a_file_that_does_not_arrive_in_time_is_named() -> None:
    stuck = Stuck([])
    with pytest.raises(AttachmentError, match=r"cat\.png did not arrive within 0\.01 seconds"):
        await fetch(stuck, _file(), 1, seconds=0.01)
    assert stuck.is_closed


async def test_a_platform_without_files_says_so() -> None:
    with pytest.raises(AttachmentError, match="memory brings no files"):
        await fetch(InMemoryAdapter(), _file(), 1)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (GIF, "image/gif"),
        (WEBP, "image/webp"),
        (BMP, "image/bmp"),
        (b"II*\x00\x08\x00\x00\x00\x00\x00", "image/tiff"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "image/svg+xml"),
        (b"just words\n", "text/plain"),
        (b"BMI is the body mass index.\n", "text/plain"),
        (b"GIF89a is how a picture begins.\n", "text/plain"),
        ("für".encode() * 2000, "text/plain"),
        ("☕".encode()[:2], "text/plain"),
        (bytes(500), "application/octet-stream"),
        (b"MZ" + bytes(200), "application/octet-stream"),
        (b"\xff\x00\xfe" * 100, "application/octet-stream"),
        (b"", "text/plain"),
    ],
)
def test_a_file_is_known_by_how_it_begins(content: bytes, kind: str) -> None:
    assert media_type(content[:4096]) == kind


def _describing(adapter: Adapter) -> Describing:
    return Describing({"memory": adapter}.__getitem__, 1)


async def test_describe_asks_for_a_picture_where_there_is_none() -> None:
    with pytest.raises(AttachmentError, match="no picture with your message"):
        await _describing(InMemoryAdapter()).describe(Person("ada").message("What is this?"))


async def test_what_is_no_picture_is_said_to_be_none_whatever_its_name() -> None:
    message = Person("ada").message(attachments=(_file("cat.png"),))
    with pytest.raises(AttachmentError, match=r"^cat\.png is no picture: its content is text/plain\."):
        await _describing(Bearer([b"just words"])).describe(message)


async def test_a_picture_is_not_described_yet() -> None:
    message = Person("ada").message(attachments=(_file("notes.txt"), _file()))
    with pytest.raises(NotSetUpError, match="not set up yet"):
        await _describing(Bearer([PNG])).describe(message)


@pytest.mark.parametrize(
    "name", ["**cat**.png", "[cat](https://evil.example).png", "<@1> @everyone cat.png", "`cat`\u202egnp.png"]
)
async def test_a_files_name_brings_no_markup_into_the_sentence(name: str) -> None:
    with pytest.raises(AttachmentError) as refused:
        await fetch(Bearer([]), _file(name), 1)
    assert not set("*[]<>@`\u202e:/") & set(refused.value.sentence)
    assert "cat" in refused.value.sentence
