"""A whole `preceptor run` at its most talkative, with everything going wrong: no text and no secret is in its log."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adapters.loopback_discord import LoopbackDiscord, Upload
from tests.adapters.loopback_slack import LoopbackSlack
from tests.end_to_end.crash.bots import Bot
from tests.models.loopback_gemini import LoopbackGemini, error
from tests.models.loopback_server import KeepsSilent, Refuses, Sends, Writes

ADMIN_KEY, USER_KEY, GEMINI_KEY = "adminkeyhgfedcba9876", "userkeyabcdefgh01234", "AIzaPlantedGeminiKey0123456789"
NAME = "Plantagenet"
WORDS = ("wolpertinger", "quokka", "zanzibar", "axolotl", "okapi", "tardigrade", "narwhal", "pangolin", "capybara")
"""One stands in everything that is asked, one in every way of asking."""

ANSWERS = ("8 in the morning", "closes at 4", "north side of the building", "planted by the model")

QUESTION = "When does the office open, dear {}?"

SETTINGS = """
[log]
level = "debug"
format = "{form}"
[knowledge]
sources = ["{handbook}"]
[answers]
threshold = 0.0
deadline_seconds = 8.0
[generation]
chain = ["gemini"]
first_token_seconds = 0.5
seconds = 4.0
failures = 50
[gemini]
key = "{gemini_key}"
base_url = "{gemini}"
[dispatch]
retry_seconds = 1.0
[images]
[models.images]
labels = "floor"
captions = "floor"
[http]
port = {port}
admin_keys = ["{admin_key}"]
user_keys = ["{user_key}"]
[discord]
enabled = true
token = "{discord.token}"
base_url = "{discord.rest_url}"
[slack]
enabled = true
bot_token = "{slack.bot_token}"
app_token = "{slack.app_token}"
signing_secret = "{slack.signing_secret}"
base_url = "{slack.base_url}"
"""


@dataclass
class Lab:
    """A running process, and all that talks with it."""

    folder: Path
    discord: LoopbackDiscord
    slack: LoopbackSlack
    gemini: LoopbackGemini
    api: httpx.AsyncClient
    secrets: set[str] = field(default_factory=set)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "preceptor.sqlite3"


def _free_port() -> int:
    import socket

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


@asynccontextmanager
async def _running(folder: Path, handbook: Path, form: str) -> AsyncIterator[tuple[Lab, Bot]]:
    async with (
        LoopbackDiscord() as discord,
        LoopbackSlack() as slack,
        LoopbackGemini(key=GEMINI_KEY, models=("gemini-3.5-flash-lite",)) as gemini,
    ):
        port = _free_port()
        keys = {"admin_key": ADMIN_KEY, "user_key": USER_KEY, "gemini_key": GEMINI_KEY}
        text = SETTINGS.format(
            **keys, form=form, handbook=handbook, gemini=gemini.base_url, port=port, discord=discord, slack=slack
        )
        (folder / "preceptor.toml").write_text(text)
        bot = Bot(folder, 1)
        await bot.start()
        try:
            await bot.until_ready()
            headers = {"Authorization": f"Bearer {USER_KEY}"}
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as api:
                lab = Lab(folder, discord, slack, gemini, api)
                lab.secrets |= {ADMIN_KEY, USER_KEY, GEMINI_KEY, discord.token, slack.bot_token, slack.app_token}
                lab.secrets.add(slack.signing_secret)
                yield lab, bot
        finally:
            await bot.stop()


async def _on_discord(lab: Lab) -> None:
    guild = lab.discord.guild("Lab")
    general, ada = guild.channel("general"), guild.member(f"Ada {NAME}")
    await ada.says(general, QUESTION.format(WORDS[0]), mentions_bot=True)
    await general.next_answer()
    file = Upload(f"{WORDS[1]}-plan.png", b"no picture at all", "image/png")
    await ada.says(general, f"What is in this {WORDS[1]}?", mentions_bot=True, attachments=(file,))
    await general.next_answer()
    lab.discord.rate_limit("POST /channels/*/messages", 0.2)
    lab.discord.fail_next(2, status=500, route="POST /channels/*/messages")
    await ada.says(general, QUESTION.format(WORDS[2]), mentions_bot=True)
    await general.next_answer()
    asked = await ada.invokes(general, "ask", {"question": QUESTION.format(WORDS[3])})
    await asked.answer()
    lab.discord.rate_limit("PATCH /webhooks/*", 0.2)
    lab.discord.fail_next(1, status=500, route="PATCH /webhooks/*")
    private = await ada.invokes(general, "diagnose", {"symptoms": f"itchy red patches, {WORDS[3]}"})
    await private.answer()
    lab.secrets |= {interaction.token for interaction in lab.discord.interactions}
    strange = {"id": "1", "channel_id": str(general.id), "content": WORDS[4], "author": {"username": NAME}}
    await lab.discord.sends("MESSAGE_CREATE", strange)
    await lab.discord.drop_connection()


async def _on_slack(lab: Lab) -> None:
    ada, general = lab.slack.user(f"Ada {NAME}"), lab.slack.channel("general")
    lab.slack.fail_next("chat.postMessage", status=500)
    await ada.says(general, f"<@BOT> {QUESTION.format(WORDS[5])}", files=[(f"{WORDS[5]}.png", b"no picture")])
    await general.next_message()
    lab.slack.rate_limit("chat.update", 1)
    lab.slack.lose_answer("chat.postMessage")
    await ada.says(lab.slack.dm(ada), QUESTION.format(WORDS[6]))
    await lab.slack.dm(ada).next_message()
    delivery = await ada.commands(general, "/ask", QUESTION.format(WORDS[6]))
    lab.secrets.add(str(delivery.response_url).rsplit("/", 1)[-1] if delivery.response_url else ADMIN_KEY)
    lab.secrets |= {url.rsplit("/", 1)[-1] for url in map(str, lab.slack.workspace.response_urls)}
    await lab.slack.send_event({"type": "message", "text": WORDS[4], "user": 7, "channel": None, "ts": {}})
    refused = lab.slack.channel("closed")
    lab.slack.fail_next("chat.postMessage", times=9, status=200, error="not_in_channel")
    await ada.says(refused, f"<@BOT> {QUESTION.format(WORDS[6])}")
    lab.slack.drop_connections()


async def _over_http(lab: Lab) -> None:
    question = {"question": QUESTION.format(WORDS[7])}
    assert (await lab.api.post("/v1/ask", json=question)).status_code == 200
    assert (await lab.api.post("/v1/ask", json=question, headers={"Accept": "text/event-stream"})).status_code == 200
    spoilt = f'{{"question": "{WORDS[7]}'.encode()
    assert (await lab.api.post("/v1/ask", content=spoilt, headers={"Content-Type": "application/json"})).is_error
    wrong = {"Authorization": "Bearer wrongplantedkey0123456789"}
    lab.secrets.add("wrongplantedkey0123456789")
    assert (await lab.api.post("/v1/ask", json=question, headers=wrong)).status_code == 401
    assert (await lab.api.get(f"/v1/{WORDS[7]}", params={"key": USER_KEY})).status_code == 404
    file = {"file": (f"{WORDS[7]}.png", b"no picture at all", "image/png")}
    assert (await lab.api.post("/v1/describe", files=file, data={"question": WORDS[7]})).is_error
    assert (await lab.api.get("/v1/people/discord:80351110224678912")).status_code == 403
    assert (await lab.api.delete("/v1/me", params={"confirm": "yes"})).status_code == 200


async def _with_a_generator_out_of_order(lab: Lab) -> None:
    echo = error(400, "INVALID_ARGUMENT", f"Bad prompt: {WORDS[8]} {GEMINI_KEY}")
    rubbish = Sends(f"data: {{broken {WORDS[8]}\n\n".encode())
    cut = Writes(pieces=[f"The {WORDS[8]} ", "office"], then="drop")
    for behaviour in (KeepsSilent(), Refuses(400, echo), Refuses(503, f"<b>{WORDS[8]}</b>"), rubbish, cut):
        lab.gemini.script(behaviour)
        response = await lab.api.post("/v1/ask", json={"question": QUESTION.format(WORDS[8])})
        assert response.status_code == 200


async def _with_a_database_out_of_order(lab: Lab) -> None:
    """Let a table be missing: what is logged is a defect, with its traceback and the statement."""
    await asyncio.to_thread(_renamed, lab.database, "citations", "gone")
    try:
        response = await lab.api.post("/v1/ask", json={"question": QUESTION.format(WORDS[8])})
        assert response.is_error
    finally:
        await asyncio.to_thread(_renamed, lab.database, "gone", "citations")


def _renamed(database: Path, old: str, new: str) -> None:
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}")


@pytest.mark.timeout(110)
@pytest.mark.parametrize("form", ["json", pytest.param("console", marks=pytest.mark.slow)])
async def test_no_word_and_no_secret_is_in_the_log(tmp_path: Path, handbook: Path, form: str) -> None:
    async with _running(tmp_path, handbook, form) as (lab, bot):
        lab.gemini.always = Writes(pieces=["The office opens at 8 in the morning, ", "planted by the model [1]."])
        await asyncio.gather(_on_discord(lab), _on_slack(lab), _over_http(lab))
        await _with_a_generator_out_of_order(lab)
        await _with_a_database_out_of_order(lab)
    log = bot.last_words.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" in log, "nothing went wrong enough"
    assert len(log.splitlines()) > 20
    assert _shown(log, {*WORDS, *ANSWERS, NAME, *lab.secrets}) == []
    if form == "json":
        lines: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
        assert {"debug", "info", "warning"} >= {line["level"] for line in lines} - {"error"}
        assert all(line["event"] and line["timestamp"] for line in lines)


def _shown(log: str, planted: set[str]) -> list[str]:
    """Give the lines that hold what was planted, the start of each."""
    whole = os.linesep.join(log.splitlines())
    found = [word for word in sorted(planted) if word and word.lower() in whole.lower()]
    return [line[:400] for line in log.splitlines() for word in found if word.lower() in line.lower()]
