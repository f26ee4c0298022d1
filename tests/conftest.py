"""What the tests share: a small knowledge base on disk and a whole, running Preceptor that is talked to."""

import os
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.messages import Author, IncomingMessage, Place, Reply
from bot.settings import Settings
from tests.models.tiny_models import flan_t5, tiny_llama_fixture, tiny_t5_fixture  # noqa: F401 - fixtures for all rooms

# A process that a test starts serves the pages only where the test is about them.
os.environ.setdefault("PRECEPTOR_WEB__ENABLED", "false")

SHARED = Path(__file__).parents[2] / "shared"

HANDBOOK = """\
# Office handbook

## Opening hours

The office is open from 8 in the morning until 6 in the evening. On Fridays it closes at 4.

## Parking

Visitors park on the north side of the building. A parking permit lies at the reception.

## Newton's first law

Newton's first law says that a body at rest stays at rest unless a net force acts on it.

## Newton's second law

Newton's second law says that the net force on a body equals its mass times its acceleration.

## Newton's third law

Newton's third law says that to every action there is an equal and opposite reaction.
"""


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    """A folder with one Markdown file."""
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "handbook.md").write_text(HANDBOOK, encoding="utf-8")
    return folder


@pytest.fixture
def settings(tmp_path: Path, handbook: Path) -> Settings:
    """Settings under which everything stays in the test's own folder."""
    no_models = {"images": {"labels": "floor", "captions": "floor"}}
    sources = {"sources": [str(handbook)]}
    # Tests ask faster than people do.
    unlimited = dict.fromkeys(("person_per_minute", "channel_per_minute", "workspace_per_minute", "person_at_once"), 0)
    folder = tmp_path / "data"
    return Settings(data_directory=folder, knowledge=sources, models=no_models, limits=unlimited)  # type: ignore[arg-type]


@dataclass
class Conversation:
    """Somebody who talks to a running Preceptor through the in-memory adapter."""

    adapter: InMemoryAdapter
    author: Author = field(default_factory=lambda: Author("ada", "Ada"))
    place: Place = field(default_factory=lambda: Place("memory", "lab", "general"))

    def message(self, text: str, **fields: Any) -> IncomingMessage:
        key = fields.pop("key", uuid.uuid4().hex)
        return IncomingMessage(key=key, place=self.place, author=self.author, text=text, **fields)

    async def say(self, text: str, **fields: Any) -> Reply:
        exchange = await self.adapter.post(self.message(text, **fields))
        return await exchange.complete()

    def other(self, **fields: Any) -> "Conversation":
        """Somebody else, or somewhere else, on the same adapter."""
        return Conversation(**({"adapter": self.adapter, "author": self.author, "place": self.place} | fields))


@pytest.fixture
async def application(settings: Settings) -> Application:
    """A Preceptor that is not started yet."""
    return Application(settings)


@pytest.fixture
async def ada(application: Application) -> AsyncIterator[Conversation]:
    """Ada, talking to a running Preceptor."""
    adapter = InMemoryAdapter(Limits(streaming=True))
    async with application.running([adapter]):
        yield Conversation(adapter)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set environment variables for the test, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)

    def _set(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return _set
