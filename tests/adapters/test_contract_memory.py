"""The in-memory adapter under the contract."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract import AdapterContract, Opening, Seen, Stage, contract_settings

from bot.adapter import Limits
from bot.application import Application
from bot.messages import Attachment, Author, IncomingMessage, Place
from tests.bot.noticeboard import Noticeboard


class _Board(Noticeboard):
    def __init__(self) -> None:
        super().__init__(Limits(streaming=True, reaches_later=True))
        self.files: dict[str, bytes] = {}

    async def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        content = self.files[attachment.url]
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]


@dataclass
class _MemoryStage(Stage):
    board: _Board
    application: Application
    asked: int = 0

    lacks: ClassVar[Mapping[str, str]] = {
        "permissions": "in memory everybody may write",
        "rate limits": "in memory nobody limits the rate (tests/bot/test_outgoing.py does)",
        "connection": "in memory there is no connection",
        "events": "in memory there are messages alone",
    }

    async def asks(self, who: str, text: str, channel: str = "general", file: tuple[str, bytes] | None = None) -> Any:
        self.asked += 1
        files: tuple[Attachment, ...] = ()
        if file:
            url = f"memory://{self.asked}"
            self.board.files[url] = file[1]
            files = (Attachment(file[0], "image/png", len(file[1]), url),)
        place, author = Place("memory", "lab", channel), Author(who.lower(), who)
        message = IncomingMessage(str(self.asked), place, author, text, attachments=files)
        await self.board.post(message)
        return message

    async def follows_up(self, question: Any, who: str, text: str) -> Any:
        return await self.asks(who, text, question.place.channel)

    async def answer(self, question: Any) -> Seen:
        return await self.answer_becomes(question, lambda seen: seen.texts)

    async def answer_becomes(self, question: Any, holds: Callable[[Seen], Any]) -> Seen:
        async with asyncio.timeout(10):
            while await self._is_open(question) or not holds(self._seen(question)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return self._seen(question)

    async def _is_open(self, question: Any) -> bool:
        return bool(await self.application.dispatcher.delivery.unanswered([f"memory/{question.key}"]))

    def _seen(self, question: Any) -> Seen:
        standing = [reply for name, reply in self.board.standing.items() if name.startswith(f"memory/{question.key}#")]
        sources = [citation.title for reply in standing[-1:] for citation in reply.citations]
        return Seen((*(reply.text for reply in standing), *sources), question.place.channel)

    async def conversation(self, question: Any) -> str:
        standing = [reply for name, reply in self.board.standing.items() if name.startswith(f"memory/{question.key}#")]
        return standing[0].conversation_id

    async def edits(self, question: Any, text: str) -> None:
        key = f"{question.key}/edited/1"
        await self.board.post(replace(question, key=key, message_id=question.key, text=text, revises=question.key))

    async def deletes(self, question: Any) -> None:
        key = f"{question.key}/deleted"
        await self.board.post(replace(question, key=key, text="", command="withdraw", revises=question.key))

    async def shows_again(self, question: Any) -> None:
        await self.board.post(question)

    async def count_of_answers(self, channel: str = "general") -> int:
        return len(self.board.standing)


class TestInMemory(AdapterContract):
    """The adapter that ships for tests."""

    @pytest.fixture
    def open_stage(self, tmp_path: Path) -> Opening:
        @contextlib.asynccontextmanager
        async def _open() -> AsyncIterator[Stage]:
            application, board = Application(contract_settings(tmp_path)), _Board()
            async with application.running([board]):
                yield _MemoryStage(board, application)

        return _open
