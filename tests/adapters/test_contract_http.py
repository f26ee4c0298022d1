"""The HTTP API under the contract: real requests of two people, each with a key."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from contract import AdapterContract, Opening, Seen, Stage, contract_settings

from bot.application import Application

_KEYS = {"Ada": "ada-has-a-key-of-her-own", "Grace": "grace-has-a-key-of-her-own"}


@dataclass
class _HttpStage(Stage):
    api: httpx.AsyncClient

    lacks: ClassVar[Mapping[str, str]] = {
        "redelivery": "a request is its own event: whoever repeats it asks again",
        "edits": "a request cannot be changed after it was made",
        "permissions": "whoever makes a request can be answered",
        "rate limits": "nothing limits the answer to a request",
        "connection": "each request has its own connection",
        "events": "unknown requests have tests of their own (test_http_problems.py)",
    }

    async def asks(self, who: str, text: str, channel: str = "general", file: tuple[str, bytes] | None = None) -> Any:
        if file:
            return asyncio.create_task(self._show(who, file))
        return asyncio.create_task(self._ask(who, question=text))

    async def follows_up(self, question: Any, who: str, text: str) -> Any:
        conversation_id = await self.conversation(question)
        return asyncio.create_task(self._ask(who, question=text, conversation_id=conversation_id))

    async def _ask(self, who: str, **body: str) -> Any:
        response = await self.api.post("/v1/ask", json=body, headers={"Authorization": f"Bearer {_KEYS[who]}"})
        return response.raise_for_status().json()

    async def _show(self, who: str, file: tuple[str, bytes]) -> Any:
        headers = {"Authorization": f"Bearer {_KEYS[who]}"}
        document = (await self.api.post("/v1/describe", files={"file": file}, headers=headers)).json()
        if "detail" in document:
            document = {"answer": f"{file[0]}: {document['detail']} {document.get('fix', '')}"}
        return document | {"citations": []}

    async def answer(self, question: Any) -> Seen:
        document = await question
        return Seen((document["answer"], *(one["title"] for one in document["citations"])), "general")

    async def conversation(self, question: Any) -> str:
        return str((await question)["conversation_id"])


class TestHttp(AdapterContract):
    """The API that `preceptor run` serves."""

    @pytest.fixture
    def open_stage(self, tmp_path: Path) -> Opening:
        digests = tuple(f"sha256:{hashlib.sha256(key.encode()).hexdigest()}" for key in _KEYS.values())
        settings = contract_settings(tmp_path, http={"port": 0, "user_keys": digests})

        @contextlib.asynccontextmanager
        async def _open() -> AsyncIterator[Stage]:
            application = Application(settings)
            adapter: Any = application.adapter("http")
            async with application.running([adapter]), httpx.AsyncClient(base_url=adapter.address, timeout=30) as api:
                yield _HttpStage(api)

        return _open
