"""Replies on their way: several parts, each once, whatever the platform does in between."""

import asyncio

from kept_questions import KeptQuestions, Person
from noticeboard import Noticeboard, ended

from bot.adapter import Limits
from bot.application import Application
from bot.errors import DeliveryRefusedError, RateLimitedError
from bot.messages import IncomingMessage, Place, Reply
from bot.outgoing import Outgoing
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


async def test_a_private_answer_grows_before_its_asker_alone(settings: Settings) -> None:
    board = Witnessed()
    async with Application(settings).running([board]):
        question = Conversation(board).message("What is Newton's first law?", key="1", streaming=True, private=True)
        await board.post(question)
        assert await ended(settings, "1") == "answered"
    assert board.seen_by_all == []


async def test_what_is_for_the_asker_alone_does_not_take_the_place_of_a_placeholder_that_all_see(
    settings: Settings,
) -> None:
    board = Witnessed(Limits(streaming=True, placeholder=True))
    async with Application(_at_once(settings)).running([board]):
        await board.post(Conversation(board).message("/export", key="1", streaming=True))
        assert await ended(settings, "1") == "done"
    assert board.seen_by_all == ["Thinking …"]
    assert [reply.ephemeral for reply in board.standing.values()] == [True]


class Witnessed(Noticeboard):
    """A platform that keeps all that everybody ever saw, and knows people's roles only once something stands."""

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self.seen_by_all: list[str] = []
        self._public: set[str] = set()

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        if not reply.ephemeral:
            self._public.add(idempotency_key)
            self.seen_by_all.append(reply.text)
        return await super().send(place, reply, idempotency_key)

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        if sent_id in self._public:
            self.seen_by_all.append(reply.text)
        await super().edit(place, sent_id, reply)

    async def roles(self, message: IncomingMessage) -> frozenset[str]:
        await self.until(lambda texts: texts)
        return message.author.roles


def _at_once(settings: Settings) -> Settings:
    """Settings under which it is shown at once that an answer is coming, and a stop waits for nobody."""
    answers = settings.answers.model_copy(update={"shown_after_seconds": 0.0})
    dispatch = settings.dispatch.model_copy(update={"shutdown_seconds": 0.1})
    return settings.model_copy(update={"answers": answers, "dispatch": dispatch})


async def test_a_part_that_was_taken_down_is_not_edited_later(kept: KeptQuestions) -> None:
    board, message = Noticeboard(), Person("ada").message("Why?", key="1", streaming=True)
    await kept.delivery.accept(message)
    outgoing = Outgoing(board, kept.delivery, message, 0.0)
    await outgoing.progress(Reply("one\n\ntwo", complete=False))
    assert board.texts == ["one", "two"]
    parts = outgoing.laid_out(Reply("That took too long.", outcome="failed"))
    await kept.database.write(kept.delivery.putting_out(message, parts))
    await kept.delivery.close(message, "failed", await outgoing.complete(parts))
    assert board.texts == ["That took too long."]
    assert await kept.delivery.standing("memory/1") == ["memory/1#reply/0"]


async def test_a_platform_that_does_not_show_how_an_answer_grows_does_not_hold_it_up(kept: KeptQuestions) -> None:
    board, message = Hanging(), Person("ada").message("Why?", key="1", streaming=True)
    await kept.delivery.accept(message)
    outgoing = Outgoing(board, kept.delivery, message, 0.0, show_seconds=0.5)
    async with asyncio.timeout(5):
        for text in ("Because", "Because it", "Because it is"):
            await outgoing.progress(Reply(text, complete=False))
    assert board.tried == 1


async def test_a_stop_does_not_wait_for_a_placeholder_that_hangs(settings: Settings) -> None:
    board = Hanging(Limits(streaming=True, placeholder=True))
    async with asyncio.timeout(20):
        async with Application(_at_once(settings)).running([board]):
            await board.post(Conversation(board).message("/export", key="1", streaming=True))
            await board.reached.wait()


class Hanging(Noticeboard):
    """A platform that never answers."""

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self.tried = 0
        self.reached = asyncio.Event()

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        self.tried += 1
        self.reached.set()
        await asyncio.Event().wait()
        return ""

    async def roles(self, message: IncomingMessage) -> frozenset[str]:
        await asyncio.Event().wait()
        return frozenset()


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


async def test_after_an_outage_the_answer_comes_without_a_restart(settings: Settings) -> None:
    board = Noticeboard()
    hurried = settings.model_copy(update={"dispatch": settings.dispatch.model_copy(update={"retry_seconds": 0.2})})
    async with Application(hurried).running([board]):
        board.failing = [ConnectionError("the platform is down")] * 6
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        await board.post(Conversation(board).message("Where do visitors park?", key="2"))
        async with asyncio.timeout(40):
            assert await ended(hurried, "1") == "answered"
            assert await ended(hurried, "2") == "answered"
    assert len(board.sent) == len(set(board.sent)) == len(board.texts)
