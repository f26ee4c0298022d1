"""Replies on their way: several parts, each once, whatever the platform does in between."""

import asyncio

from noticeboard import Noticeboard, ended

from bot.adapter import Limits
from bot.application import Application
from bot.errors import DeliveryRefusedError, RateLimitedError
from bot.settings import Settings
from tests.conftest import Conversation


async def test_a_long_reply_goes_out_in_parts_each_once(settings: Settings) -> None:
    board = Noticeboard()
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message("/help", key="1"))
        assert await ended(settings, "1") == "done"
    assert len(board.texts) >= 2
    assert board.sent == [f"memory/1#reply/{number}" for number in range(len(board.texts))]


async def test_a_part_that_was_taken_although_the_platform_hung_up_is_not_sent_twice(settings: Settings) -> None:
    board = Noticeboard()
    board.loses_receipts = 1
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message("/help", key="1"))
        assert await ended(settings, "1") == "done"
    assert len(board.sent) == len(set(board.sent)) == len(board.texts)


async def test_a_reply_that_the_platform_refuses_is_given_up(settings: Settings) -> None:
    board = Noticeboard()
    board.failing = [DeliveryRefusedError("I may not write there.")]
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        assert await ended(settings, "1") == "undelivered"
    async with Application(settings).running([board]):
        pass
    assert board.texts == []


async def test_a_platform_that_wants_to_be_left_alone_is_left_alone_that_long(settings: Settings) -> None:
    board = Noticeboard()
    board.failing = [RateLimitedError(0.3), RateLimitedError(0.1)]
    async with Application(settings).running([board]):
        started = asyncio.get_running_loop().time()
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        await board.until(lambda texts: texts)
    assert asyncio.get_running_loop().time() - started >= 0.4
    assert len(board.sent) == 1


async def test_after_a_restart_a_reply_goes_on_with_the_part_that_is_missing(settings: Settings) -> None:
    broken = Noticeboard()
    async with Application(settings).running([broken]):
        broken.failing = []
        broken.loses_receipts = 1
        broken.find = _unreachable  # type: ignore[method-assign]
        await broken.post(Conversation(broken).message("/help", key="1"))
        await broken.until(lambda texts: texts)
        await asyncio.sleep(0)
    board = Noticeboard()
    board.standing, board.sent = dict(broken.standing), list(broken.sent)
    async with Application(settings).running([board]):
        assert await ended(settings, "1") == "done"
    assert len(board.sent) == len(set(board.sent)) == len(board.texts) >= 2


async def _unreachable(*arguments: object) -> str:
    raise ConnectionError("nobody answers")


async def test_a_growing_answer_that_a_crash_cut_short_is_completed_in_place(settings: Settings) -> None:
    question = "What do Newton's first, second and third law say?"
    broken = Noticeboard()
    async with Application(settings).running([broken]):
        await broken.post(Conversation(broken).message(question, key="1", streaming=True))
        await broken.until(lambda texts: texts)
        broken.failing = [ConnectionError("gone")] * 20
    board = Noticeboard()
    board.standing, board.sent = dict(broken.standing), list(broken.sent)
    async with Application(settings).running([board]):
        assert await ended(settings, "1") == "answered"
    assert all(reply.complete for reply in board.standing.values())
    assert len(board.sent) == len(set(board.sent)) == len(board.texts)


async def test_answers_carry_the_buttons_that_judge_them_and_errors_do_not(settings: Settings) -> None:
    board = Noticeboard(Limits(buttons=True))
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        await board.until(lambda texts: texts)
        await board.post(Conversation(board).message("?!", key="2"))
        await board.until(lambda texts: len(texts) == 2)
    judged, refused = board.standing.values()
    assert [button.label for button in judged.buttons] == ["👍", "👎"]
    assert refused.buttons == ()
