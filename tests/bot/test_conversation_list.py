"""The list of conversations: whose they are, in which order, what they are called, and how they are found."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

import pytest
from kept_questions import KeptQuestions, Person
from sqlalchemy import Connection, insert

from bot.conversation_list import ConversationList, Entry
from bot.errors import ConversationNotFoundError, QuestionError
from bot.messages import Place
from bot.tables import conversations, messages, people, places, workspaces

ADA, GRACE = Person("ada", Place("http")), Person("grace", Place("http"))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def listed(kept: KeptQuestions) -> ConversationList:
    return ConversationList(kept.database)


async def asked(kept: KeptQuestions, person: Person, *questions: str, at: int = 0) -> str:
    """Have somebody ask in a conversation of its own, `at` minutes after the start; give its id."""
    name = uuid.uuid4().hex
    for number, question in enumerate(questions):
        message = person.message(question, received_at=START + timedelta(minutes=at, seconds=number))
        await kept.answered(message, f"About {question}", conversation_id=name)
    return name


async def titles(listed: ConversationList, person: Person, search: str = "") -> list[str]:
    return [entry.title for entry in (await listed.page(person.message(), search, 50, "")).entries]


async def test_the_newest_comes_first_and_only_ones_own(kept: KeptQuestions, listed: ConversationList) -> None:
    first = await asked(kept, ADA, "What is light?", "And heat?", at=1)
    await asked(kept, ADA, "What is mass?", at=3)
    await asked(kept, GRACE, "What is time?", at=2)
    await asked(kept, ADA.elsewhere(Place("discord", "1", "2")), "What is sound?", at=4)
    page = await listed.page(ADA.message(), "", 50, "")
    assert [entry.title for entry in page.entries] == ["What is mass?", "What is light?"]
    assert page.next == ""
    assert page.entries[1] == Entry(
        first, "What is light?", START + timedelta(minutes=1), START + timedelta(minutes=1, seconds=1), 4
    )


async def test_pages_follow_each_other_without_gap_or_repetition(kept: KeptQuestions, listed: ConversationList) -> None:
    # Some of the same moment: those have an order, too.
    expected = {await asked(kept, ADA, f"Question {number}?", at=number // 3) for number in range(11)}
    seen, before = [], ""
    while page := await listed.page(ADA.message(), "", 2, before):
        seen += page.entries
        if not (before := page.next):
            break
    assert len(seen) == 11
    assert {entry.id for entry in seen} == expected
    assert [entry.last_at for entry in seen] == sorted((entry.last_at for entry in seen), reverse=True)


@pytest.mark.parametrize("before", ["1", "x-y", "1-", "-1-a", "999999999999999999-a", "1-a' OR 1=1", "٣-a", "0" * 30])
async def test_what_is_no_place_in_the_list_is_refused(listed: ConversationList, before: str) -> None:
    with pytest.raises(QuestionError, match="no place in the list"):
        await listed.page(ADA.message(), "", 5, before)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("LIGHT", ["What is light?"]),
        ("about what is", ["Größe und Ähre?", "What is light?"]),
        ("GRÖSSE", []),
        ("größe", ["Größe und Ähre?"]),
        ("ähre", ["Größe und Ähre?"]),
        ("ПРИВЕТ", ["Привет"]),
        ("привет", ["Привет"]),
        ("100%", ["100% of a_b"]),
        ("%", ["100% of a_b"]),
        ("a_b", ["100% of a_b"]),
        ("aXb", []),
        ("/", []),
        ("' OR 1=1 --", []),
        ("🚀", []),
    ],
)
async def test_conversations_are_found_by_what_was_said(
    kept: KeptQuestions, listed: ConversationList, search: str, found: list[str]
) -> None:
    await asked(kept, ADA, "What is light?")
    await asked(kept, ADA, "Größe und Ähre?", "What is more?", at=1)
    await asked(kept, ADA, "100% of a_b", at=2)
    await asked(kept, ADA, "Привет", at=3)
    await asked(kept, GRACE, f"Of Grace alone: {search}", at=4)
    assert await titles(listed, ADA, search) == found


async def test_a_long_first_question_is_shortened(kept: KeptQuestions, listed: ConversationList) -> None:
    await asked(kept, ADA, "Why\n" + "is the sky blue " * 20)
    (title,) = await titles(listed, ADA)
    assert title.startswith("Why is the sky blue is")
    assert title.endswith(" …")
    assert len(title) <= 80


async def test_a_title_takes_the_place_of_the_first_question_and_is_found(
    kept: KeptQuestions, listed: ConversationList
) -> None:
    name = await asked(kept, ADA, "What is light?")
    assert (await listed.rename(ADA.message(), name, "  About\n optics ")).title == "About optics"
    assert await titles(listed, ADA, "OPTICS") == ["About optics"]
    assert (await listed.rename(ADA.message(), name, " ")).title == "What is light?"


async def test_going_on_with_a_conversation_keeps_its_title(kept: KeptQuestions, listed: ConversationList) -> None:
    name = await asked(kept, ADA, "What is light?")
    await listed.rename(ADA.message(), name, "Optics")
    await kept.answered(ADA.message("And heat?", conversation_id=name))
    assert await titles(listed, ADA) == ["Optics"]


async def test_nobody_renames_what_is_not_theirs(kept: KeptQuestions, listed: ConversationList) -> None:
    name = await asked(kept, ADA, "What is light?")
    for person, wanted in ((GRACE, name), (ADA, "0" * 32)):
        with pytest.raises(ConversationNotFoundError):
            await listed.rename(person.message(), wanted, "Mine")
    with pytest.raises(QuestionError, match="120 characters"):
        await listed.rename(ADA.message(), name, "x" * 121)
    assert await titles(listed, ADA) == ["What is light?"]


async def test_forgetting_takes_the_titles_along(kept: KeptQuestions, listed: ConversationList) -> None:
    name = await asked(kept, ADA, "What is light?")
    await listed.rename(ADA.message(), name, "Optics")
    await kept.forgetting.person("http:ada")
    assert await titles(listed, ADA) == []


def _write_many(connection: Connection, number: int) -> None:
    """Write conversations of Ada's, and half as many of Grace's, with four messages each."""
    connection.execute(insert(workspaces), {"id": "http/", "platform": "http", "external_id": ""})
    connection.execute(insert(places), {"id": "http///", "workspace_id": "http/", "channel": "", "thread": ""})
    names = ("ada", "grace")
    connection.execute(
        insert(people), [{"id": f"http:{name}", "platform": "http", "external_id": name, "name": ""} for name in names]
    )
    rows = [
        {
            "id": uuid.uuid4().hex,
            "place_id": "http///",
            "person_id": "http:ada" if i % 3 else "http:grace",
            "started_at": START,
            "last_at": START + timedelta(seconds=i),
        }
        for i in range(number + number // 2)
    ]
    connection.execute(insert(conversations), rows)
    said = [
        {
            "id": 4 * i + j,
            "conversation_id": row["id"],
            "role": "question" if j % 2 == 0 else "answer",
            "text": f"Something about the number {i} and whatever else was said of it, {j}. " * (1 + j % 2 * 4),
            "at": START,
        }
        for i, row in enumerate(rows)
        for j in range(4)
    ]
    connection.execute(insert(messages), said)


async def test_ten_thousand_conversations_are_listed_in_no_time(kept: KeptQuestions, listed: ConversationList) -> None:
    await kept.database.transact(partial(_write_many, number=10_000))
    found = {"": 50, "number 14999 ": 1, "nowhere to be found": 0, "nirgends, überhaupt nicht": 0}
    took = {search: await _seconds(listed, search, number) for search, number in found.items()}
    assert took[""] < 0.1, took
    assert max(took.values()) < 2.0, took


async def _seconds(listed: ConversationList, search: str, number: int) -> float:
    """Give how long a page of so many entries takes, as the median of five tries."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        page = await listed.page(ADA.message(), search, 50, "")
        times.append(time.perf_counter() - started)
        assert len(page.entries) == number
    return median(times)
