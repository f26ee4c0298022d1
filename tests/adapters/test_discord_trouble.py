"""What goes wrong around Discord: defects of ours, files elsewhere, a proxy that refuses."""

import contextlib
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
from aiohttp import web
from discord_lab import READS_CONTENT, Lab, lab, nobody_hears
from structlog.testing import capture_logs
from yarl import URL

from adapters.discord import DiscordAdapter
from adapters.discord.refusals import in_core_terms
from bot.adapter import Accept, Receipt, Records
from bot.errors import AttachmentError, RateLimitedError, StorageBusyError
from bot.messages import Attachment, Place

QUESTION = "When does the office open?"


class _Locked(Records):
    async def has_accepted(self, key: str) -> bool:
        raise StorageBusyError("Another process holds the database.")

    async def takes_part(self, place: Place) -> bool:
        raise StorageBusyError("Another process holds the database.")


@contextlib.asynccontextmanager
async def _hearing(opened: Lab, records: Records, accept: Accept = nobody_hears) -> AsyncIterator[DiscordAdapter]:
    adapter = DiscordAdapter(opened.settings.discord, records)
    await adapter.start(accept)
    try:
        await opened.discord.connected()
        yield adapter
    finally:
        await adapter.stop()


async def test_whoever_meets_a_defect_of_ours_is_told_at_once(tmp_path: Path) -> None:
    async def _fail(message: Any) -> Receipt:
        raise KeyError("a defect")

    async with lab(tmp_path) as opened, _hearing(opened, Records(), _fail):
        with capture_logs() as logged:
            question = await opened.ada.says(opened.general, QUESTION, mentions_bot=True)
            told = await opened.general.next_answer()
        assert "did not work on my side" in told.content
        assert told.reference is question
        ((key, where),) = [(line["key"], line["where"]) for line in logged if line.get("error") == "KeyError"]
        assert (key, where.partition(":")[0]) == (str(question.id), Path(__file__).name)


async def test_a_database_that_cannot_be_asked_is_one_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with lab(tmp_path, intents=READS_CONTENT, message_content=True) as opened, _hearing(opened, _Locked()):
        with capture_logs() as logged:
            thread = await opened.ada.starts_thread(opened.general, "Lunch")
            said = await opened.ada.says(thread, "Lunch?")
            await opened.ada.edits(said, "Lunch at noon?")
            await opened.ada.deletes(said)
            await opened.discord.until(lambda: len(_codes(logged)) == 3)
        assert set(_codes(logged)) == {"storage_busy"}
        assert not [record for record in caplog.records if record.name.startswith("discord")]


def _codes(logged: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["code"] for line in logged if "code" in line]


@contextlib.asynccontextmanager
async def _another_host() -> AsyncIterator[tuple[str, list[str]]]:
    asked: list[str] = []

    async def _answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="secret")

    application = web.Application()
    application.router.add_get("/{path}", _answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def test_nothing_is_fetched_from_elsewhere_than_discord(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened, _another_host() as (address, asked):
        adapter = DiscordAdapter(opened.settings.discord, Records())
        for url in (
            f"{address}/x",
            "https://discordapp.com.example/x",
            "http://cdn.discordapp.com/x",
            "file:///x",
            "//[",
        ):
            with pytest.raises(AttachmentError, match="does not lie at Discord"):
                await anext(adapter.download(Attachment("x.png", "image/png", 1, url)))
        assert not asked


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7.0), ("0.5", 0.5), ("Wed, 21 Oct 2026 07:28:00 GMT", 5.0), ("-3", 5.0), ("inf", 5.0)]
)
def test_a_pause_that_a_gateway_wants_is_kept_however_it_says_it(said: str, seconds: float) -> None:
    response: Any = SimpleNamespace(status=429, reason="Too Many Requests", headers={"Retry-After": said})
    with pytest.raises(RateLimitedError) as raised, in_core_terms():
        raise discord.HTTPException(response, "error code: 1015")
    assert raised.value.seconds == seconds


def test_what_a_proxy_refuses_does_not_bring_an_interactions_token_into_the_log() -> None:
    request: Any = SimpleNamespace(real_url=URL("https://discord.com/api/v10/webhooks/1/t0ken/messages/@original"))
    with pytest.raises(ConnectionError) as raised, in_core_terms():
        raise aiohttp.ClientHttpProxyError(request, (), status=407, message="Proxy Authentication Required")
    assert "t0ken" not in "".join(traceback.format_exception(raised.value))
