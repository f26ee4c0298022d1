"""The figures by day: what is counted where, and that a full database is counted quickly."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kept_questions import KeptQuestions, Person
from sqlalchemy import insert

from bot import database_file
from bot.daily_statistics import days
from bot.database_engine import make_engine
from bot.feedback import Feedback
from bot.messages import Place
from bot.tables import (
    conversations,
    feedback,
    generation_usage,
    inbox,
    messages,
    people,
    places,
    workspaces,
)

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
TODAY, YESTERDAY = "2026-03-14", "2026-03-13"
ADA = Person("ada")
WEB_ADA = Person("key-1", Place("http"))


async def _no_buttons(place: Place, answer: int) -> tuple[()]:
    return ()


async def test_questions_are_counted_by_day_and_workspace(kept: KeptQuestions) -> None:
    for person, ago, outcome in (
        (ADA, 1, "answered"),
        (ADA, 2, "declined"),
        (ADA, 13, "answered"),
        (WEB_ADA, 1, "answered"),
        (ADA, 24 * 40, "answered"),
    ):
        at = NOW - timedelta(hours=ago)
        await kept.answered(person.message("When?", received_at=at), outcome=outcome, elapsed_ms=100.0 * ago)
    document = await kept.database.read(lambda connection: days(connection, NOW, 30))
    counted = {
        (row["day"], row["place"]): (row["questions"], row["answered"], row["declined"]) for row in document["days"]
    }
    assert counted == {
        (YESTERDAY, "memory/lab"): (1, 1, 0),
        (TODAY, "memory/lab"): (2, 1, 1),
        (TODAY, "http"): (1, 1, 0),
    }
    here = next(row for row in document["days"] if (row["day"], row["place"]) == (TODAY, "memory/lab"))
    assert here["latency_ms"] == {"p50": 100.0, "p95": 200.0, "answers": 2}
    assert [(row["day"], row["answers"], row["p95"]) for row in document["latency"]] == [
        (YESTERDAY, 1, 1300.0),
        (TODAY, 3, 200.0),
    ]
    assert document["total"] == {"p50": 100.0, "p95": 1300.0, "answers": 4}


async def test_today_alone_is_one_day_that_began_at_midnight_utc(kept: KeptQuestions) -> None:
    for ago in (1, 13):
        await kept.answered(ADA.message("When?", received_at=NOW - timedelta(hours=ago)))
    document = await kept.database.read(lambda connection: days(connection, NOW, 1))
    assert [row["day"] for row in document["days"]] == [TODAY]


async def test_verdicts_count_on_the_day_they_were_given_on(kept: KeptQuestions) -> None:
    answer = await kept.answered(ADA.message("When?", received_at=NOW - timedelta(hours=20)))
    await Feedback(kept.database, _no_buttons).give(ADA.message(f"down {answer}", received_at=NOW))
    document = await kept.database.read(lambda connection: days(connection, NOW, 2))
    assert [(row["day"], row["questions"], row["not_helpful"]) for row in document["days"]] == [
        (YESTERDAY, 1, 0),
        (TODAY, 0, 1),
    ]


async def test_who_wrote_is_told_with_tokens_and_cost(kept: KeptQuestions) -> None:
    await kept.answered(ADA.message("When?", received_at=NOW), generator="gemini-flash", elapsed_ms=700.0)
    await kept.answered(ADA.message("Why?", received_at=NOW), generator="", outcome="declined")
    took = {"input_tokens": 900, "output_tokens": 100, "cost": 0.002}
    row = {"day": TODAY, "at": NOW, "workspace_id": "memory/lab", "conversation_id": "", "generator": "gemini"}
    await kept.database.transact(
        lambda connection: connection.execute(insert(generation_usage).values(**row, model="gemini-flash", **took))
    )
    document = await kept.database.read(lambda connection: days(connection, NOW, 7))
    assert document["generators"] == [
        {"day": TODAY, "generator": "gemini-flash", "p50": 700.0, "p95": 700.0, "answers": 1, **took}
    ]


async def test_what_was_asked_where_nothing_is_kept_is_counted_there(kept: KeptQuestions) -> None:
    message = Person("ada", Place("discord", "7", "8")).message("When?", received_at=NOW)
    await kept.delivery.accept(message)
    await kept.delivery.close(message, "answered")
    document = await kept.database.read(lambda connection: days(connection, NOW, 1))
    assert [(row["place"], row["questions"]) for row in document["days"]] == [("discord/7", 1)]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_messages_are_counted_within_a_second_of_computing(tmp_path: Path) -> None:
    file = tmp_path / "preceptor.sqlite3"
    database_file.upgrade(file)
    engine = make_engine(file, "full", 5.0)
    number, moments = 50_000, [NOW - timedelta(seconds=50 * back) for back in range(50_000)]
    with engine.begin() as connection:
        of_all = [{"id": f"discord/{one}", "platform": "discord", "external_id": str(one)} for one in range(20)]
        connection.execute(insert(workspaces), of_all)
        rows = [
            {"id": f"discord/{one}/1/", "workspace_id": f"discord/{one}", "channel": "1", "thread": ""}
            for one in range(20)
        ]
        connection.execute(insert(places), rows)
        connection.execute(insert(people).values(id="discord:1", platform="discord", external_id="1", name="Ada"))
        talks = [
            {
                "id": f"c{one}",
                "place_id": f"discord/{one % 20}/1/",
                "person_id": "discord:1",
                "started_at": NOW,
                "last_at": NOW,
            }
            for one in range(5_000)
        ]
        connection.execute(insert(conversations), talks)
        said = [
            {
                "id": 2 * one + part,
                "conversation_id": f"c{one % 5_000}",
                "role": role,
                "text": "It opens at 8. " * 10,
                "at": moments[one],
                "outcome": None if part else "answered",
                "generator": None if part else "extractive",
                "elapsed_ms": None if part else float(one % 2_000),
            }
            for one in range(1, number)
            for part, role in ((1, "question"), (0, "answer"))
        ]
        connection.execute(insert(messages), said)
        heard = [
            {
                "key": f"k{one}",
                "platform": "discord",
                "person_id": "discord:1",
                "place_id": f"discord/{one % 20}/1/",
                "received_at": moments[one],
                "is_open": False,
                "outcome": "answered",
            }
            for one in range(number)
        ]
        connection.execute(insert(inbox), heard)
        judged = [
            {"message_id": 2 * one, "person_id": "discord:1", "verdict": 1, "at": moments[one]}
            for one in range(1, number, 5)
        ]
        connection.execute(insert(feedback), judged)
    with engine.connect() as connection:
        began = time.thread_time()
        document = days(connection, NOW, 30)
        took = time.thread_time() - began
    engine.dispose()
    assert sum(row["questions"] for row in document["days"]) == number
    assert took < 1
