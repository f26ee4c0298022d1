"""Replies that a platform will not take: tried again for a while, then given up, seen by admins and retried by them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from noticeboard import Noticeboard, ended
from sqlalchemy import text
from typer.testing import CliRunner

from bot.access import ADMIN
from bot.adapter import Limits
from bot.application import Application
from bot.cli import app
from bot.database import Database
from bot.errors import DeliveryRefusedError, RateLimitedError
from bot.messages import Author
from bot.retries import Retries
from bot.settings import Settings
from tests.conftest import Conversation

ADMINISTRATOR = Author("root", "Root", frozenset({ADMIN}))


def _chief(board: Noticeboard) -> Conversation:
    return Conversation(board, author=ADMINISTRATOR)


async def _rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    database = Database(settings.database_file)
    rows = await database.read(lambda connection: [tuple(row) for row in connection.execute(text(query))])
    await database.close()
    return rows


async def _says(board: Noticeboard, settings: Settings, command: str, key: str) -> str:
    """Have an admin give a command, and give what is said to it."""
    await board.post(_chief(board).message(command, key=key))
    assert await ended(settings, key) == "done"
    mine = (reply for name, reply in board.standing.items() if name.startswith(f"memory/{key}#"))
    return "\n\n".join(reply.text for reply in mine)


async def test_a_reply_that_was_refused_is_listed_and_delivered_when_an_admin_has_it_tried_again(
    settings: Settings,
) -> None:
    board = Noticeboard()
    board.failing = [DeliveryRefusedError("I may not write there.")]
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        assert await ended(settings, "1") == "undelivered"
        listed = await _says(board, settings, "/delivery", "2")
        assert "`memory/1` in `memory/lab/general/`" in listed
        assert "I may not write there." in listed
        assert await _says(board, settings, "/delivery retry", "3") == "I try 1 reply again."
        assert await ended(settings, "1") == "answered"
        await board.post(_chief(board).message("/delivery foo", key="5"))
        assert await ended(settings, "5") == "refused"
        assert await _says(board, settings, "/delivery", "4") == "All replies were delivered."
    assert "8 in the morning" in board.standing["memory/1#reply/0"].text
    assert board.sent.count("memory/1#reply/0") == 1


async def test_from_the_command_line_a_running_process_is_told_to_try_again(
    settings: Settings, environment: Callable[..., None], tmp_path: Path
) -> None:
    environment(PRECEPTOR_DATA_DIRECTORY=str(settings.data_directory))
    command_line = CliRunner()
    board = Noticeboard()
    board.failing = [DeliveryRefusedError("I may not write there.")]
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        assert await ended(settings, "1") == "undelivered"
        assert '"key": "memory/1"' in await _run(command_line, "delivery", "list", "--json")
        assert "No reply to memory/7 waits" in await _run(command_line, "delivery", "retry", "memory/7")
        assert await _run(command_line, "delivery", "retry", "memory/1") == "1 reply is tried again.\n"
        assert await ended(settings, "1") == "answered"
    assert board.sent == ["memory/1#reply/0"]


async def _run(command_line: CliRunner, *arguments: str) -> str:
    result = await asyncio.to_thread(command_line.invoke, app, arguments)
    return result.output


async def test_after_the_deadline_a_reply_is_given_up_and_kept_and_a_retried_one_has_a_deadline_of_its_own(
    settings: Settings,
) -> None:
    board = Noticeboard()
    board.failing = [ConnectionError("down")] * 4
    long_ago = datetime.now(UTC) - timedelta(hours=30)
    quick = _retrying(settings, 0.1)
    async with Application(quick).running([board]):
        await board.post(Conversation(board).message("When does the office open?", key="1", received_at=long_ago))
        assert await ended(quick, "1") == "undelivered"
        assert await _rows(quick, "SELECT count(*) FROM outbox WHERE payload IS NOT NULL") == [(1,)]
        await _says(board, quick, "/delivery retry", "2")
        assert await ended(quick, "1") == "answered"
    assert await _rows(quick, "SELECT count(*) FROM undelivered") == [(0,)]


def _retrying(settings: Settings, seconds: float) -> Settings:
    dispatch = settings.dispatch.model_copy(update={"retry_seconds": seconds})
    return settings.model_copy(update={"dispatch": dispatch})


async def test_where_nothing_is_kept_a_reply_that_is_given_up_is_dropped(settings: Settings) -> None:
    conversations = settings.conversations.model_copy(update={"not_kept": ("memory",)})
    silent = settings.model_copy(update={"conversations": conversations})
    board = Noticeboard()
    board.failing = [DeliveryRefusedError("I may not write there.")]
    async with Application(silent).running([board]):
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        assert await ended(silent, "1") == "undelivered"
    assert await _rows(silent, "SELECT count(*) FROM inbox WHERE payload IS NOT NULL") == [(0,)]
    assert await _rows(silent, "SELECT count(*) FROM outbox WHERE payload IS NOT NULL") == [(0,)]


async def test_a_question_that_is_taken_back_is_not_retried(settings: Settings) -> None:
    board = Noticeboard()
    board.failing = [DeliveryRefusedError("I may not write there.")]
    async with Application(settings).running([board]):
        talk = Conversation(board)
        await board.post(talk.message("When does the office open?", key="1"))
        assert await ended(settings, "1") == "undelivered"
        await board.post(talk.message("", key="1/deleted", command="withdraw", revises="1"))
        assert await ended(settings, "1/deleted") == "done"
        assert await _says(board, settings, "/delivery retry", "2") == "There is nothing to be tried again."


async def test_nobody_but_admins_sees_what_was_not_delivered(settings: Settings) -> None:
    board = Noticeboard()
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message("/delivery", key="1"))
        assert await ended(settings, "1") == "refused"


def test_it_is_tried_again_ever_more_rarely_and_never_sooner_than_the_platform_asked_for() -> None:
    retries = Retries(60.0)
    waits = [retries.put_off("1", ConnectionError()) for _ in range(12)]
    for tries, wait in enumerate(waits):
        usual = min(60.0 * 2**tries, 3600.0)
        assert usual / 2 <= wait <= usual
    assert retries.put_off("1", RateLimitedError(90_000)) >= 90_000
    assert retries.due() == []
    retries.done("1")
    assert retries.put_off("1", ConnectionError()) <= 60.0


async def test_who_waits_long_for_their_turn_is_told_how_many_come_before(settings: Settings) -> None:
    one_at_a_time = settings.model_copy(
        update={
            "dispatch": settings.dispatch.model_copy(update={"workers": 1}),
            "answers": settings.answers.model_copy(update={"shown_after_seconds": 0.0}),
        }
    )
    board = Busy()
    async with Application(one_at_a_time).running([board]):
        for name in ("ada", "grace", "alan"):
            talk = Conversation(board, author=Author(name))
            await board.post(talk.message("/export", key=name, streaming=True))
        await board.until(lambda texts: len(texts) == 3)
        assert sorted(board.texts) == ["1 question is before yours.", "2 questions are before yours.", "Thinking …"]
        board.free.set()
        for name in ("ada", "grace", "alan"):
            assert await ended(one_at_a_time, name) == "done"


class Busy(Noticeboard):
    """A platform that takes its time to say who somebody is."""

    def __init__(self) -> None:
        super().__init__(Limits(streaming=True, placeholder=True))
        self.free = asyncio.Event()

    async def roles(self, message: object) -> frozenset[str]:
        await self.free.wait()
        return frozenset()


async def test_a_failed_try_is_one_line_in_the_log_and_names_no_message(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    board = Noticeboard()
    board.failing = [ConnectionError("secret words of a message")] * 2
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        assert await ended(settings, "1") == "answered"
    said = capsys.readouterr().out
    failed = [line for line in said.splitlines() if "not delivered yet" in line]
    assert len(failed) == 2
    assert "ConnectionError" in failed[0]
    assert "secret words" not in said
    assert "Traceback" not in said
