"""The whole road, through the in-memory adapter: asked, answered with sources, kept, never twice."""

import asyncio
import itertools
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.database import Database
from bot.errors import OverloadedError, StoppingError
from bot.messages import Author, Place, Reply
from bot.settings import Settings
from tests.conftest import Conversation


async def _rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    database = Database(settings.database_file)
    rows = await database.read(lambda connection: [tuple(row) for row in connection.execute(text(query))])
    await database.close()
    return rows


async def test_a_question_is_answered_with_its_source(ada: Conversation) -> None:
    reply = await ada.say("When does the office open?")
    assert reply.outcome == "answered"
    assert "8 in the morning" in reply.text
    assert "[1]" in reply.text
    assert reply.citations[0].title == "Office handbook › Opening hours"
    assert reply.citations[0].source.endswith("handbook.md")
    assert reply.citations[0].location
    assert reply.generator == "extractive"
    assert 0 < reply.confidence <= 1


async def test_a_question_outside_the_knowledge_base_is_declined_kindly(ada: Conversation) -> None:
    reply = await ada.say("Who won the chess championship in Reykjavik?")
    assert reply.outcome == "declined"
    assert reply.text.startswith("Sorry, I don't know")
    assert reply.citations == ()


async def test_a_decline_offers_the_nearest_titles(application: Application, settings: Settings) -> None:
    strict = Application(
        settings.model_copy(update={"answers": settings.answers.model_copy(update={"threshold": 1.0})})
    )
    adapter = InMemoryAdapter()
    async with strict.running([adapter]):
        reply = await Conversation(adapter).say("Where do visitors park?")
    assert reply.outcome == "declined"
    assert "Did you mean" in reply.text
    assert "Office handbook › Parking" in [button.text for button in reply.buttons]


async def test_a_follow_up_is_understood_from_the_conversation(ada: Conversation) -> None:
    first = await ada.say("What is Newton's first law?")
    assert "at rest" in first.text
    second = await ada.say("and the third one?")
    assert second.outcome == "answered"
    assert "equal and opposite" in second.text
    assert second.conversation_id == first.conversation_id


async def test_two_people_in_one_channel_do_not_share_a_conversation(ada: Conversation) -> None:
    first = await ada.say("What is Newton's first law?")
    grace = ada.other(author=Author("grace", "Grace"))
    second = await grace.say("What is Newton's second law?")
    assert second.conversation_id != first.conversation_id


async def test_one_person_in_two_channels_has_two_conversations(ada: Conversation) -> None:
    first = await ada.say("What is Newton's first law?")
    second = await ada.other(place=Place("memory", "lab", "random")).say("What is Newton's second law?")
    assert second.conversation_id != first.conversation_id


async def test_what_was_said_is_kept_with_its_citations(ada: Conversation, settings: Settings) -> None:
    reply = await ada.say("When does the office open?")
    assert await _rows(settings, "SELECT role, text, outcome, generator FROM messages ORDER BY id") == [
        ("question", "When does the office open?", None, None),
        ("answer", reply.text, "answered", "extractive"),
    ]
    assert await _rows(settings, "SELECT number, title FROM citations") == [(1, "Office handbook › Opening hours")]
    assert await _rows(settings, "SELECT id, name FROM people") == [("memory:ada", "Ada")]
    assert await _rows(settings, "SELECT id FROM places") == [("memory/lab/general/",)]
    assert await _rows(settings, "SELECT confidence > 0, elapsed_ms > 0 FROM messages WHERE role = 'answer'") == [
        (1, 1)
    ]


async def test_the_same_event_again_changes_nothing(ada: Conversation, settings: Settings) -> None:
    message = ada.message("When does the office open?", key="event-1")
    await (await ada.adapter.post(message)).complete()
    silent = await ada.adapter.post(message)
    await ada.say("When does it close on Fridays?")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(silent.next(), 0.05)
    assert await _rows(settings, "SELECT count(*) FROM messages WHERE role = 'question'") == [(2,)]


async def test_answered_messages_leave_no_text_in_inbox_and_outbox(ada: Conversation, settings: Settings) -> None:
    await ada.say("When does the office open?")
    await ada.adapter.stop()
    for _ in range(100):
        if await _rows(settings, "SELECT is_open FROM inbox") == [(0,)]:
            break
    assert await _rows(settings, "SELECT payload, is_open, outcome FROM inbox") == [(None, 0, "answered")]
    assert await _rows(settings, "SELECT payload, is_sent FROM outbox") == [(None, 1)]


async def test_a_conversation_is_answered_in_order(ada: Conversation) -> None:
    topics = ["first", "second", "third"] * 4
    exchanges = [await ada.adapter.post(ada.message(f"What is Newton's {topic} law?")) for topic in topics]
    replies = [await exchange.complete() for exchange in exchanges]
    said = await ada.say("/history")
    asked = [one["text"] for one in said.data["messages"] if one["role"] == "question"]
    assert asked == [f"What is Newton's {topic} law?" for topic in topics]
    assert len({reply.conversation_id for reply in replies}) == 1


async def test_an_answer_streams_and_ends_complete(ada: Conversation) -> None:
    exchange = await ada.adapter.post(ada.message("What is Newton's first law?", streaming=True))
    states: list[Reply] = []
    while not (states and states[-1].complete):
        states.append(await exchange.next())
    assert len(states) > 1
    for before, after in itertools.pairwise(states):
        assert after.text.startswith(before.text)
    assert states[-1].citations


async def test_beyond_the_queue_the_asker_is_told_at_once(settings: Settings) -> None:
    small = settings.model_copy(update={"dispatch": settings.dispatch.model_copy(update={"queue": 2})})
    application = Application(small)
    adapter = InMemoryAdapter()
    application.dispatcher.connect({"memory": adapter})
    async with application.running([adapter]):
        talk = Conversation(adapter)
        messages = [talk.message("When does the office open?") for _ in range(30)]
        results = await asyncio.gather(*(adapter.post(message) for message in messages), return_exceptions=True)
        refused = [result for result in results if isinstance(result, OverloadedError)]
        for result in results:
            if not isinstance(result, BaseException):
                await result.complete()
    assert refused
    assert "are waiting before yours" in str(refused[0])


async def test_beyond_what_may_wait_in_a_channel_its_askers_are_told_and_others_are_not_refused(
    settings: Settings,
) -> None:
    small = settings.model_copy(update={"dispatch": settings.dispatch.model_copy(update={"channel_queue": 2})})
    adapter = InMemoryAdapter()
    async with Application(small).running([adapter]):
        talk = Conversation(adapter)
        other = talk.other(place=Place("memory", "lab", "random"))
        messages = [one.message("When does the office open?") for one in (*[talk] * 5, other)]
        results = await asyncio.gather(*(adapter.post(message) for message in messages), return_exceptions=True)
        for result in results:
            if not isinstance(result, BaseException):
                await result.complete()
    refused = [str(result) for result in results if isinstance(result, OverloadedError)]
    assert refused == ["2 messages of this channel are waiting before yours. Try again in a minute."] * 3
    assert not isinstance(results[-1], BaseException)


async def test_an_answer_is_shared_once_however_often_the_button_is_pressed(ada: Conversation) -> None:
    answer = await ada.say("When does the office open?")
    presses = [await ada.say(str(answer.answer_id), command="share") for _ in range(2)]
    assert "**Ada** asked: When does the office open?" in presses[0].text
    assert (presses[1].text, presses[1].ephemeral) == ("That answer is shared already.", True)


_KILLED = """
import asyncio, os, signal, sys
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.settings import Settings
from tests.conftest import Conversation

async def main():
    adapter = InMemoryAdapter(Limits(reaches_later=True))
    async with Application(Settings.model_validate_json(sys.argv[1])).running([adapter]):
        await adapter.post(Conversation(adapter).message("When does the office open?", key="event-1"))
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_message_accepted_before_a_crash_is_answered_once_after_the_next_start(settings: Settings) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _KILLED, settings.model_dump_json()]
    killed = await asyncio.to_thread(subprocess.run, command, cwd=root, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    again = _Recording()
    async with Application(settings).running([again]):
        reply = await asyncio.wait_for(again.sent.get(), 10)
    assert reply.in_reply_to == "event-1"
    assert "8 in the morning" in reply.text
    third = _Recording()
    async with Application(settings).running([third]):
        pass
    assert third.sent.empty()


async def test_nothing_is_accepted_while_stopping(application: Application) -> None:
    adapter = InMemoryAdapter()
    async with application.running([adapter]):
        await application.dispatcher.drain()
        with pytest.raises(StoppingError, match="Ask again in a moment"):
            await adapter.post(Conversation(adapter).message("When does the office open?"))


class _Recording(InMemoryAdapter):
    """Keeps what is sent to people who are reached later."""

    def __init__(self) -> None:
        super().__init__(Limits(reaches_later=True))
        self.sent: asyncio.Queue[Reply] = asyncio.Queue()

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        self.sent.put_nowait(reply)
        return idempotency_key


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("", "question_empty"),
        ("   \n\t ", "question_empty"),
        ("?!… —", "question_empty"),
        ("🤷🏽‍♀️ 🔥", "question_empty"),
        ("\x00\x07\x1b", "question_empty"),
        ("why " * 25_000, "question_too_long"),
    ],
)
async def test_what_is_no_question_is_refused_with_a_sentence(ada: Conversation, question: str, code: str) -> None:
    reply = await ada.say(question)
    assert (reply.outcome, reply.error) == ("refused", code)
    assert reply.text.endswith((".", "?"))
    assert not reply.conversation_id


@pytest.mark.parametrize(
    "question",
    [
        "متى يفتح المكتب؟ office open",
        "\u202ewhen does the office open\u202c",
        "When does the \ud800office\udfff open?",
        "When does\x00 the office\x1b[31m open?",
        "**When** does the <script>alert(1)</script> office [open](javascript:alert(1))?",
        "'; DROP TABLE messages; -- when does the office open",
        "{question} %s ${office} open {{7*7}}",
    ],
)
async def test_hostile_questions_are_data(ada: Conversation, settings: Settings, question: str) -> None:
    reply = await ada.say(question)
    assert reply.outcome in ("answered", "declined")
    kept = await _rows(settings, "SELECT text FROM messages WHERE role = 'question'")
    assert kept == [(reply.question,)]
    assert "\x1b" not in reply.question


async def test_markup_in_a_passage_is_quoted_as_it_stands_and_never_run(settings: Settings, handbook: Path) -> None:
    (handbook / "trap.md").write_text(
        "# Badge\n\nThe badge printer <script>alert(1)</script> stands in room {room} and prints %s badges. "
        "It is [here](https://example.org/badges).\n"
    )
    adapter = InMemoryAdapter()
    async with Application(settings).running([adapter]):
        reply = await Conversation(adapter).say("Where does the badge printer stand?")
    assert "room {room} and prints %s badges" in reply.text


async def test_when_the_answer_cannot_be_kept_the_asker_is_told(settings: Settings) -> None:
    import sqlite3

    quick = settings.model_copy(update={"database": settings.database.model_copy(update={"busy_seconds": 0.05})})
    adapter = _LockedAfterAccept(quick.database_file)
    async with Application(quick).running([adapter]):
        exchange = await adapter.post(Conversation(adapter).message("When does the office open?"))
        reply = await asyncio.wait_for(exchange.complete(), 20)
        adapter.unlock()
    assert isinstance(adapter.lock, sqlite3.Connection)
    assert (reply.outcome, reply.error) == ("failed", "storage_busy")


class _LockedAfterAccept(InMemoryAdapter):
    """Another process takes the database's lock once a message is accepted."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self.lock: object = None

    async def start(self, accept: object) -> None:
        import sqlite3

        async def _accept_and_lock(message: object) -> object:
            receipt = await accept(message)  # type: ignore[operator]
            self.lock = sqlite3.connect(self._file, isolation_level=None)
            self.lock.execute("BEGIN IMMEDIATE")
            return receipt

        await super().start(_accept_and_lock)  # type: ignore[arg-type]

    def unlock(self) -> None:
        self.lock.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["@Bob when does the office open?", "When does the office open, @grace.hopper?"])
async def test_people_who_are_named_in_a_question_do_not_hide_its_answer(ada: Conversation, text: str) -> None:
    assert "8 in the morning" in (await ada.say(text)).text
