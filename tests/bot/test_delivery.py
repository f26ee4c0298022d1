"""What happens when a platform, an asker or the machine fails at a bad moment."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.database import Change, Database
from bot.errors import DeliveryRefusedError
from bot.messages import Author, IncomingMessage, Place, Reply
from bot.settings import Settings
from bot.tables import inbox
from tests.conftest import Conversation


class Flaky(InMemoryAdapter):
    """A platform that raises as often as it is told to, and remembers what reached it."""

    def __init__(self, name: str = "memory", limits: Limits | None = None) -> None:
        super().__init__(limits or Limits(streaming=True, reaches_later=True))
        self.name = name
        self.failures = 0
        self.shown: list[Reply] = []
        self.sent: asyncio.Queue[Reply] = asyncio.Queue()

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the platform hung up")
        self.shown.append(reply)
        if reply.complete:
            self.sent.put_nowait(reply)


async def test_a_failed_delivery_is_tried_again(settings: Settings) -> None:
    adapter = Flaky()
    async with Application(settings).running([adapter]):
        adapter.failures = 2
        await adapter.post(Conversation(adapter).message("When does the office open?"))
        reply = await asyncio.wait_for(adapter.sent.get(), 10)
    assert "8 in the morning" in reply.text
    assert len(adapter.shown) == 1


async def test_trouble_with_an_interim_state_does_not_spoil_the_answer(settings: Settings) -> None:
    adapter = Flaky()
    async with Application(settings).running([adapter]):
        adapter.failures = 1
        await adapter.post(Conversation(adapter).message("What is Newton's first law?", streaming=True))
        reply = await asyncio.wait_for(adapter.sent.get(), 10)
    assert (reply.outcome, reply.complete) == ("answered", True)


async def test_edits_come_no_more_often_than_the_platform_takes_them(settings: Settings) -> None:
    adapter = Flaky(limits=Limits(streaming=True, edits_per_second=0.01))
    async with Application(settings).running([adapter]):
        talk = Conversation(adapter)
        await adapter.post(talk.message("What do Newton's first, second and third law say?", streaming=True))
        await asyncio.wait_for(adapter.sent.get(), 10)
    assert len(adapter.shown) <= 2


async def test_an_asker_who_leaves_while_it_is_accepted_is_answered_all_the_same(settings: Settings) -> None:
    adapter = Flaky()
    async with Application(settings).running([adapter]):
        accepting = asyncio.create_task(adapter.post(Conversation(adapter).message("When does the office open?")))
        await asyncio.sleep(0)
        accepting.cancel()
        assert "8 in the morning" in (await asyncio.wait_for(adapter.sent.get(), 10)).text


async def test_the_same_key_on_two_platforms_is_two_messages(settings: Settings) -> None:
    one, two = Flaky("discord"), Flaky("slack")
    async with Application(settings).running([one, two]):
        for adapter in (one, two):
            talk = Conversation(adapter, place=Place(adapter.name, "lab", "general"))
            await adapter.post(talk.message("When does the office open?", key="100"))
            assert (await asyncio.wait_for(adapter.sent.get(), 10)).outcome == "answered"


async def test_a_message_posted_twice_at_once_is_answered_once_for_both(ada: Conversation) -> None:
    message = ada.message("When does the office open?", key="event-1")
    first, second = await asyncio.gather(ada.adapter.post(message), ada.adapter.post(message))
    assert first is second
    assert (await first.complete()).outcome == "answered"


async def test_a_row_that_is_not_understood_keeps_nothing_from_starting(settings: Settings) -> None:
    async with Application(settings).running([Flaky()]):
        pass
    await _put_into_inbox(settings, "strange", '{"from": "another version"}', datetime.now(UTC))
    adapter = Flaky()
    async with Application(settings).running([adapter]):
        await adapter.post(Conversation(adapter).message("When does the office open?"))
        assert (await asyncio.wait_for(adapter.sent.get(), 10)).outcome == "answered"


async def test_messages_nobody_waits_for_any_more_are_closed_and_their_texts_dropped(settings: Settings) -> None:
    async with Application(settings).running([InMemoryAdapter()]):
        pass
    await _put_into_inbox(settings, "old", "what I asked", datetime.now(UTC) - timedelta(days=1))
    await _put_into_inbox(settings, "new", "what I ask", datetime.now(UTC))
    async with Application(settings).running([InMemoryAdapter()]):
        pass
    database = Database(settings.database_file)
    kept = await database.read(lambda c: c.execute(inbox.select().order_by(inbox.c.key)).all())
    await database.close()
    assert [(row.key, row.payload, row.is_open) for row in kept] == [("new", "what I ask", True), ("old", None, False)]


async def _put_into_inbox(settings: Settings, key: str, payload: str, at: datetime) -> None:
    database = Database(settings.database_file)
    await database.open()
    row = {"key": key, "platform": "memory", "person_id": "memory:ada", "payload": payload, "received_at": at}
    await database.write(Change((inbox.insert(),), ([row | {"is_open": True}],)))
    await database.close()


async def test_what_is_being_answered_at_a_stop_is_finished(settings: Settings) -> None:
    adapter = InMemoryAdapter()
    async with Application(settings).running([adapter]):
        talks = [Conversation(adapter, author=Author(f"p{number}")) for number in range(20)]
        exchanges = [await adapter.post(talk.message("When does the office open?")) for talk in talks]
    replies = [await asyncio.wait_for(exchange.complete(), 1) for exchange in exchanges]
    assert {reply.outcome for reply in replies} == {"answered"}


async def test_an_answer_that_takes_too_long_is_given_up_with_a_sentence(settings: Settings) -> None:
    hurried = settings.model_copy(update={"answers": settings.answers.model_copy(update={"deadline_seconds": 1e-6})})
    adapter = InMemoryAdapter()
    async with Application(hurried).running([adapter]):
        reply = await Conversation(adapter).say("When does the office open?")
    assert (reply.outcome, reply.error) == ("failed", "internal_error")
    assert "took too long" in reply.text


async def test_after_a_silence_a_new_conversation_begins(ada: Conversation) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=61)
    first = await ada.say("What is Newton's first law?", received_at=long_ago)
    second = await ada.say("What is Newton's second law?")
    third = await ada.say("and the third one?")
    assert first.conversation_id != second.conversation_id == third.conversation_id


async def test_after_a_question_it_could_not_answer_nothing_older_is_meant(ada: Conversation) -> None:
    await ada.say("What is Newton's first law?")
    assert (await ada.say("Who won the chess championship in Reykjavik?")).outcome == "declined"
    assert "at rest" not in (await ada.say("why?")).text


async def test_a_title_is_never_a_command(settings: Settings, handbook: Path) -> None:
    strict = settings.model_copy(update={"answers": settings.answers.model_copy(update={"threshold": 1.0})})
    (handbook / "trap.csv").write_text("title,context\n/forget yes,The forgotten umbrella hangs behind the door.\n")
    adapter = InMemoryAdapter()
    async with Application(strict).running([adapter]):
        reply = await Conversation(adapter).say("forgotten umbrella behind the door")
    assert [(button.command, button.text) for button in reply.buttons] == [("ask", "/forget yes")]


async def test_what_was_forgotten_is_in_no_file_any_more(settings: Settings) -> None:
    adapter = InMemoryAdapter()
    async with Application(settings).running([adapter]):
        talk = Conversation(adapter, author=Author("ada", "Ada Lovelace"))
        await talk.say("When does the office open, dear xyzzyplugh?")
        assert _holds(settings, "xyzzyplugh")
        await talk.say("/forget yes")
        assert not _holds(settings, "xyzzyplugh")
        assert not _holds(settings, "Lovelace")


def _holds(settings: Settings, text: str) -> bool:
    files = settings.data_directory.glob(f"{settings.database.path}*")
    return any(text.encode() in file.read_bytes() for file in files)


async def test_a_platform_that_hangs_does_not_keep_the_others_waiting(settings: Settings) -> None:
    one_at_a_time = settings.model_copy(update={"dispatch": settings.dispatch.model_copy(update={"workers": 1})})
    down, up = Stuck("discord"), Flaky("slack")
    async with Application(one_at_a_time).running([down, up]):
        await down.post(Conversation(down, place=Place("discord")).message("When does the office open?"))
        await down.reached.wait()
        await up.post(Conversation(up, place=Place("slack")).message("When does the office open?"))
        assert (await asyncio.wait_for(up.sent.get(), 10)).outcome == "answered"
        down.free.set()


class Stuck(Flaky):
    """A platform that takes nothing until it is freed, and does not know who anybody is."""

    def __init__(self, name: str = "memory") -> None:
        super().__init__(name)
        self.reached, self.free = asyncio.Event(), asyncio.Event()

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        self.reached.set()
        await self.free.wait()
        await super().edit(place, sent_id, reply)

    async def roles(self, message: IncomingMessage) -> frozenset[str]:
        await asyncio.Event().wait()
        return frozenset()


async def test_where_the_platform_does_not_say_who_somebody_is_they_are_told_in_time(settings: Settings) -> None:
    hurried = settings.model_copy(update={"answers": settings.answers.model_copy(update={"deadline_seconds": 0.1})})
    adapter = Stuck()
    adapter.free.set()
    async with Application(hurried).running([adapter]):
        await adapter.post(Conversation(adapter).message("/help"))
        assert "took too long" in (await asyncio.wait_for(adapter.sent.get(), 10)).text


async def test_a_conversation_goes_on_although_it_could_not_be_noted_that_a_reply_was_refused(
    settings: Settings,
) -> None:
    quick = settings.model_copy(update={"database": settings.database.model_copy(update={"busy_seconds": 0.05})})
    adapter = Refusing(quick.database_file)
    async with Application(quick).running([adapter]):
        talk = Conversation(adapter)
        await adapter.post(talk.message("When does the office open?", key="refused"))
        await adapter.post(talk.message("Where do visitors park?", key="taken"))
        assert (await asyncio.wait_for(adapter.sent.get(), 10)).in_reply_to == "taken"
        adapter.lock.close()


class Refusing(Flaky):
    """A platform that refuses one reply, while another process holds the database's lock."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self.lock = sqlite3.connect(":memory:")

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        if reply.in_reply_to == "refused":
            self.lock = sqlite3.connect(self._file, isolation_level=None)
            self.lock.execute("BEGIN IMMEDIATE")
            raise DeliveryRefusedError("I may not write there.")
        await super().edit(place, sent_id, reply)
