"""What an earlier run left: finished once and in order, whatever the platform tells meanwhile."""

from datetime import UTC, datetime, timedelta

from noticeboard import Noticeboard, ended

from bot.adapter import Accept
from bot.application import Application
from bot.database import Database
from bot.delivery import Delivery, Part, idempotency_key
from bot.errors import RateLimitedError
from bot.messages import IncomingMessage, Reply
from bot.settings import Settings
from tests.conftest import Conversation


class Redelivering(Noticeboard):
    """A platform that hands messages in before the bot is ready."""

    def __init__(self, *messages: IncomingMessage) -> None:
        super().__init__()
        self._messages = messages

    async def start(self, accept: Accept) -> None:
        await super().start(accept)
        for message in self._messages:
            await accept(message)


async def _left(settings: Settings, *messages: IncomingMessage) -> None:
    """Have an earlier run accept messages and end before it answers them."""
    async with Application(settings).running([Noticeboard()]):
        pass
    database = Database(settings.database_file)
    await database.open()
    for message in messages:
        await Delivery(database).accept(message)
    await database.close()


def _ada() -> Conversation:
    return Conversation(Noticeboard())


async def test_what_was_left_open_is_answered_although_the_platform_brings_it_again(settings: Settings) -> None:
    message = _ada().message("Where do visitors park?", key="1")
    await _left(settings, message)
    board = Redelivering(message)
    async with Application(settings).running([board]):
        await board.until(lambda texts: texts)
        assert await ended(settings, "1") == "answered"
    assert board.sent == ["memory/1#reply/0"]


async def test_what_was_left_open_comes_before_what_is_new(settings: Settings) -> None:
    await _left(settings, _ada().message("Where do visitors park?", key="1"))
    board = Redelivering(_ada().message("When does the office open?", key="2"))
    async with Application(settings).running([board]):
        await board.until(lambda texts: len(texts) == 2)
    assert board.sent == ["memory/1#reply/0", "memory/2#reply/0"]


async def test_what_was_left_open_is_not_answered_when_it_is_deleted_meanwhile(settings: Settings) -> None:
    await _left(settings, _ada().message("Where do visitors park?", key="1"))
    board = Redelivering(_ada().message("", key="1/deleted", command="withdraw", revises="1"))
    async with Application(settings).running([board]):
        assert await ended(settings, "1/deleted") == "done"
    assert board.sent == []


async def test_a_deleted_question_whose_answer_could_not_be_delivered_is_not_answered_later(settings: Settings) -> None:
    board = Noticeboard()
    board.failing = [RateLimitedError(1_000)]
    async with Application(settings).running([board]):
        await board.post(_ada().message("Where do visitors park?", key="1"))
        await board.post(_ada().message("", key="1/deleted", command="withdraw", revises="1"))
        await ended(settings, "1/deleted")
        assert await ended(settings, "1") == "superseded"
    async with Application(settings).running([board]):
        pass
    assert board.sent == []


async def test_an_edited_question_whose_first_answers_could_not_be_delivered_has_one_answer(settings: Settings) -> None:
    board = Noticeboard()
    board.failing = [RateLimitedError(1_000)] * 2
    async with Application(settings).running([board]):
        await board.post(_ada().message("Where do visitors park?", key="1"))
        await board.post(_ada().message("When does the office open?", key="1/edited/2", revises="1"))
        await board.post(_ada().message("What is Newton's third law?", key="1/edited/3", revises="1"))
        assert await ended(settings, "1/edited/3") == "answered"
    async with Application(settings).running([board]):
        await board.post(_ada().message("/help", key="2"))
        assert await ended(settings, "2") == "done"
    assert "equal and opposite" in board.texts[0]
    assert [key for key in board.sent if key.startswith("memory/1")] == ["memory/1/edited/3#reply/0"]


async def test_what_had_grown_beyond_the_answers_final_form_is_taken_down(settings: Settings) -> None:
    message = _ada().message("Where do visitors park?", key="1", streaming=True)
    await _left(settings, message)
    database = Database(settings.database_file)
    await database.open()
    delivery, keys = Delivery(database), [idempotency_key(message, number) for number in (0, 1)]
    for number, key in enumerate(keys):
        await delivery.begin(message, number)
        await delivery.stands(key, key, final=False)
    final = Part(keys[0], Reply("That took too long.", outcome="failed"), keys[0])
    await database.write(delivery.putting_out(message, [final]))
    await database.close()
    board = Noticeboard()
    board.standing = {key: Reply("Visitors …", complete=False) for key in keys}
    async with Application(settings).running([board]):
        assert await ended(settings, "1") == "failed"
    assert board.texts == ["That took too long."]


async def test_a_question_of_long_ago_is_closed_with_an_apology(settings: Settings) -> None:
    asked = datetime.now(UTC) - timedelta(days=2)
    await _left(settings, _ada().message("Where do visitors park?", key="1", received_at=asked))
    board = Noticeboard()
    async with Application(settings).running([board]):
        assert await ended(settings, "1") == "failed"
    assert "please ask again" in board.texts[0]
    assert len(board.sent) == 1


async def test_how_old_a_question_may_be_that_is_still_answered_is_a_setting(settings: Settings) -> None:
    asked = datetime.now(UTC) - timedelta(days=2)
    await _left(settings, _ada().message("Where do visitors park?", key="1", received_at=asked))
    delivery = settings.delivery.model_copy(update={"finish_hours": 72.0})
    async with Application(settings.model_copy(update={"delivery": delivery})).running([Noticeboard()]):
        assert await ended(settings, "1") == "answered"


async def test_a_question_that_comes_in_is_answered_whatever_the_clock_of_its_platform_says(settings: Settings) -> None:
    board = Noticeboard()
    async with Application(settings).running([board]):
        asked = datetime.now(UTC) - timedelta(days=2)
        await board.post(_ada().message("Where do visitors park?", key="1", received_at=asked))
        assert await ended(settings, "1") == "answered"
