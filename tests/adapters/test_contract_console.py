"""The terminal under the contract: a real `preceptor chat`, with questions piped in and answers read as JSON."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract import AdapterContract, Opening, Seen, Stage, contract_settings

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))


@dataclass
class _TerminalStage(Stage):
    process: asyncio.subprocess.Process
    answers: dict[int, Any]

    closing_seconds = 10.0
    lacks: ClassVar[Mapping[str, str]] = {
        "people": "one person sits at a terminal",
        "redelivery": "a terminal delivers a line once",
        "edits": "what was typed at a terminal cannot be changed",
        "attachments": "a terminal brings no files",
        "permissions": "a terminal can always be written to",
        "rate limits": "a terminal takes all that comes",
        "connection": "a terminal has no connection to lose",
        "events": "a terminal knows lines alone",
    }

    async def asks(self, who: str, text: str, channel: str = "general", file: tuple[str, bytes] | None = None) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())
        await self.process.stdin.drain()
        number = len(self.answers)
        self.answers[number] = None
        return number

    async def follows_up(self, question: Any, who: str, text: str) -> Any:
        return await self.asks(who, text)

    async def answer(self, question: Any) -> Seen:
        document = await self._document(question)
        return Seen((document["answer"], *(one["title"] for one in document["citations"])), "general")

    async def _document(self, question: int) -> dict[str, Any]:
        assert self.process.stdout is not None
        for number, answer in self.answers.items():
            if answer is None and number <= question:
                async with asyncio.timeout(30):
                    self.answers[number] = json.loads(await self.process.stdout.readline())
        return self.answers[question]

    async def conversation(self, question: Any) -> str:
        return str((await self._document(question))["conversation_id"])


class TestConsole(AdapterContract):
    """`preceptor chat` in a pipe."""

    @pytest.fixture
    def open_stage(self, tmp_path: Path) -> Opening:
        settings = contract_settings(tmp_path)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
        environment |= {
            "PRECEPTOR_KNOWLEDGE__SOURCES": json.dumps(settings.knowledge.sources),
            "PRECEPTOR_KNOWLEDGE__PASSAGE_LENGTH": str(settings.knowledge.passage_length),
        }

        @contextlib.asynccontextmanager
        async def _open() -> AsyncIterator[Stage]:
            process = await asyncio.create_subprocess_exec(
                PRECEPTOR,
                *("chat", "--json"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=tmp_path,
                env=environment,
                limit=1 << 20,
            )
            yield _TerminalStage(process, {})
            assert process.stdin is not None
            process.stdin.close()
            assert await asyncio.wait_for(process.wait(), 10) == 0

        return _open
