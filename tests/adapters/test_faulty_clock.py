"""The clock of the machine jumps by hours under a real process: what is asked is answered, and once."""

import asyncio
import contextlib
import json
import shutil
import sqlite3
import struct
import subprocess
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from contract import contract_settings
from faulty_fronts import WORDS
from loopback_discord import LoopbackDiscord
from loopback_slack import LoopbackSlack

from tests.end_to_end.crash.bots import Bot

OPENING, PARKING, NEWTON = WORDS
_HOUR = 3_600

_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile long *offset;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void set_up(void) {
    int file = open(getenv("CLOCK_OFFSET"), O_RDONLY);
    if (file >= 0) offset = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && offset && clock == CLOCK_REALTIME) now->tv_sec += *offset;
    return failed;
}
time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *restrict where, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    where->tv_sec = now.tv_sec;
    where->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""
"""Stands between a program and the C library: the wall clock is wrong by what a file says, the other clocks are not."""


class _Clock:
    """The wall clock of the processes that are started under it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("a clock that jumps takes a C compiler")
        source, library, self._offset = folder / "clock.c", folder / "clock.so", folder / "offset"
        source.write_text(_CLOCK, encoding="utf-8")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self._offset.write_bytes(struct.pack("l", 0))
        monkeypatch.setenv("LD_PRELOAD", str(library))
        monkeypatch.setenv("CLOCK_OFFSET", str(self._offset))

    def jump(self, seconds: int) -> None:
        """Let the clock be wrong by so many seconds from now on."""
        with self._offset.open("r+b") as file:
            file.write(struct.pack("l", seconds))


@contextlib.asynccontextmanager
async def _running(folder: Path, **sections: dict[str, object]) -> AsyncIterator[Bot]:
    settings = contract_settings(folder)
    values = {
        "data_directory": str(settings.data_directory),
        "knowledge": {"sources": list(settings.knowledge.sources)},
        "http": {"enabled": False},
        **sections,
    }
    lines = [f"data_directory = {json.dumps(values.pop('data_directory'))}"]
    for name, section in values.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items())]  # type: ignore[attr-defined]
    (folder / "preceptor.toml").write_text("\n".join(lines), encoding="utf-8")
    bot = Bot(folder, 0)
    await bot.start()
    try:
        await bot.until_ready()
        yield bot
        assert bot.is_alive, bot.tail()
    finally:
        await bot.stop()


def _hours_between_questions(folder: Path) -> float:
    """Say how far the times at which questions came in lie apart, as the bot saw them: that the clock did jump."""
    (file,) = (folder / "data").glob("*.sqlite3")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        times = [datetime.fromisoformat(row[0]) for row in connection.execute("SELECT received_at FROM inbox")]
    return (max(times) - min(times)).total_seconds() / _HOUR


@pytest.mark.timeout(120)
async def test_on_discord_a_clock_that_jumps_changes_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock(tmp_path, monkeypatch)
    async with LoopbackDiscord() as discord:
        guild = discord.guild("Lab")
        general, ada = guild.channel("general"), guild.member("Ada")
        section: dict[str, object] = {"enabled": True, "token": discord.token, "base_url": discord.rest_url}
        async with _running(tmp_path, discord=section):
            await discord.connected()
            for seconds in (0, _HOUR, -_HOUR, 0):
                clock.jump(seconds)
                await ada.says(general, OPENING, mentions_bot=True)
                assert WORDS[OPENING] in (await general.next_answer()).text
            with discord.hold("POST /channels/*/messages"):
                await ada.says(general, PARKING, mentions_bot=True)
                clock.jump(_HOUR)
                await ada.says(general, NEWTON, mentions_bot=True)
                clock.jump(-_HOUR)
                await asyncio.sleep(0.5)
            await discord.until(lambda: len(general.bot_messages) >= 6)
            await discord.calm(0.5)
        assert len(general.bot_messages) == 6
        assert _hours_between_questions(tmp_path) > 1.9


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_on_slack_a_clock_that_jumps_changes_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock(tmp_path, monkeypatch)
    async with LoopbackSlack() as slack:
        general, ada = slack.channel("general"), slack.user("Ada")
        section: dict[str, object] = {
            "enabled": True,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "base_url": slack.base_url,
        }
        async with _running(tmp_path, slack=section):
            await slack.connected()
            for seconds in (0, _HOUR, -_HOUR, 0):
                clock.jump(seconds)
                asked = await ada.says(general, f"<@BOT> {OPENING}")
                await slack.until(lambda asked=asked: [one for one in general.from_bot if one.thread_ts == asked.ts])  # type: ignore[misc]
            await slack.settle()
        assert len(general.from_bot) == 4
        assert all(WORDS[OPENING] in answer.shown for answer in general.from_bot)
