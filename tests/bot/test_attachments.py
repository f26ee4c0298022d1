"""Files that come with messages: how much of them is read."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.adapter import InMemoryAdapter
from bot.attachments import fetch, name_of
from bot.errors import AttachmentError
from bot.messages import Attachment

MIB = 1 << 20


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
            yield b"only the beginning"
            await asyncio.Event().wait()
        finally:
            self.is_closed = True


def _file(name: str = "cat.png", size: int = 0) -> Attachment:
    return Attachment(name, "image/png", size, "https://files.example/1")


async def test_a_file_arrives_whole() -> None:
    assert await fetch(Bearer([b"one, ", b"two"]), _file("notes.txt"), 1) == b"one, two"


async def test_a_file_that_says_it_is_too_large_is_not_fetched_at_all() -> None:
    bearer = Bearer([b"a file"])
    with pytest.raises(AttachmentError, match=r"^It has 26\.0 MiB; I fetch 20 MiB at the most") as refused:
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
    assert len(await fetch(Bearer([bytes(MIB)]), _file(size=MIB), 1)) == MIB


async def test_an_empty_file_is_named() -> None:
    with pytest.raises(AttachmentError, match="It is empty"):
        await fetch(Bearer([]), _file(), 1)


async def test_a_file_that_does_not_arrive_in_time_is_named() -> None:
    stuck = Stuck([])
    with pytest.raises(AttachmentError, match=r"It did not arrive within 0\.01 seconds"):
        await fetch(stuck, _file(), 1, seconds=0.01)
    assert stuck.is_closed


async def test_a_platform_without_files_says_so() -> None:
    with pytest.raises(AttachmentError, match="memory brings no files"):
        await fetch(InMemoryAdapter(), _file(), 1)


@pytest.mark.parametrize(
    "name", ["**cat**.png", "[cat](https://evil.example).png", "<@1> @everyone cat.png", "`cat`\u202egnp.png"]
)
def test_a_files_name_brings_no_markup_along(name: str) -> None:
    assert not set("*[]<>@`\u202e:/") & set(name_of(_file(name)))
    assert "cat" in name_of(_file(name))
