"""Questions that are edited or deleted after they were asked, and what becomes of their answers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from noticeboard import Noticeboard, ended

from bot.application import Application
from bot.database import Database
from bot.messages import Author, Place, Reply
from bot.settings import Settings
from bot.tables import conversations, messages
from tests.conftest import Conversation


@pytest.fixture
async def board(settings: Settings) -> AsyncIterator[Noticeboard]:
    """A platform that Preceptor is connected to."""
    adapter = Noticeboard()
    async with Application(settings).running([adapter]):
        yield adapter


@pytest.fixture
def ada(board: Noticeboard) -> Conversation:
    return Conversation(board)


async def _kept(settings: Settings) -> tuple[list[str], int]:
    database = Database(settings.database_file)
    questions = messages.select().where(messages.c.role == "question").order_by(messages.c.id)
    rows = await database.read(lambda c: c.execute(questions).all())
    held = await database.read(lambda c: len(c.execute(conversations.select()).all()))
    await database.close()
    return [row.text for row in rows], held


async def test_an_edited_question_is_answered_anew_where_its_answer_stands(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    await board.post(ada.message("Where do visitors park?", key="1"))
    await board.until(lambda texts: "north side" in "".join(texts))
    await board.post(ada.message("When does the office open?", key="1/edited/2", revises="1"))
    texts = await board.until(lambda texts: "8 in the morning" in "".join(texts))
    assert len(texts) == 1
    assert await ended(settings, "1/edited/2") == "answered"
    assert await _kept(settings) == (["When does the office open?"], 1)


async def test_a_question_can_be_edited_twice(board: Noticeboard, ada: Conversation, settings: Settings) -> None:
    await board.post(ada.message("Where do visitors park?", key="1"))
    await board.post(ada.message("When does the office open?", key="1/edited/2", revises="1"))
    await board.post(ada.message("What does Newton's third law say?", key="1/edited/3", revises="1"))
    assert await ended(settings, "1/edited/3") == "answered"
    assert len(board.texts) == 1
    assert "equal and opposite" in board.texts[0]
    assert (await _kept(settings))[0] == ["What does Newton's third law say?"]


async def test_a_shorter_new_answer_leaves_nothing_of_the_longer_old_one(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    await board.post(ada.message("/help", key="1"))
    before = await board.until(lambda texts: len(texts) > 1)
    assert len(before) > 1
    await board.post(ada.message("When does the office open?", key="1/edited/2", revises="1"))
    texts = await board.until(lambda texts: len(texts) == 1)
    assert "8 in the morning" in texts[0]


async def test_a_question_edited_too_late_keeps_its_answer(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    asked = datetime.now(UTC) - timedelta(minutes=2)
    await board.post(ada.message("Where do visitors park?", key="1", received_at=asked))
    await board.post(ada.message("When does the office open?", key="1/edited/2", revises="1"))
    assert await ended(settings, "1/edited/2") == "ignored"
    assert "north side" in board.texts[0]


async def test_the_answer_to_a_deleted_question_is_withdrawn_and_forgotten(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    await board.post(ada.message("Where do visitors park?", key="1"))
    await board.until(lambda texts: texts)
    await board.post(ada.message("", key="1/deleted", command="withdraw", revises="1"))
    await board.until(lambda texts: not texts)
    assert await ended(settings, "1/deleted") == "done"
    assert await _kept(settings) == ([], 0)


async def test_a_question_deleted_before_its_turn_is_not_answered(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    for number in range(5):
        await board.post(ada.message("Where do visitors park?", key=str(number)))
    await board.post(ada.message("When does the office open?", key="last"))
    await board.post(ada.message("", key="last/deleted", command="withdraw", revises="last"))
    await ended(settings, "last/deleted")
    assert not any("8 in the morning" in text for text in board.texts)
    assert len(board.texts) == 5


async def test_other_questions_of_the_conversation_stay_when_one_is_deleted(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    await board.post(ada.message("Where do visitors park?", key="1"))
    await board.post(ada.message("When does the office open?", key="2"))
    await board.post(ada.message("", key="1/deleted", command="withdraw", revises="1"))
    await ended(settings, "1/deleted")
    assert await _kept(settings) == (["When does the office open?"], 1)


async def test_a_deletion_whose_author_is_unknown_finds_the_answer_all_the_same(
    board: Noticeboard, ada: Conversation
) -> None:
    await board.post(ada.message("Where do visitors park?", key="1"))
    await board.until(lambda texts: texts)
    stranger = ada.other(author=Author(""))
    await board.post(stranger.message("", key="1/deleted", command="withdraw", revises="1"))
    await board.until(lambda texts: not texts)


async def test_of_two_edits_at_once_the_later_one_holds(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    for number in range(10):
        await board.post(ada.message("Where do visitors park?", key=f"{number}"))
        edits = ("When does the office open?", "What does Newton's third law say?")
        both = [ada.message(text, key=f"{number}/edited/{text}", revises=f"{number}") for text in edits]
        await asyncio.gather(*(board.post(message) for message in both))
        await ended(settings, both[0].key)
        assert await ended(settings, both[1].key) == "answered"
        assert "equal and opposite" in board.standing[f"memory/{number}#reply/0"].text


async def test_the_edited_form_of_a_question_that_is_deleted_by_then_is_not_answered(settings: Settings) -> None:
    board = _Busy()
    ada = Conversation(board)
    async with Application(settings).running([board]):
        await board.post(ada.message("Where do visitors park?", key="1"))
        await board.busy.wait()
        await board.post(ada.message("When does the office open?", key="1/edited/2", revises="1"))
        await board.post(ada.message("", key="1/deleted", command="withdraw", revises="1"))
        board.free.set()
        assert await ended(settings, "1/edited/2") == "withdrawn"
        await board.until(lambda texts: not texts)


class _Busy(Noticeboard):
    """A platform that takes its time over the first message."""

    def __init__(self) -> None:
        super().__init__()
        self.busy, self.free = asyncio.Event(), asyncio.Event()

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        self.busy.set()
        await self.free.wait()
        return await super().send(place, reply, idempotency_key)


async def test_an_answer_is_withdrawn_although_the_platform_fails_at_first(settings: Settings) -> None:
    board = _Reluctant()
    ada = Conversation(board)
    async with Application(settings).running([board]):
        await board.post(ada.message("Where do visitors park?", key="1"))
        await board.until(lambda texts: texts)
        await board.post(ada.message("", key="1/deleted", command="withdraw", revises="1"))
        assert await ended(settings, "1/deleted") == "done"
    assert board.texts == []


class _Reluctant(Noticeboard):
    """A platform that takes nothing back at the first try."""

    refusals = 1

    async def delete(self, place: Place, sent_id: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("the platform hung up")
        await super().delete(place, sent_id)


async def test_where_everybody_saw_an_answer_nothing_private_takes_its_place(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    await board.post(ada.message("Where do visitors park?", key="1"))
    (public,) = await board.until(lambda texts: texts)
    await board.post(ada.message("/history", key="1/edited/2", revises="1"))
    assert await ended(settings, "1/edited/2") == "done"
    assert "memory/1#reply/0" not in board.standing
    assert all(reply.ephemeral and reply.text != public for reply in board.standing.values())


async def test_what_was_never_asked_cannot_be_withdrawn(
    board: Noticeboard, ada: Conversation, settings: Settings
) -> None:
    await board.post(ada.message("", key="9/deleted", command="withdraw", revises="9"))
    assert await ended(settings, "9/deleted") == "ignored"


async def test_nobody_withdraws_by_typing_it(board: Noticeboard, ada: Conversation) -> None:
    await board.post(ada.message("/withdraw", key="1"))
    texts = await board.until(lambda texts: texts)
    assert "no command /withdraw" in texts[0]
