"""The examination of what belongs to the core: settings, packages, storage, knowledge base, the HTTP front door."""

import asyncio
import contextlib
import socket
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bot import database_file
from bot.adapter import InMemoryAdapter
from bot.application import Application
from bot.examination import Examined, Finding, examine
from bot.examination.channels import configured
from bot.examination.clock import of_date
from bot.examination.rest import AddressError, UnreachableError, connected
from bot.examination.running import findings_of
from bot.examination.storage import of_free_space
from bot.knowledge_desk import library
from bot.messages import Author, IncomingMessage, Place
from bot.settings import load

SetEnvironment = Callable[..., None]


@pytest.fixture
def set_up(environment: SetEnvironment, handbook: Path, tmp_path: Path) -> Path:
    """A folder with settings under which nothing is wrong."""
    environment(PRECEPTOR_KNOWLEDGE__SOURCES=str(handbook), PRECEPTOR_HTTP__PORT="0")
    return tmp_path


async def _found() -> dict[str, Finding]:
    return {finding.name: finding for finding in await examine()}


async def _failed() -> list[str]:
    return [finding.name for finding in await examine() if finding.verdict == "failed"]


def _tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


async def test_a_fresh_set_up_is_in_order_and_stays_untouched(set_up: Path) -> None:
    before = _tree(set_up)
    found = await _found()
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert {"settings", "Python", "packages", "data folder", "disk", "database", "knowledge base"} < set(found)
    assert "the first start builds it" in found["knowledge base"].meaning
    assert _tree(set_up) == before


async def test_a_set_up_in_use_is_in_order(set_up: Path) -> None:
    async with Application(load().settings).running([]):
        pass
    found = await _found()
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert "up to date" in found["database"].meaning
    assert found["knowledge base"].meaning == "5 passages of 1 file; the index fits its sources."


async def test_every_wrong_setting_is_named_and_the_rest_is_examined(set_up: Path, environment: SetEnvironment) -> None:
    (set_up / "file").write_text("")
    (set_up / "preceptor.toml").write_text(
        'data_directory = "file/data"\n[knowledge]\nsourcs = ["x"]\n[http]\nport = "many"\n[slack]\nenabled = true\n'
    )
    environment(PRECEPTOR_HTPP__PORT="1")
    findings = await examine()
    settings = [f"{finding.meaning} {finding.fix}" for finding in findings if finding.name == "settings"]
    expected = ("Did you mean PRECEPTOR_HTTP__PORT?", "Did you mean knowledge.sources?", "needs slack.bot_token")
    assert [words in said for words, said in zip(expected, settings, strict=True)] == [True] * 3
    assert [finding.name for finding in findings if finding.verdict == "failed"] == [
        *["settings"] * 3,
        "data folder",
        "pictures: labels",
        "pictures: captions",
    ]
    assert str(set_up / "file") in {finding.name: finding for finding in findings}["data folder"].meaning


@pytest.mark.parametrize(
    ("toml", "said"),
    [(b"data_directory = ", "not valid TOML"), (b'data_directory = "\xff"', "cannot be read"), (b"a = 1", "a is no")],
)
async def test_a_settings_file_that_does_not_load_is_named(set_up: Path, toml: bytes, said: str) -> None:
    (set_up / "preceptor.toml").write_bytes(toml)
    found = await _found()
    assert said in found["settings"].meaning
    assert await _failed() == ["settings"]


async def test_a_settings_file_that_is_missing_is_named(set_up: Path, environment: SetEnvironment) -> None:
    environment(PRECEPTOR_SETTINGS="nowhere.toml")
    assert "nowhere.toml does not exist" in (await _found())["settings"].meaning


async def test_a_dotenv_file_that_is_wrong_is_named_and_what_fits_in_it_applies(set_up: Path) -> None:
    (set_up / ".env").write_text("PRECEPTOR_DATA_DIRECTORY=elsewhere\nPRECEPTOR_NONSENSE=1\n")
    found = await _found()
    assert "PRECEPTOR_NONSENSE" in found["settings"].meaning
    assert str(set_up / "elsewhere") in found["data folder"].meaning


def test_little_space_is_a_warning_and_none_a_failure() -> None:
    verdicts = [of_free_space(Path("/data"), megabytes * 1_000_000).verdict for megabytes in (200, 199, 10, 9)]
    assert verdicts == ["ok", "warning", "warning", "failed"]


async def test_the_last_arrival_is_told(set_up: Path) -> None:
    settings = load().settings
    application = Application(settings)
    adapter = InMemoryAdapter()
    adapter.name = "http"
    async with application.running([adapter]):
        asked = IncomingMessage("1", Place("http"), Author("ada"), "When does the office open?")
        await (await adapter.post(asked)).complete()
    assert f"{asked.received_at:%Y-%m-%d %H:%M} UTC" in (await _found())["http: arrivals"].meaning


def test_the_channels_that_call_somebody_are_looked_up(tmp_path: Path) -> None:
    file = tmp_path / "preceptor.sqlite3"
    assert configured(file) == {}
    file.write_text("not a database")
    assert configured(file) == {}
    file.unlink()
    database_file.upgrade(file)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        rows = [("discord/1/2", "role:3"), ("discord/1/2", "user:4"), ("slack/T1/C1", "group:S1")]
        connection.executemany("INSERT INTO channel_people VALUES (?, ?)", rows)
    assert configured(file) == {
        Place("discord", "1", "2"): ("role:3", "user:4"),
        Place("slack", "T1", "C1"): ("group:S1",),
    }


async def test_the_database_of_an_earlier_version_is_no_failure(set_up: Path) -> None:
    file = load().settings.database_file
    database_file.upgrade(file)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    finding = (await _found())["database"]
    assert (finding.verdict, "at 0001" in finding.meaning) == ("ok", True)


async def test_the_database_of_a_newer_version_is_named(set_up: Path) -> None:
    file = load().settings.database_file
    database_file.upgrade(file)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    finding = (await _found())["database"]
    assert finding.verdict == "failed"
    assert "newer version" in finding.meaning
    assert "Upgrade Preceptor" in finding.fix


async def test_a_database_that_is_none_and_one_that_is_damaged_are_named(set_up: Path) -> None:
    file = load().settings.database_file
    database_file.upgrade(file)
    whole = file.read_bytes()
    file.write_bytes(b"A letter, not a database. " * 400)
    assert "damaged" in (await _found())["database"].meaning
    for leftover in file.parent.glob("*-wal"):
        leftover.unlink()
    file.write_bytes(whole[:8192] + b"\xff" * 16384 + whole[24576:])
    assert "database" in await _failed()


async def test_a_locked_database_is_named(set_up: Path, environment: SetEnvironment) -> None:
    environment(PRECEPTOR_DATABASE__BUSY_SECONDS="0.1")
    file = load().settings.database_file
    database_file.upgrade(file)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        finding = (await _found())["database"]
    assert finding.verdict == "failed"
    assert "locked" in finding.meaning


async def test_a_missing_source_is_named(set_up: Path, environment: SetEnvironment) -> None:
    environment(PRECEPTOR_KNOWLEDGE__SOURCES="nowhere")
    finding = (await _found())["knowledge base"]
    assert finding.verdict == "failed"
    assert "nowhere" in finding.meaning


async def test_sources_without_a_file_are_a_failure(set_up: Path, environment: SetEnvironment) -> None:
    (set_up / "empty").mkdir()
    environment(PRECEPTOR_KNOWLEDGE__SOURCES="empty")
    assert "knowledge base" in await _failed()


async def test_an_index_out_of_date_or_damaged_is_a_warning(set_up: Path, handbook: Path) -> None:
    async with Application(load().settings).running([]):
        pass
    (handbook / "news.md").write_text("# News\n\nThe canteen opens at noon.\n")
    finding = (await _found())["knowledge base"]
    assert (finding.verdict, "out of date" in finding.meaning) == ("warning", True)
    manifest = next(load().settings.index_directory.glob("*/manifest.json"))
    manifest.write_text("{}")
    finding = (await _found())["knowledge base"]
    assert (finding.verdict, "damaged" in finding.meaning) == ("warning", True)


async def test_problems_of_the_knowledge_base_are_counted(set_up: Path, handbook: Path) -> None:
    (handbook / "bad.json").write_text('[{"context": "good"},\n {"context": 3}]')
    async with Application(load().settings).running([]):
        pass
    finding = (await _found())["knowledge base: problems"]
    assert finding.verdict == "warning"
    assert "1 problem" in finding.meaning
    assert "bad.json:2" in finding.meaning
    assert str(handbook) in finding.fix


async def test_what_the_library_holds_and_what_it_has_lost_is_told(set_up: Path, tmp_path: Path) -> None:
    assert (await _found())["library"].meaning == "Nothing was uploaded or taught yet."
    handed_in = library(load().settings)
    with handed_in.changed(handed_in.teaching("When is lunch?", "At noon."), "http:ada"):
        pass
    assert (await _found())["library"].meaning == "Version 1, 1 file."
    folder = handed_in.folder() or tmp_path
    page = folder.with_name("manifest.json")
    whole = page.read_text()
    page.write_text("{")
    finding = (await _found())["library"]
    assert (finding.verdict, "version 1 cannot be read" in finding.meaning) == ("warning", True)
    page.write_text(whole)
    (folder / "answers.jsonl").unlink()
    finding = (await _found())["library"]
    assert finding.meaning == "Version 1, 0 files; gone from the disk: library/answers.jsonl."
    assert (finding.verdict, "preceptor knowledge undo" in finding.fix) == ("warning", True)


async def test_no_front_door_is_a_failure(set_up: Path, environment: SetEnvironment) -> None:
    environment(PRECEPTOR_HTTP__ENABLED="false")
    assert await _failed() == ["front doors"]


@contextlib.contextmanager
def _taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


async def test_a_port_that_another_program_has_is_named(set_up: Path, environment: SetEnvironment) -> None:
    with _taken_port() as port:
        environment(PRECEPTOR_HTTP__PORT=str(port))
        finding = (await _found())["http: port"]
    assert finding.verdict == "failed"
    assert str(port) in finding.meaning
    assert "http.port" in finding.fix


async def test_a_running_preceptor_on_the_port_is_in_order(set_up: Path, environment: SetEnvironment) -> None:
    with _taken_port() as port:
        environment(PRECEPTOR_HTTP__PORT=str(port))
    application = Application(load().settings)
    async with application.running([application.adapter("http")]):
        finding = (await _found())["http: port"]
    assert finding.verdict == "ok"
    assert "Preceptor itself" in finding.meaning


async def test_an_open_address_without_a_key_and_a_broken_digest_are_named(
    set_up: Path, environment: SetEnvironment
) -> None:
    environment(PRECEPTOR_HTTP__HOST="0.0.0.0")
    assert await _failed() == ["http: keys"]
    environment(PRECEPTOR_HTTP__ADMIN_KEYS="sha256:not-a-digest-at-all")
    assert await _failed() == ["http: address and keys"]
    environment(PRECEPTOR_HTTP__ADMIN_KEYS="a-key-that-is-long-enough", PRECEPTOR_HTTP__HOST="no.such.host.invalid")
    assert await _failed() == ["http: address and keys"]


async def _hangs(examined: Examined) -> AsyncIterator[Finding]:
    yield Finding("first", "ok", "It was there before the deadline.")
    await asyncio.Event().wait()


_RELEASE = threading.Event()


def _hangs_in_a_thread(examined: Examined) -> Iterator[Finding]:
    yield Finding("first", "ok", "It was there before the deadline.")
    _RELEASE.wait(30)


def _breaks(examined: Examined) -> Iterator[Finding]:
    yield Finding("first", "ok", "It was there before the error.")
    raise ValueError("xoxb-secret")


def _entries(*names: str) -> list[EntryPoint]:
    return [EntryPoint(name, f"{__name__}:{name}", "preceptor.examinations") for name in names]


async def test_a_check_that_hangs_or_breaks_becomes_a_finding_beside_what_it_found() -> None:
    entries = _entries("_hangs", "_hangs_in_a_thread", "_breaks", "_is_not_there")
    try:
        found = await findings_of(entries, Examined(None), 0.2)
    finally:
        _RELEASE.set()
    assert [finding.verdict for finding in found] == ["ok", "unknown"] * 3 + ["failed"]
    assert "within 0.2 s" in found[1].meaning
    assert "ValueError in test_examination.py:" in found[5].meaning
    assert not any("secret" in finding.meaning for finding in found)


@pytest.mark.parametrize(("seconds", "verdict"), [(0, "ok"), (59, "ok"), (-90, "warning"), (301, "failed")])
def test_a_clock_that_is_off_is_told_in_seconds(seconds: int, verdict: str) -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    finding = of_date("clock", format_datetime(now - timedelta(seconds=seconds), usegmt=True), now)
    assert finding.verdict == verdict
    if verdict != "ok":
        assert f"{abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}" in finding.meaning


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 01 May 2026 12:00:00"])
def test_a_date_that_is_none_leaves_the_clock_unknown(date: str) -> None:
    assert of_date("clock", date).verdict == "unknown"


async def test_an_address_that_is_none_is_told_without_repeating_it() -> None:
    for base, proxy in (("nonsense", ""), ("http://host:many", ""), ("https://host/", "ftp://user:password@host")):
        with pytest.raises(AddressError) as raised:
            async with connected(base, proxy):
                pass
        assert "password" not in str(raised.value)


async def test_no_connection_is_told_with_the_host() -> None:
    with _taken_port() as port:
        pass
    async with connected(f"http://127.0.0.1:{port}/api/", "") as rest:
        with pytest.raises(UnreachableError, match=r"no connection to 127\.0\.0\.1"):
            await rest.ask("GET", "thing", "Bearer secret")
