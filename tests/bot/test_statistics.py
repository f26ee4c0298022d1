"""The figures for admins: what is counted, over which time, and that a full database is read by its indexes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from kept_questions import KeptQuestions, Person
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.access import ADMIN, Access
from bot.channel_people import ChannelPeople
from bot.escalations import Escalations
from bot.feedback import Feedback
from bot.messages import Place, Reply
from bot.settings.access import AccessSettings
from bot.statistics import Statistics

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Person("ada")
ANN = Person("ann", roles=frozenset({ADMIN}))
SLACK_ADA = Person("ada", Place("slack", "T1", "C1"))


async def _asked(kept: KeptQuestions, person: Person, ago: timedelta, **fields: object) -> int:
    return await kept.answered(person.message("When?", received_at=NOW - ago), **fields)


async def _told(kept: KeptQuestions) -> Reply:
    statistics = Statistics(kept.database, NOW - timedelta(hours=26, minutes=5))
    message = ANN.message(command="stats", received_at=NOW)
    await kept.delivery.accept(message)
    return await statistics.tell(message)


async def test_an_empty_database_gives_zeros_and_no_times(kept: KeptQuestions) -> None:
    reply = await _told(kept)
    assert "| Questions | 0 | 0 | 0 |" in reply.text
    assert "| Half of the answers within | – | – | – |" in reply.text
    assert reply.ephemeral
    assert json.loads(json.dumps(reply.data)) == reply.data


async def test_questions_are_counted_for_a_day_a_week_and_in_all(kept: KeptQuestions) -> None:
    for ago, outcome in ((1, "answered"), (30, "declined"), (100, "answered"), (1000, "answered")):
        written = "extractive" if outcome == "answered" else ""
        await _asked(kept, ADA, timedelta(hours=ago), outcome=outcome, generator=written)
    await _asked(kept, SLACK_ADA, timedelta(hours=2), generator="flan-t5")
    failed = ADA.message("Why?", received_at=NOW)
    await kept.delivery.accept(failed)
    await kept.delivery.close(failed, "failed")
    command = ADA.message("/help", received_at=NOW)
    await kept.delivery.accept(command)
    await kept.delivery.close(command, "done")
    text = (await _told(kept)).text
    assert "| | 24 hours | 7 days | In all |" in text
    for row in (
        "| Questions | 3 | 5 | 6 |",
        "| – answered | 2 | 3 | 4 |",
        "| – declined | 0 | 1 | 1 |",
        "| – failed | 1 | 1 | 1 |",
        "| Questions on memory | 2 | 4 | 5 |",
        "| Questions on slack | 1 | 1 | 1 |",
        "| Answers by extractive | 1 | 2 | 3 |",
        "| Answers by flan-t5 | 1 | 1 | 1 |",
    ):
        assert row in text


async def test_verdicts_and_calls_for_a_person_are_counted(kept: KeptQuestions) -> None:
    people = ChannelPeople(kept.database)
    calls = Escalations(kept.database, people, Access(AccessSettings()), _no_link)
    feedback = Feedback(kept.database, calls.buttons)
    await people.show_or_set(ANN.message("user:grace"))
    for number, (verdict, ago) in enumerate((("up", 1), ("up", 50), ("down", 50), ("down", 400))):
        answer = await _asked(kept, ADA, timedelta(hours=ago + 1))
        await feedback.give(ADA.message(f"{verdict} {answer}", received_at=NOW - timedelta(hours=ago)))
        if verdict == "down":
            await calls.ask(ADA.message(str(answer), key=f"call {number}", received_at=NOW - timedelta(hours=ago)))
    await calls.solve(Person("grace").message(str(answer), command="solved"))
    text = (await _told(kept)).text
    for row in (
        "| Found helpful | 1 | 2 | 2 |",
        "| Found not helpful | 0 | 1 | 2 |",
        "| People asked for | 0 | 1 | 2 |",
        "| – solved | 0 | 0 | 1 |",
    ):
        assert row in text
    assert "1 waiting for a person" in text


async def _no_link(place: Place, message_id: str) -> str:
    return ""


async def test_times_are_the_nearest_ranks_of_each_window(kept: KeptQuestions) -> None:
    for elapsed in range(1, 21):
        await _asked(kept, ADA, timedelta(hours=1), elapsed_ms=elapsed * 10.0)
    await _asked(kept, ADA, timedelta(days=3), elapsed_ms=5000.0)
    reply = await _told(kept)
    assert "| Half of the answers within | 100 ms | 110 ms | 110 ms |" in reply.text
    assert "| 95 % of the answers within | 190 ms | 200 ms | 200 ms |" in reply.text
    assert reply.data["windows"]["day"]["latency_ms"] == {"p50": 100.0, "p95": 190.0, "answers": 20}


async def test_what_is_open_is_told_without_the_request_itself(kept: KeptQuestions) -> None:
    await kept.delivery.accept(ADA.message("When?", received_at=NOW))
    waiting = ADA.message("Where?", received_at=NOW)
    await kept.delivery.accept(waiting)
    await kept.delivery.begin(waiting, 0)
    reply = await _told(kept)
    assert "Open now: 2 to answer, 1 to send, 0 waiting for a person." in reply.text
    assert "Running since 2026-02-28 09:55 UTC (1 d 2 h 5 min)." in reply.text


async def test_what_was_forgotten_is_still_counted_as_asked(kept: KeptQuestions) -> None:
    await _asked(kept, ADA, timedelta(hours=1))
    await kept.forgetting.person("memory:ada")
    text = (await _told(kept)).text
    assert "| Questions | 1 | 1 | 1 |" in text
    assert "Answers by" not in text


@pytest.fixture
def statements() -> list[tuple[str, object]]:
    return []


async def test_no_figure_needs_all_messages_or_all_events_to_be_read(
    kept: KeptQuestions, statements: list[tuple[str, object]]
) -> None:
    await _asked(kept, ADA, timedelta(hours=1))

    def _note(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", _note)
    await _told(kept)
    event.remove(Engine, "before_cursor_execute", _note)
    asked = [one for one in statements if one[0].startswith("SELECT") and (" messages" in one[0] or " inbox" in one[0])]
    assert len(asked) == 7
    for statement, parameters in asked:
        plan = await kept.database.read(
            lambda c, s=statement, p=parameters: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {s}", p).all()  # type: ignore[misc]
        )
        steps = [row[-1] for row in plan]
        newest_first = "LIMIT" in statement and steps == ["SCAN messages"]
        assert newest_first or all("INDEX" in step for step in steps), (statement, steps)
        assert not any("TEMP B-TREE" in step for step in steps), (statement, steps)
