"""What every front door must do, told once: each adapter's tests put a `Stage` under these acts.

A stage is a platform with Preceptor connected to it, as people on the platform see it. What a platform does not have
is named in `Stage.lacks` with the reason, and the test that would need it is skipped with that reason.
"""

import asyncio
import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.database import Database
from bot.settings import Settings
from bot.tables import messages
from tests.conftest import HANDBOOK

LONG_ANSWER = "\n\n".join(
    [
        "Setting up the printer takes fourteen steps.",
        *(
            f"Step {number}: turn wheel {number} of the printer until lamp {number} is green, then wait for the sound"
            f" of bell {number}. **Never** pull lever {number} before that; `manual-{number}` says what may go wrong."
            " When the lamp stays red, close the lid, count to ten and begin this step again from its beginning."
            for number in range(1, 15)
        ),
        "```python\n" + "\n".join(f"printer.calibrate(wheel={number}, lamp='green')" for number in range(60)) + "\n```",
        "That is all.",
    ]
)
"""Longer than any platform's message, with a block of code that must be cut."""

PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)
"""One pixel, as PNG."""


FLOOR = {"images": {"labels": "floor", "captions": "floor"}}
"""Settings of the section `models` under which no model looks at pictures, whatever is installed."""


def contract_settings(folder: Path, **sections: Any) -> Settings:
    """Give settings under which a stage answers from the handbook and one very long answer."""
    knowledge = folder / "handbook"
    knowledge.mkdir(exist_ok=True)
    (knowledge / "handbook.md").write_text(HANDBOOK, encoding="utf-8")
    printer = [{"question": "How do I set up the printer?", "answer": LONG_ANSWER}]
    (knowledge / "printer.json").write_text(json.dumps(printer), encoding="utf-8")
    values = {
        "data_directory": folder / "data",
        "knowledge": {"sources": (str(knowledge),), "passage_length": 20_000},
        "http": {"enabled": False, "port": 0},
        "attachments": {"megabytes": 1},
        "answers": {"shown_after_seconds": 0.0},
        "models": FLOOR,
        # One person asks as many do.
        "limits": {"person_per_minute": 0, "channel_per_minute": 0, "workspace_per_minute": 0, "person_at_once": 0},
    }
    return Settings(**values | {name: values.get(name, {}) | section for name, section in sections.items()})


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as its reader sees it: its messages one after the other, and the place they stand in."""

    texts: tuple[str, ...]
    where: str

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


class Stage(ABC):
    """A platform, people on it, and a Preceptor that is connected."""

    lacks: ClassVar[Mapping[str, str]] = {}
    longest: ClassVar[int | None] = None

    def needs(self, *features: str) -> None:
        """Skip the test where the platform has no such thing."""
        for feature in features:
            if feature in self.lacks:
                pytest.skip(self.lacks[feature])

    @abstractmethod
    async def asks(self, who: str, text: str, channel: str = "general", file: tuple[str, bytes] | None = None) -> Any:
        """Have somebody ask the bot something in a channel; give the question."""

    @abstractmethod
    async def answer(self, question: Any) -> Seen:
        """Wait for the whole answer to a question."""

    @abstractmethod
    async def conversation(self, question: Any) -> str:
        """Give the conversation in which a question was kept."""

    async def follows_up(self, question: Any, who: str, text: str) -> Any:
        """Have somebody go on in the place where an answer stands."""
        raise NotImplementedError

    async def edits(self, question: Any, text: str) -> None:
        """Have the asker change a question."""
        raise NotImplementedError

    async def deletes(self, question: Any) -> None:
        """Have the asker delete a question."""
        raise NotImplementedError

    async def shows_again(self, question: Any) -> None:
        """Have the platform deliver the question's event again."""
        raise NotImplementedError

    async def answer_becomes(self, question: Any, holds: Callable[[Seen], bool]) -> Seen:
        """Wait until what stands as the answer fulfils a condition."""
        raise NotImplementedError

    async def forbids_writing(self, channel: str) -> None:
        """Take the bot's right to write in a channel away."""
        raise NotImplementedError

    async def told_privately(self, who: str) -> str:
        """Wait for what the bot tells somebody where nobody else sees it."""
        raise NotImplementedError

    async def limits_the_rate(self, seconds: float) -> None:
        """Have the platform refuse the next message, and say when it will take it."""
        raise NotImplementedError

    async def loses_the_connection(self) -> None:
        """Cut the bot off; whoever asks while it is away is delivered when it is back."""
        raise NotImplementedError

    async def sends_something_new(self) -> None:
        """Have the platform send events of kinds that nobody knows yet."""
        raise NotImplementedError

    async def count_of_answers(self, channel: str = "general") -> int:
        """Say how many messages of the bot stand in a channel."""
        raise NotImplementedError


Opening = Callable[[], AbstractAsyncContextManager[Stage]]


class AdapterContract:
    """The acts. A subclass supplies the fixture `open_stage`, which opens a stage anew."""

    @pytest.fixture
    async def stage(self, open_stage: Opening) -> AsyncIterator[Stage]:
        async with open_stage() as stage:
            yield stage

    async def test_a_question_is_answered_where_it_was_asked(self, stage: Stage) -> None:
        question = await stage.asks("Ada", "When does the office open?", "general")
        answer = await stage.answer(question)
        assert "8 in the morning" in answer.text
        assert "Opening hours" in answer.text
        assert answer.where == "general"

    async def test_what_it_does_not_know_it_says(self, stage: Stage) -> None:
        question = await stage.asks("Ada", "Who won the chess championship in Reykjavik?")
        assert "I don't know" in (await stage.answer(question)).text

    async def test_a_follow_up_keeps_the_conversation(self, stage: Stage) -> None:
        stage.needs("conversations")
        first = await stage.asks("Ada", "What is Newton's first law?")
        assert "at rest" in (await stage.answer(first)).text
        second = await stage.follows_up(first, "Ada", "and the third one?")
        assert "equal and opposite" in (await stage.answer(second)).text
        assert await stage.conversation(first) == await stage.conversation(second)

    async def test_two_people_in_one_channel_do_not_share_a_conversation(self, stage: Stage) -> None:
        stage.needs("people")
        first = await stage.asks("Ada", "What is Newton's first law?")
        second = await stage.asks("Grace", "What is Newton's second law?")
        await stage.answer(first)
        await stage.answer(second)
        assert await stage.conversation(first) != await stage.conversation(second)

    async def test_the_same_event_again_changes_nothing(self, stage: Stage) -> None:
        stage.needs("redelivery")
        question = await stage.asks("Ada", "When does the office open?")
        await stage.answer(question)
        before = await stage.count_of_answers()
        await stage.shows_again(question)
        await stage.answer(await stage.asks("Ada", "Where do visitors park?"))
        assert await stage.count_of_answers() == before + 1

    async def test_an_edited_question_is_answered_anew_in_place(self, stage: Stage) -> None:
        stage.needs("edits")
        question = await stage.asks("Ada", "Where do visitors park?")
        assert "north side" in (await stage.answer(question)).text
        before = await stage.count_of_answers()
        await stage.edits(question, "When does the office open?")
        await stage.answer_becomes(question, lambda seen: "8 in the morning" in seen.text)
        assert await stage.count_of_answers() == before

    async def test_the_answer_to_a_deleted_question_is_withdrawn(self, stage: Stage) -> None:
        stage.needs("edits")
        question = await stage.asks("Ada", "Where do visitors park?")
        await stage.answer(question)
        await stage.deletes(question)
        await stage.answer_becomes(question, lambda seen: not seen.texts)

    async def test_a_long_answer_arrives_whole(self, stage: Stage) -> None:
        question = await stage.asks("Ada", "How do I set up the printer?")
        answer = await stage.answer(question)
        words = re.findall(r"\w+", answer.text)
        for number in range(1, 15):
            assert f"bell {number}" in " ".join(words), f"step {number} is missing"
        assert all(f"printer.calibrate(wheel={number}," in answer.text for number in range(60))
        assert "That is all." in answer.text
        if stage.longest:
            assert len(answer.texts) > 1
            assert all(len(text) <= stage.longest for text in answer.texts)

    async def test_a_file_is_judged_by_its_content_and_not_by_its_name(self, stage: Stage) -> None:
        stage.needs("attachments")
        real = await stage.asks("Ada", "/describe", file=("holiday.txt", PICTURE))
        assert "PNG picture of 1 × 1 pixels" in (await stage.answer(real)).text
        false = await stage.asks("Ada", "/describe", file=("holiday.png", b"Only words are in here.\n" * 20))
        refusal = (await stage.answer(false)).text
        assert "holiday.png" in refusal
        assert "plain text" in refusal

    async def test_a_file_that_is_too_large_is_refused_with_its_limit(self, stage: Stage) -> None:
        stage.needs("attachments")
        question = await stage.asks("Ada", "/describe", file=("huge.png", PICTURE + bytes(3 << 20)))
        answer = await stage.answer(question)
        assert "huge.png" in answer.text
        assert "1 MiB" in answer.text

    async def test_where_it_may_not_write_the_asker_is_told_privately_and_the_log_says_what_is_missing(
        self, stage: Stage
    ) -> None:
        stage.needs("permissions")
        await stage.forbids_writing("general")
        with capture_logs() as logged:
            await stage.asks("Ada", "When does the office open?", "general")
            assert "general" in await stage.told_privately("Ada")
        assert any(line.get("missing") for line in logged), logged

    async def test_an_answer_that_the_platform_puts_off_arrives_once(self, stage: Stage) -> None:
        stage.needs("rate limits")
        await stage.limits_the_rate(0.5)
        question = await stage.asks("Ada", "When does the office open?")
        assert "8 in the morning" in (await stage.answer(question)).text
        assert await stage.count_of_answers() == 1

    async def test_what_is_asked_while_the_connection_is_lost_is_answered_once(self, stage: Stage) -> None:
        stage.needs("connection")
        await stage.answer(await stage.asks("Ada", "Where do visitors park?"))
        await stage.loses_the_connection()
        question = await stage.asks("Ada", "When does the office open?")
        assert "8 in the morning" in (await stage.answer(question)).text
        assert await stage.count_of_answers() == 2

    async def test_events_of_unknown_kinds_are_passed_over(self, stage: Stage) -> None:
        stage.needs("events")
        with capture_logs() as logged:
            await stage.sends_something_new()
            question = await stage.asks("Ada", "When does the office open?")
            assert "8 in the morning" in (await stage.answer(question)).text
        assert not [line for line in logged if line["log_level"] in ("error", "critical")]

    async def test_it_leaves_no_task_and_no_socket(self, open_stage: Opening) -> None:
        tasks, sockets = asyncio.all_tasks(), _sockets()
        async with open_stage() as stage:
            await stage.answer(await stage.asks("Ada", "When does the office open?"))
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 5 + stage_overhead(stage)
        async with asyncio.timeout(5):
            while (left := asyncio.all_tasks() - tasks) or (_sockets() - sockets):  # noqa: ASYNC110 - the operating system has no event
                await asyncio.sleep(0.01)
        assert not left


def stage_overhead(stage: Stage) -> float:
    """Give the seconds that a stage's own platform may take to close, besides the adapter's five."""
    return getattr(stage, "closing_seconds", 2.0)


def _sockets() -> set[tuple[int, Any]]:
    return {(one.fd, one.laddr) for one in psutil.Process().net_connections("inet") if one.fd != -1}


async def kept_conversation(settings: Settings, inbox_key: str) -> str:
    """Give the conversation in which the question with this inbox key was kept."""
    database = Database(settings.database_file)
    try:
        query = select(messages.c.conversation_id).where(messages.c.inbox_key == inbox_key).limit(1)
        return str(await database.read(lambda connection: connection.scalar(query)))
    finally:
        await database.close()
