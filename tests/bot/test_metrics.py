"""The figures that a monitoring system collects: what is in them, and what never is."""

import asyncio
import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from kept_questions import KeptQuestions, Person
from noticeboard import Noticeboard, ended
from prometheus_client.parser import text_string_to_metric_families

from bot.access import ADMIN
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.delivery import Part, idempotency_key
from bot.errors import DeliveryRefusedError
from bot.live_figures import LiveFigures, LiveSources
from bot.messages import Author, Place, Reply
from bot.metrics import Metrics
from bot.settings import Settings
from models.generation import Usage
from models.watching import Kind
from tests.conftest import Conversation
from tests.models.loopback_openai import MODEL, LoopbackOpenAI
from tests.models.loopback_server import Refuses, Writes

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def figures(metrics: Metrics) -> Figures:
    """Collect, as Prometheus does."""
    text, _ = await metrics.exposition("")
    families = text_string_to_metric_families(text.decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def figure(found: Figures, name: str, **labels: str) -> float:
    return found[f"preceptor_{name}", frozenset(labels.items())]


async def test_messages_are_counted_by_what_they_asked_for_and_how_they_ended(
    application: Application, ada: Conversation
) -> None:
    await ada.say("When does the office open?")
    await ada.say("Who won the chess tournament?")
    await ada.say("/help")
    await ada.say("/nonsense")
    await ada.say("/reload")
    await ada.say("diagnose: itchy red patches with silvery scales on both elbows")
    found = await figures(application.metrics)
    of_memory = {"platform": "memory"}
    assert figure(found, "questions_total", capability="answer", outcome="answered", **of_memory) == 1
    assert figure(found, "questions_total", capability="answer", outcome="declined", **of_memory) == 1
    assert figure(found, "questions_total", capability="command", outcome="done", **of_memory) == 1
    assert figure(found, "questions_total", capability="command", outcome="refused", **of_memory) == 2
    assert figure(found, "questions_total", capability="diagnosis", outcome="answered", **of_memory) == 1
    assert figure(found, "answer_seconds_count", **of_memory) == 6


async def test_each_step_on_the_road_is_timed(application: Application, ada: Conversation) -> None:
    await ada.say("When does the office open?")
    found = await figures(application.metrics)
    for stage in ("accept", "search", "generate", "send"):
        assert figure(found, "stage_seconds_count", stage=stage, platform="memory") == 1
        assert 0 < figure(found, "stage_seconds_sum", stage=stage, platform="memory") < 30


async def test_what_is_up_and_what_the_answers_come_from_is_told(application: Application, ada: Conversation) -> None:
    found = await figures(application.metrics)
    assert figure(found, "adapter_up", adapter="memory") == 1
    assert figure(found, "database_up") == 1
    assert figure(found, "knowledge_passages") == 5
    assert figure(found, "reloads_total", outcome="ok") == 1


async def test_a_reload_that_fails_is_counted(application: Application, ada: Conversation, handbook: Path) -> None:
    (handbook / "handbook.md").unlink()
    chief = ada.other(author=Author("root", "Root", frozenset({ADMIN})))
    assert (await chief.say("/reload")).outcome == "failed"
    found = await figures(application.metrics)
    assert figure(found, "reloads_total", outcome="failed") == 1
    assert figure(found, "knowledge_passages") == 5


async def test_nothing_of_a_talk_is_in_the_figures(settings: Settings) -> None:
    application = Application(settings)
    adapter = InMemoryAdapter(Limits(streaming=True))
    place = Place("memory", "workspacexyzzy", "channelxyzzy", "threadxyzzy")
    async with application.running([adapter]):
        somebody = Conversation(adapter, Author("idxyzzy", "Namexyzzy"), place)
        for text in ("When does the office open, xyzzy?", "/xyzzy", "diagnose: itching xyzzy on the elbows", "xyzzy"):
            await somebody.say(text, message_id="messagexyzzy", route="routexyzzy")
        await somebody.say("again?", key="keyxyzzy", conversation_id="conversationxyzzy")
        text, _ = await application.metrics.exposition("")
    assert b"xyzzy" not in text
    assert b"office" not in text
    assert b"handbook" not in text


async def test_the_number_of_series_does_not_grow_with_people_places_and_questions(settings: Settings) -> None:
    application = Application(settings)
    adapter = InMemoryAdapter(Limits(streaming=True))

    async def _talk(number: int) -> None:
        place = Place("memory", f"workspace {number}", f"channel {number}")
        somebody = Conversation(adapter, Author(f"person {number}"), place)
        await somebody.say(f"When does the office open on the {number}th?")
        await somebody.say(f"What is {number} times the pangolin?")

    async with application.running([adapter]):
        await _talk(0)
        before = set(await figures(application.metrics))
        await asyncio.gather(*map(_talk, range(1, 100)))
        assert set(await figures(application.metrics)) == before
        assert len(before) < 500


async def test_a_reply_that_is_given_up_is_counted_and_waits_among_the_undelivered(settings: Settings) -> None:
    board = Noticeboard()
    board.failing = [DeliveryRefusedError("I may not write there.")]
    application = Application(settings)
    async with application.running([board]):
        await board.post(Conversation(board).message("When does the office open?", key="1"))
        assert await ended(settings, "1") == "undelivered"
        found = await figures(application.metrics)
    assert figure(found, "questions_total", platform="memory", capability="answer", outcome="undelivered") == 1
    assert figure(found, "queue_messages", state="undelivered") == 1
    assert figure(found, "queue_messages", state="waiting") == 0


@pytest.fixture
def live(kept: KeptQuestions) -> Metrics:
    """Figures of a database of which nothing is answered yet, while one message is said to be at work."""
    metrics = Metrics()
    at_work = LiveSources({}, dict, answering=lambda: 1, passages=lambda: 0)
    shown = LiveFigures(kept.database, at_work)
    metrics.show_live(shown, shown.refresh)
    return metrics


async def test_what_waits_is_told_with_the_age_of_the_oldest(kept: KeptQuestions, live: Metrics) -> None:
    first, second, third = (Person("ada").message(f"Question {number}") for number in range(3))
    for message in (first, second, third):
        await kept.delivery.accept(message)
    await kept.answered(Person("ada").message("Another one"))
    written = Part(idempotency_key(second, 0), Reply("Written.", outcome="answered"))
    await kept.database.write(kept.delivery.putting_out(second, [written]))
    found = await figures(live)
    assert figure(found, "queue_messages", state="waiting") == 2
    assert figure(found, "queue_messages", state="answering") == 1
    assert figure(found, "queue_messages", state="unsent") == 1
    assert 0 < figure(found, "outbox_oldest_seconds") <= figure(found, "inbox_oldest_seconds") < 60


async def test_collecting_does_not_wait_for_a_writer(kept: KeptQuestions, live: Metrics, tmp_path: Path) -> None:
    await kept.delivery.accept(Person("ada").message("Anybody there?"))
    with closing(sqlite3.connect(tmp_path / "kept.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE inbox SET outcome = 'failed'")
        async with asyncio.timeout(2):
            found = await figures(live)
        other.execute("ROLLBACK")
    assert figure(found, "database_up") == 1
    assert figure(found, "queue_messages", state="answering") == 1


async def test_where_the_database_does_not_answer_the_other_figures_are_there(
    kept: KeptQuestions, live: Metrics, tmp_path: Path
) -> None:
    live.reloaded(failed=True)
    for name in ("kept.sqlite3", "kept.sqlite3-wal", "kept.sqlite3-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    found = await figures(live)
    assert figure(found, "database_up") == 0
    assert figure(found, "reloads_total", outcome="failed") == 1
    assert ("preceptor_queue_messages", frozenset({("state", "waiting")})) not in found


async def test_who_wrote_what_that_took_and_who_gave_up_is_counted(settings: Settings) -> None:
    async with LoopbackOpenAI() as server:
        sections = {
            "generation": {"chain": ("openai",), "failures": 1},
            "openai": {"base_url": server.base_url, "model": MODEL, "retries": 0, "input_price": 1e4},
        }
        application = Application(Settings(**settings.model_dump() | sections))
        adapter = InMemoryAdapter(Limits(streaming=True))
        async with application.running([adapter]):
            ada = Conversation(adapter)
            server.script(Writes("The office is open from 8 in the morning until 6 in the evening. [1]"), Refuses(500))
            await ada.say("When does the office open?")
            await ada.say("When does the office open on Fridays?")
            await ada.say("Where do visitors park?")
            found = await figures(application.metrics)
    assert figure(found, "generations_total", generator="openai", outcome="answered") == 1
    assert figure(found, "generations_total", generator="openai", outcome="failed") == 1
    assert figure(found, "generations_total", generator="openai", outcome="left_alone") == 1
    assert figure(found, "generations_total", generator="extractive", outcome="answered") == 2
    assert figure(found, "generator_circuit", generator="openai", state="open") == 1
    assert figure(found, "generator_circuit", generator="openai", state="closed") == 0
    read = figure(found, "tokens_total", generator="openai", direction="input")
    assert read > 0
    assert figure(found, "cost_total", generator="openai") == pytest.approx(read / 100)
    assert MODEL not in str(found)


async def test_warnings_and_errors_are_counted_by_where_they_come_from(
    application: Application, ada: Conversation
) -> None:
    logging.getLogger("adapters.discord").warning("a secret")
    logging.getLogger("models").error("a secret")
    logging.getLogger("somebody.else").critical("a secret")
    logging.getLogger("bot").setLevel(logging.INFO)
    logging.getLogger("bot").info("nothing to speak of")
    found = await figures(application.metrics)
    assert figure(found, "errors_total", level="warning", room="adapters") == 1
    assert figure(found, "errors_total", level="error", room="models") == 1
    assert figure(found, "errors_total", level="error", room="libraries") == 1
    assert figure(found, "errors_total", level="warning", room="bot") == 0


@pytest.mark.parametrize("runtime", ["answers", "names", "diagnosis", "pictures"])
async def test_the_first_load_that_fails_is_an_increase(runtime: Kind) -> None:
    metrics = Metrics()
    labels = {"runtime": runtime, "outcome": "failed"}
    assert figure(await figures(metrics), "model_load_seconds_count", **labels) == 0
    metrics.model_loaded(runtime, 0.5, failed=True)
    assert figure(await figures(metrics), "model_load_seconds_count", **labels) == 1


async def test_two_of_them_count_for_themselves(settings: Settings) -> None:
    one, other = Metrics(), Metrics()
    one.charged("gemini", Usage(10, 5, 0.25))
    assert figure(await figures(one), "cost_total", generator="gemini") == 0.25
    assert "gemini" not in str(await figures(other))


async def test_names_and_labels_are_prometheus_own_kind(application: Application, ada: Conversation) -> None:
    text, media_type = await application.metrics.exposition("application/openmetrics-text; version=1.0.0")
    assert media_type.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith(b"# EOF\n")
    names = set(re.findall(r"^# HELP (preceptor_\w+) \S", text.decode(), re.MULTILINE))
    assert len(names) > 15
