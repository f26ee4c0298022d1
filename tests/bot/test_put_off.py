"""What could not be settled at once, and what comes meanwhile: the last word holds, and one reply is one."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from noticeboard import Noticeboard, ended
from structlog.testing import capture_logs

from bot.adapter import Accept, Limits
from bot.application import Application
from bot.database import Database
from bot.delivery import Delivery, Part, idempotency_key
from bot.errors import OverloadedError, RateLimitedError
from bot.messages import IncomingMessage, Place, Reply
from bot.outgoing import Outgoing
from bot.settings import Settings
from bot.tables import messages
from tests.conftest import Conversation


class Locking(Noticeboard):
    """A platform under which another process may hold the database's lock."""

    def __init__(self, file: Path) -> None:
        super().__init__(Limits(reaches_later=True))
        self._file = file
        self._lock: sqlite3.Connection | None = None
        self.held = ""
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()
        self.locks_before_keeping = False

    def lock(self) -> None:
        self._lock = sqlite3.connect(self._file, isolation_level=None)
        self._lock.execute("BEGIN IMMEDIATE")

    def unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def parts(self, reply: Reply) -> Sequence[Reply]:
        if self.locks_before_keeping:
            self.locks_before_keeping = False
            self.lock()
        return super().parts(reply)

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        if reply.in_reply_to == self.held:
            self.reached.set()
            await self.let_go.wait()
        return await super().send(place, reply, idempotency_key)


def _impatient(settings: Settings) -> Settings:
    database = settings.database.model_copy(update={"busy_seconds": 0.05})
    dispatch = settings.dispatch.model_copy(update={"retry_seconds": 2.0, "shutdown_seconds": 0.2})
    return settings.model_copy(update={"database": database, "dispatch": dispatch})


async def _until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - a line in the log wakes nobody
            await asyncio.sleep(0.01)


async def _put_off_an_edit(board: Locking, ada: Conversation, settings: Settings) -> None:
    """Have an edit of an answered question accepted, and put off since the database is locked."""
    await board.post(ada.message("Where do visitors park?", key="1"))
    assert await ended(settings, "1") == "answered"
    board.held = "2"
    await board.post(ada.message("What is Newton's first law?", key="2"))
    await board.reached.wait()
    await board.post(ada.message("When does the office open?", key="1/edited/2", revises="1"))
    with capture_logs() as logs:
        board.lock()
        board.let_go.set()
        await _until(lambda: any(entry.get("key") == "1/edited/2" for entry in logs))
        board.unlock()


async def test_an_edit_that_was_put_off_does_not_overwrite_a_later_one(settings: Settings) -> None:
    quick = _impatient(settings)
    board = Locking(quick.database_file)
    ada = Conversation(board)
    async with Application(quick).running([board]):
        await _put_off_an_edit(board, ada, quick)
        await board.post(ada.message("What is Newton's third law?", key="1/edited/3", revises="1"))
        assert await ended(quick, "1/edited/3") == "answered"
        assert await ended(quick, "1/edited/2") == "superseded"
    assert "equal and opposite" in board.standing["memory/1#reply/0"].text


async def test_an_edit_that_was_put_off_is_not_answered_once_the_question_is_deleted(settings: Settings) -> None:
    quick = _impatient(settings)
    board = Locking(quick.database_file)
    ada = Conversation(board)
    async with Application(quick).running([board]):
        await _put_off_an_edit(board, ada, quick)
        await board.post(ada.message("", key="1/deleted", command="withdraw", revises="1"))
        assert await ended(quick, "1/deleted") == "done"
        assert await ended(quick, "1/edited/2") == "superseded"
        assert await ended(quick, "2") == "answered"
    assert [key for key in board.standing if key.startswith("memory/1")] == []


async def test_who_was_told_of_a_database_that_is_locked_is_not_answered_once_more(settings: Settings) -> None:
    quick = _impatient(settings)
    board = Locking(quick.database_file)
    async with Application(quick).running([board]):
        board.locks_before_keeping = True
        with capture_logs() as logs:
            await board.post(Conversation(board).message("When does the office open?", key="1"))
            await _until(lambda: any(entry["event"] == "not delivered yet" for entry in logs))
        board.unlock()
        assert await ended(quick, "1") == "failed"
    assert board.sent == ["memory/1#reply/0"]
    assert "locked" in board.texts[0]


async def test_an_edit_that_a_stop_cut_short_is_kept_as_it_is_delivered(settings: Settings) -> None:
    board = Noticeboard()
    ada = Conversation(board)
    async with Application(_impatient(settings)).running([board]):
        await board.post(ada.message("Where do visitors park?", key="1"))
        assert await ended(settings, "1") == "answered"
        board.failing = [RateLimitedError(1_000)]
        with capture_logs() as logs:
            await board.post(ada.message("When does the office open?", key="1/edited/2", revises="1"))
            await _until(lambda: any(entry["event"] == "not delivered yet" for entry in logs))
    async with Application(settings).running([board]):
        assert await ended(settings, "1/edited/2") == "answered"
    assert "8 in the morning" in board.texts[0]
    database = Database(settings.database_file)
    said = await database.read(lambda c: c.scalars(messages.select().with_only_columns(messages.c.text)).all())
    await database.close()
    assert "When does the office open?" in said


class Eager(Noticeboard):
    """A platform that brings more than may wait before the bot is ready."""

    def __init__(self, *early: IncomingMessage) -> None:
        super().__init__()
        self._early = early
        self.refused: list[str] = []

    async def start(self, accept: Accept) -> None:
        await super().start(accept)
        for message in self._early:
            try:
                await accept(message)
            except OverloadedError:
                self.refused.append(message.key)


async def test_no_more_may_wait_for_the_start_than_may_wait_at_all(settings: Settings) -> None:
    narrow = settings.model_copy(update={"dispatch": settings.dispatch.model_copy(update={"queue": 2})})
    ada = Conversation(Noticeboard())
    board = Eager(*(ada.message("When does the office open?", key=str(number)) for number in range(3)))
    async with Application(narrow).running([board]):
        await board.until(lambda texts: len(texts) == 2)
        assert board.refused == ["2"]
        await board.post(ada.message("When does the office open?", key="4"))
        await board.until(lambda texts: len(texts) == 3)


async def test_a_placeholder_whose_receipt_was_lost_is_taken_down_where_the_reply_is_for_the_asker_alone(
    settings: Settings,
) -> None:
    async with Application(settings).running([Noticeboard()]):
        pass
    message = Conversation(Noticeboard()).message("/export", key="1", streaming=True)
    database = Database(settings.database_file)
    await database.open()
    delivery = Delivery(database)
    await delivery.accept(message)
    await delivery.begin(message, 0)
    await database.close()
    board = Noticeboard()
    board.standing = {idempotency_key(message, 0): Reply("Thinking …", complete=False)}
    async with Application(settings).running([board]):
        assert await ended(settings, "1") == "done"
    assert [reply.ephemeral for reply in board.standing.values()] == [True]
    assert board.sent == [f"{idempotency_key(message, 0)}/private"]


async def test_what_takes_the_place_of_a_longer_answer_leaves_nothing_of_it_after_a_crash(settings: Settings) -> None:
    async with Application(settings).running([Noticeboard()]):
        pass
    ada = Conversation(Noticeboard())
    first, pressed = ada.message("Where do visitors park?", key="1"), ada.message("Why?", key="2")
    database = Database(settings.database_file)
    await database.open()
    delivery = Delivery(database)
    await delivery.accept(first)
    old = [Part(idempotency_key(first, number), Reply("old"), f"old {number}") for number in (0, 1)]
    await database.write(delivery.putting_out(first, old))
    await delivery.close(first, "answered", old)
    await delivery.accept(pressed)
    new = Part(idempotency_key(pressed, 0), Reply("new", outcome="answered", revises="1"), "old 0")
    await database.write(delivery.putting_out(pressed, [new]))
    await database.close()
    board = Noticeboard()
    board.standing = {"old 0": Reply("old"), "old 1": Reply("old")}
    async with Application(settings).running([board]):
        assert await ended(settings, "2") == "answered"
    assert board.texts == ["new"]


class Cancelling(Noticeboard):
    """A platform whose library lets a cancellation of its own through, once."""

    cancels = 1

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        if self.cancels:
            self.cancels -= 1
            raise asyncio.CancelledError
        return await super().send(place, reply, idempotency_key)


async def test_a_cancellation_inside_a_platforms_library_does_not_stop_the_conversation(settings: Settings) -> None:
    board = Cancelling()
    ada = Conversation(board)
    async with Application(_impatient(settings)).running([board]):
        await board.post(ada.message("When does the office open?", key="1"))
        await board.post(ada.message("Where do visitors park?", key="2"))
        assert await ended(settings, "2") == "answered"
        assert await ended(settings, "1") == "answered"


class Stumbling(Locking):
    """A platform whose adapter stumbles over one reply, once."""

    stumbles = 0

    def parts(self, reply: Reply) -> Sequence[Reply]:
        if self.stumbles:
            self.stumbles -= 1
            raise LookupError("no such part")
        return super().parts(reply)


async def test_what_is_tried_again_behind_its_own_edit_is_not_answered_after_it(settings: Settings) -> None:
    quick = settings.model_copy(update={"dispatch": settings.dispatch.model_copy(update={"retry_seconds": 0.1})})
    board = Stumbling(quick.database_file)
    ada = Conversation(board)
    async with Application(quick).running([board]):
        board.stumbles = 1
        with capture_logs() as logs:
            await board.post(ada.message("Where do visitors park?", key="1"))
            await _until(lambda: any(entry["event"] == "not delivered yet" for entry in logs))
        board.held = "2"
        await board.post(ada.message("What is Newton's first law?", key="2"))
        await board.post(ada.message("When does the office open?", key="1/edited/2", revises="1"))
        await board.reached.wait()
        # Meanwhile the first form of the question is due again, and queues.
        await asyncio.sleep(1)
        board.let_go.set()
        await board.post(ada.message("/help", key="3"))
        assert await ended(quick, "3") == "done"
        assert await ended(quick, "1") == "superseded"
    about_it = [reply.text for key, reply in board.standing.items() if key.startswith("memory/1")]
    assert len(about_it) == 1
    assert "8 in the morning" in about_it[0]


async def test_a_placeholder_is_taken_down_where_the_reply_takes_the_place_of_an_earlier_answer(
    settings: Settings,
) -> None:
    board = Noticeboard()
    board.standing = {"old": Reply("old"), "shown": Reply("Thinking …", complete=False)}
    message = Conversation(board).message("Solved", key="2", streaming=True)
    delivery = Delivery(Database(settings.database_file))
    outgoing = Outgoing(board, delivery, message, 0.0, [Part(idempotency_key(message, 0), None, "shown")])
    outgoing.takes_the_place_of(["old"])
    await outgoing.complete(outgoing.laid_out(Reply("new")))
    assert {name: reply.text for name, reply in board.standing.items()} == {"old": "new"}
