"""Traces: one a message, in a collector that really takes them."""

import asyncio
import hashlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from loopback_collector import LoopbackCollector, collecting
from noticeboard import Noticeboard, ended

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.errors import DeliveryRefusedError
from bot.messages import Author, Place, Reply
from bot.settings import Settings
from tests.conftest import Conversation

_QUESTION = "When does the office open?"


class _Down(Noticeboard):
    """Takes nothing, and says that it was tried."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = asyncio.Event()

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        self.tried.set()
        raise ConnectionError("the platform is down")


@pytest.fixture
def collector(environment: Callable[..., None]) -> Iterator[LoopbackCollector]:
    with collecting() as listening:
        environment(OTEL_EXPORTER_OTLP_ENDPOINT=listening.origin)
        yield listening


async def _asked(settings: Settings, *questions: tuple[str, str]) -> None:
    """Run a Preceptor that is asked these questions, each with its key."""
    adapter = InMemoryAdapter(Limits(streaming=True))
    async with Application(settings).running([adapter]):
        for key, question in questions:
            await Conversation(adapter).say(question, key=key)


async def test_the_steps_of_a_message_are_one_trace_that_its_key_names(
    settings: Settings, collector: LoopbackCollector
) -> None:
    await _asked(settings, ("one", _QUESTION), ("two", "Where do visitors park?"))
    assert collector.services == {"preceptor"}
    digest = hashlib.sha256(b"memory/one").digest()
    steps = {span.name: span for span in collector.spans if span.trace == digest[:16]}
    assert set(steps) == {"accept", "search", "generate", "send"}
    root = steps.pop("accept")
    assert (root.id, root.parent) == (digest[16:24], b"")
    assert {span.parent for span in steps.values()} == {root.id}
    assert steps["generate"].attributes["preceptor.generator"] == "extractive"
    assert steps["send"].attributes["preceptor.outcome"] == "answered"
    assert steps["send"].attributes["preceptor.parts"] == 1
    assert {span.attributes["preceptor.message"] for span in steps.values()} == {digest.hex()[:32]}
    assert len({span.trace for span in collector.of("accept")}) == 2
    assert [span.attributes["preceptor.outcome"] for span in collector.of("reload")] == ["ok"]


async def test_nothing_of_a_talk_is_in_a_trace(settings: Settings, collector: LoopbackCollector) -> None:
    adapter = InMemoryAdapter(Limits(streaming=True))
    place = Place("memory", "workspacexyzzy", "channelxyzzy")
    async with Application(settings).running([adapter]):
        somebody = Conversation(adapter, Author("idxyzzy", "Namexyzzy"), place)
        for text in (_QUESTION, "/xyzzy", "diagnose: itching xyzzy on the elbows"):
            await somebody.say(text, message_id="messagexyzzy", route="routexyzzy")
        await somebody.say(_QUESTION, key="keyxyzzy")
    sent = b"".join(collector.bodies)
    assert collector.of("diagnose")
    assert b"xyzzy" not in sent
    assert b"office" not in sent


async def test_what_a_restart_finishes_joins_the_trace_of_what_was_accepted_before(
    settings: Settings, collector: LoopbackCollector
) -> None:
    board = _Down()
    quick = settings.model_copy(update={"dispatch": settings.dispatch.model_copy(update={"shutdown_seconds": 0.1})})
    async with Application(quick).running([board]):
        await board.post(Conversation(board).message(_QUESTION, key="1"))
        async with asyncio.timeout(10):
            await board.tried.wait()
    async with Application(settings).running([second := Noticeboard()]):
        assert await ended(settings, "1") == "answered"
    assert second.standing
    assert len(collector.of("accept")) == 1
    sends = collector.of("send")
    assert len(sends) == 2
    assert {span.trace for span in sends} == {collector.of("accept")[0].trace}
    assert [span.error for span in sends] == ["CancelledError", ""]


async def test_a_repeated_event_is_no_second_root(settings: Settings, collector: LoopbackCollector) -> None:
    board = Noticeboard()
    async with Application(settings).running([board]):
        for _ in range(2):
            await board.post(Conversation(board).message(_QUESTION, key="1"))
            assert await ended(settings, "1") == "answered"
    accepted = collector.of("accept")
    assert [span.attributes["preceptor.new"] for span in accepted] == [True, False]
    assert len({span.id for span in accepted}) == 2
    assert accepted[1].parent == accepted[0].id


async def test_an_error_is_named_by_its_type_alone(settings: Settings, collector: LoopbackCollector) -> None:
    board = Noticeboard()
    board.failing = [DeliveryRefusedError("The secret of #xyzzy.")]
    async with Application(settings).running([board]):
        await board.post(Conversation(board).message(_QUESTION, key="1"))
        assert await ended(settings, "1") == "undelivered"
    assert [span.error for span in collector.of("send")] == ["DeliveryRefusedError"]
    assert b"xyzzy" not in b"".join(collector.bodies)


async def test_a_collector_that_hangs_slows_nothing_and_keeps_nobody_from_stopping(
    settings: Settings, collector: LoopbackCollector, environment: Callable[..., None]
) -> None:
    environment(OTEL_BSP_SCHEDULE_DELAY="50")
    collector.hangs.set()
    adapter = InMemoryAdapter(Limits(streaming=True))
    with structlog.testing.capture_logs() as lines:
        async with Application(settings).running([adapter]):
            for _ in range(5):
                reply = await Conversation(adapter).say(_QUESTION)
                assert reply.outcome == "answered"
                assert reply.elapsed_ms < 5_000
            began = time.monotonic()
        assert 1.5 < time.monotonic() - began < 6
    assert [line["event"] for line in lines if "trace" in line["event"]] == ["last traces not taken"]


async def test_a_collector_that_refuses_is_told_of_once(
    settings: Settings,
    collector: LoopbackCollector,
    environment: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    environment(OTEL_BSP_SCHEDULE_DELAY="10")
    collector.status = 400
    adapter = InMemoryAdapter(Limits(streaming=True))
    with structlog.testing.capture_logs() as lines:
        async with Application(settings).running([adapter]):
            for _ in range(3):
                await Conversation(adapter).say(_QUESTION)
                await asyncio.sleep(0.05)
            collector.status = 200
            await Conversation(adapter).say(_QUESTION)
    told = [line["event"] for line in lines if line["event"].startswith("traces")]
    assert told == ["traces are not taken", "traces are taken again"]
    assert collector.origin not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "variables",
    [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_TRACES_SAMPLER": "always_off"}],
)
async def test_traces_can_be_switched_off(
    settings: Settings, collector: LoopbackCollector, environment: Callable[..., None], variables: dict[str, str]
) -> None:
    environment(**variables)
    await _asked(settings, ("one", _QUESTION))
    assert not collector.spans


async def test_a_message_is_sampled_with_all_its_steps_or_not_at_all(
    settings: Settings, collector: LoopbackCollector, environment: Callable[..., None]
) -> None:
    environment(OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0.5")
    await _asked(settings, *((str(number), _QUESTION) for number in range(20)))
    traces = {span.trace for span in collector.of("accept")}
    assert 0 < len(traces) < 20
    for trace in traces:
        steps = {span.name for span in collector.spans if span.trace == trace}
        assert steps == {"accept", "search", "generate", "send"}
    assert {span.trace for span in collector.of("send")} == traces


_RUN = """
import asyncio, sys
{before}
from bot import logs, tracing
from bot.stages import Stages
from bot.settings.tree import LogSettings
import bot.application
logs.set_up(LogSettings())

async def main():
    stages = Stages()
    async with tracing.written(stages):
        print(stages.tracer is not None)

asyncio.run(main())
print(sorted(name for name in sys.modules if name.startswith("opentelemetry.sdk")))
"""


def _run(before: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", **variables}
    script = _RUN.format(before=before)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment, cwd=_ROOT
    )


_ROOT = Path(__file__).parents[2]


def test_without_a_collector_nothing_of_opentelemetry_is_imported() -> None:
    assert _run("").stdout == "False\n[]\n"


def test_where_the_extra_is_missing_a_line_names_the_command_that_gets_it() -> None:
    missing = "sys.modules['opentelemetry.sdk.trace'] = None"
    ended = _run(missing, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert ended.stdout.startswith("False\n")
    assert ended.stderr.count("no traces are written") == 1
    assert "make tracing" in ended.stderr


def test_a_certificate_that_is_not_there_keeps_nothing_from_starting() -> None:
    ended = _run(
        "",
        OTEL_EXPORTER_OTLP_ENDPOINT="https://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_CERTIFICATE="/nowhere/secret.pem",
        OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
        OTEL_EXPORTER_OTLP_TIMEOUT="soon",
    )
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr
