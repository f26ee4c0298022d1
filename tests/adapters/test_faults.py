"""What people see when something is broken around the bot: nothing is lost, nothing comes twice, and it is told."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from faulty_fronts import WORDS, Front, front
from http_serving import Serve, Served

from tests.models.loopback_openai import MODEL, LoopbackOpenAI
from tests.models.loopback_server import KeepsSilent, Refuses, Sends, Writes

OPENING, PARKING, NEWTON = WORDS
PLATFORMS = ("discord", "slack")
on_both = pytest.mark.parametrize("platform", PLATFORMS)

_LOCKER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("ROLLBACK")
"""


@contextlib.asynccontextmanager
async def _locked(file: Path, seconds: float) -> AsyncIterator[None]:
    """Let another process hold the database's lock for so long from now on; at the end of the body it has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _LOCKER, str(file), str(seconds), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        await process.wait()


def _open_rows(front: Front) -> int:
    with contextlib.closing(sqlite3.connect(front.settings.database_file)) as connection:
        return int(connection.execute("SELECT count(*) FROM inbox WHERE is_open").fetchone()[0])


async def _nothing_is_open(front: Front) -> None:
    async with asyncio.timeout(20):
        while _open_rows(front):  # noqa: ASYNC110 - the database has no event
            await asyncio.sleep(0.02)


@on_both
async def test_a_lock_that_is_soon_let_go_delays_the_answer_and_no_more(tmp_path: Path, platform: str) -> None:
    async with front(platform, tmp_path) as bot:
        async with _locked(bot.settings.database_file, 1.0):
            question = await bot.ask(OPENING)
        await bot.answered_once(question, WORDS[OPENING])
        await _nothing_is_open(bot)


@pytest.mark.parametrize(
    ("locked", "busy"), [(1.5, 0.2), pytest.param(10.0, 5.0, marks=[pytest.mark.slow, pytest.mark.timeout(90)])]
)
async def test_whoever_asks_on_discord_while_the_database_is_locked_is_told_and_answered_later(
    tmp_path: Path, locked: float, busy: float
) -> None:
    async with front("discord", tmp_path, database={"busy_seconds": busy}) as bot:
        async with _locked(bot.settings.database_file, locked):
            question = await bot.ask(OPENING)
            said = await bot.until_said(question, "Try again")
            assert said == "The database is locked by another process. Try again in a moment."
        assert len(bot.answers(question)) == 1
        await bot.answered_once(await bot.ask(OPENING), WORDS[OPENING])
        await _nothing_is_open(bot)


@pytest.mark.parametrize(
    ("locked", "busy"), [(1.5, 0.2), pytest.param(10.0, 5.0, marks=[pytest.mark.slow, pytest.mark.timeout(90)])]
)
async def test_what_slack_could_not_hand_in_while_the_database_was_locked_comes_again(
    tmp_path: Path, locked: float, busy: float
) -> None:
    async with front("slack", tmp_path, database={"busy_seconds": busy}) as bot:
        async with _locked(bot.settings.database_file, locked):
            question = await bot.ask(OPENING)
        await bot.answered_once(question, WORDS[OPENING])
        await _nothing_is_open(bot)


async def _told_over_http(served: Served, code: str) -> None:
    """A question is refused with a problem of this code, and whoever asks whether the bot is ready hears that it is."""
    refused = await served.api.post("/v1/ask", json={"question": OPENING})
    assert (refused.status_code, refused.json()["type"]) == (503, f"urn:preceptor:error:{code}")
    assert (await served.api.get("/readyz")).status_code == 200


async def test_whoever_asks_over_http_while_the_database_is_locked_is_told(tmp_path: Path, serve: Serve) -> None:
    async with serve(database={"busy_seconds": 0.2}) as served:
        async with _locked(tmp_path / "data" / "preceptor.sqlite3", 1.5):
            await _told_over_http(served, "storage_busy")
        answered = await served.api.post("/v1/ask", json={"question": OPENING})
        assert answered.status_code == 200


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Callable[[], contextlib.AbstractContextManager[None]]]:
    """Put a file system of 8 MiB at a folder; gives what fills it for the while of a body."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system that is full takes the right to mount one")
    try:
        yield partial(_full, folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def _full(folder: Path) -> Iterator[None]:
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))
    try:
        yield
    finally:
        filler.unlink()


@on_both
async def test_a_full_disk_is_told_and_once_there_is_room_the_bot_goes_on(tmp_path: Path, platform: str) -> None:
    with _small_disk(tmp_path / "data") as full:
        async with front(platform, tmp_path) as bot:
            await bot.answered_once(await bot.ask(PARKING), WORDS[PARKING])
            with full():
                question = await bot.ask(OPENING)
                if platform == "discord":
                    said = await bot.until_said(question, "disk")
                    assert said == "The disk is full, so nothing can be kept. Free some space and try again."
                else:
                    # Slack sends it again and again; the first time it is refused.
                    await bot.until_refused()
            if platform == "slack":
                await bot.answered_once(question, WORDS[OPENING])
            await bot.answered_once(await bot.ask(NEWTON), WORDS[NEWTON])
            await _nothing_is_open(bot)


async def test_a_full_disk_is_told_over_http_too(tmp_path: Path, serve: Serve) -> None:
    with _small_disk(tmp_path / "data") as full:
        async with serve() as served:
            with full():
                await _told_over_http(served, "storage_failed")
            answered = await served.api.post("/v1/ask", json={"question": OPENING})
            assert answered.status_code == 200


@on_both
async def test_a_database_file_that_is_removed_while_the_bot_runs_is_put_back(tmp_path: Path, platform: str) -> None:
    async with front(platform, tmp_path) as bot:
        await bot.answered_once(await bot.ask(PARKING), WORDS[PARKING])
        for file in bot.settings.database_file.parent.glob(f"{bot.settings.database_file.name}*"):
            if file.is_file() and file.suffix in ("", ".sqlite3", ".sqlite3-wal", ".sqlite3-shm"):
                file.unlink()
        await bot.answered_once(await bot.ask(OPENING), WORDS[OPENING])
        await _nothing_is_open(bot)
        with contextlib.closing(sqlite3.connect(bot.settings.database_file)) as connection:
            assert connection.execute("SELECT count(*) FROM inbox").fetchone() == (2,)


@pytest.mark.parametrize(
    ("platform", "behaviour"),
    [
        pytest.param("discord", KeepsSilent(), id="hangs"),
        pytest.param("slack", Refuses(500, {"error": {"message": "CUDA out of memory"}}), id="fails"),
        pytest.param("discord", Sends(b"\x00\xff<html>rubbish"), id="writes no protocol"),
        pytest.param("slack", Writes(["\x00\x01", " ", "\n\n\n"]), id="writes nothing"),
        pytest.param("slack", Writes(["rubbish "] * 4_000, finish="", then="silence"), id="never ends"),
    ],
)
async def test_a_generator_that_is_of_no_use_is_replaced_by_what_the_documents_say(
    tmp_path: Path, platform: str, behaviour: Any
) -> None:
    async with LoopbackOpenAI() as openai:
        openai.always = behaviour
        sections: dict[str, Any] = {
            "generation": {"chain": ("openai",), "first_token_seconds": 0.5, "seconds": 1.5},
            "openai": {"base_url": openai.base_url, "model": MODEL},
        }
        async with front(platform, tmp_path, **sections) as bot:
            question = await bot.ask(OPENING)
            answer = await bot.answered_once(question, WORDS[OPENING])
            assert "rubbish" not in answer
            assert "CUDA" not in answer
            await _nothing_is_open(bot)


@on_both
@pytest.mark.parametrize("seconds", [0.7, pytest.param(5.0, marks=[pytest.mark.slow, pytest.mark.timeout(90)])])
async def test_a_slow_platform_gets_each_answer_once(tmp_path: Path, platform: str, seconds: float) -> None:
    async with front(platform, tmp_path) as bot:
        bot.slow_down(seconds)
        questions = [(await bot.ask(text), words) for text, words in WORDS.items()]
        for question, words in questions:
            await bot.answered_once(question, words, within=seconds * 8)
        await _nothing_is_open(bot)


@on_both
async def test_a_platform_that_fails_gets_the_answer_once_it_is_well(tmp_path: Path, platform: str) -> None:
    async with front(platform, tmp_path, dispatch={"retry_seconds": 0.5}) as bot:
        bot.fail(2)
        await bot.answered_once(await bot.ask(OPENING), WORDS[OPENING])
        await _nothing_is_open(bot)


@pytest.mark.slow
@pytest.mark.timeout(240)
@on_both
async def test_a_platform_that_fails_for_a_minute_gets_the_answer_once_it_is_well(
    tmp_path: Path, platform: str
) -> None:
    async with front(platform, tmp_path, dispatch={"retry_seconds": 5.0}) as bot:
        bot.fail(100_000)
        question = await bot.ask(OPENING)
        await asyncio.sleep(60)
        assert not bot.answers(question)
        bot.mend()
        await bot.answered_once(question, WORDS[OPENING], within=120)
        await _nothing_is_open(bot)


@on_both
async def test_a_storm_of_429s_is_waited_out(tmp_path: Path, platform: str) -> None:
    async with front(platform, tmp_path, dispatch={"retry_seconds": 0.5}) as bot:
        bot.limit(3)
        questions = [(await bot.ask(text), words) for text, words in WORDS.items()]
        for question, words in questions:
            await bot.answered_once(question, words)
        await _nothing_is_open(bot)
