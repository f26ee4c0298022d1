"""Symptoms on Discord, on Slack and over HTTP: who sees the answer, where it stands, and how more is said."""

from collections.abc import AsyncIterator
from pathlib import Path

import discord_lab
import httpx
import pytest
import slack_lab
from http_serving import running_api

SYMPTOMS = "itchy red patches with silvery scales on my elbows and knees"
DISCLAIMER = "not a doctor"


@pytest.fixture
async def discord(tmp_path: Path) -> AsyncIterator[discord_lab.Lab]:
    """A bot on Discord."""
    async with discord_lab.running_lab(tmp_path) as opened:
        yield opened


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[slack_lab.Lab]:
    """A bot on Slack."""
    async with slack_lab.running_lab(tmp_path) as opened:
        yield opened


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running API."""
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "ohm.md").write_text("# Ohm's law\n\nVoltage equals current times resistance.\n")
    async with running_api(tmp_path) as served:
        yield served.api


async def test_on_discord_a_command_is_answered_for_its_giver_alone(discord: discord_lab.Lab) -> None:
    asked = await discord.ada.invokes(discord.general, "diagnose", {"symptoms": SYMPTOMS})
    answer = await asked.answer()
    assert answer.ephemeral
    assert "**psoriasis**: likely" in answer.content
    assert DISCLAIMER in answer.content


async def test_on_discord_a_mention_is_answered_in_a_direct_message(discord: discord_lab.Lab) -> None:
    await discord.ada.says(discord.general, f"diagnose: {SYMPTOMS}", mentions_bot=True)
    assert "**psoriasis**" in (await discord.ada.dm.next_answer()).content
    assert not discord.general.bot_messages


async def test_on_discord_it_stands_in_a_thread_where_that_is_set(tmp_path: Path) -> None:
    async with discord_lab.running_lab(tmp_path, diagnosis={"reply": "thread"}) as lab:
        said = await lab.ada.says(lab.general, f"diagnose: {SYMPTOMS}", mentions_bot=True)
        await lab.discord.until(lambda: said.thread is not None and bool(said.thread.bot_messages))
        assert not lab.general.bot_messages
        assert "**psoriasis**" in said.thread.bot_messages[0].content
        await lab.ada.says(said.thread, "and my finger nails have small pits", mentions_bot=True)
        await lab.discord.until(lambda: len(said.thread.bot_messages) == 2)
        assert "**psoriasis**" in said.thread.bot_messages[1].content


async def test_on_slack_a_command_is_answered_for_its_giver_alone(slack: slack_lab.Lab) -> None:
    await slack.ada.commands(slack.general, "/diagnose", SYMPTOMS)
    answer = await slack.general.next_message()
    assert answer.ephemeral_for == slack.ada.id
    assert "psoriasis" in answer.shown
    assert DISCLAIMER in answer.shown
    assert "Share" not in answer.shown


async def test_on_slack_a_mention_is_answered_for_its_writer_alone(slack: slack_lab.Lab) -> None:
    await slack.ada.says(slack.general, f"<@BOT> diagnose: {SYMPTOMS}")
    answer = await slack.general.next_message()
    assert answer.ephemeral_for == slack.ada.id
    assert "psoriasis" in answer.shown


async def test_on_slack_it_stands_in_the_thread_where_that_is_set(tmp_path: Path) -> None:
    async with slack_lab.running_lab(tmp_path, diagnosis={"reply": "thread"}) as lab:
        said = await lab.ada.says(lab.general, f"<@BOT> diagnose: {SYMPTOMS}")
        answer = await lab.general.next_message()
        assert not answer.ephemeral_for
        assert answer.thread_ts == said.ts


async def test_what_is_offered_is_judged_at_a_press(slack: slack_lab.Lab) -> None:
    await slack.ada.says(slack.general, f"<@BOT> I have {SYMPTOMS}")
    offer = await slack.general.message_that("sounds like symptoms")
    await slack.ada.presses(offer, "What may it point to?")
    answer = await slack.general.message_that("psoriasis")
    assert answer.ephemeral_for == slack.ada.id


async def test_over_http_the_whole_document_is_given(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/diagnose", json={"symptoms": SYMPTOMS})
    told = response.json()
    assert response.status_code == 200
    first = told["conditions"][0]
    assert (first["label"], told["abstained"], told["red_flags"], told["model"]) == ("psoriasis", False, [], "floor")
    assert 0.5 < first["probability"] <= 1
    assert all(phrase in SYMPTOMS for phrase in first["because"])
    assert first["sentence"].startswith("Psoriasis is")
    assert DISCLAIMER in told["disclaimer"]
    assert DISCLAIMER in told["answer"]


async def test_over_http_a_conversation_goes_on(api: httpx.AsyncClient) -> None:
    first = (await api.post("/v1/diagnose", json={"symptoms": "fever and chills for three days"})).json()
    more = {"symptoms": "yellow eyes, yellow skin, dark urine", "conversation_id": first["conversation_id"]}
    told = (await api.post("/v1/diagnose", json=more)).json()
    assert told["conversation_id"] == first["conversation_id"]
    assert told["conditions"][0]["label"] == "jaundice"
    kept = (await api.get(f"/v1/conversations/{first['conversation_id']}")).json()
    assert [message["role"] for message in kept["messages"]] == ["question", "answer"] * 2


async def test_over_http_somebody_elses_conversation_is_not_found(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/diagnose", json={"symptoms": SYMPTOMS, "conversation_id": "0" * 32})
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"symptoms": "?!"}, 422, "question_empty"),
        ({"symptoms": "itchy " * 4_000}, 422, "question_too_long"),
        ({"symptoms": 3}, 422, "request_invalid"),
        ({"text": SYMPTOMS}, 422, "request_invalid"),
        ({"symptoms": SYMPTOMS, "conversation_id": "../etc"}, 404, "conversation_not_found"),
    ],
)
async def test_over_http_bad_input_is_a_problem(
    api: httpx.AsyncClient, body: dict[str, object], status: int, code: str
) -> None:
    response = await api.post("/v1/diagnose", json=body)
    assert response.status_code == status
    assert response.json()["type"] == f"urn:preceptor:error:{code}"


async def test_over_http_switched_off_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "ohm.md").write_text("# Ohm's law\n\nVoltage equals current times resistance.\n")
    async with running_api(tmp_path, diagnosis={"enabled": False}) as served:
        response = await served.api.post("/v1/diagnose", json={"symptoms": SYMPTOMS})
    assert response.status_code == 501


async def test_over_http_the_document_says_that_symptoms_may_be_judged(api: httpx.AsyncClient) -> None:
    told = (await api.post("/v1/ask", json={"question": f"I have {SYMPTOMS}"})).json()
    assert told["offers_diagnosis"] is True
    assert "diagnose" not in told["answer"]
    assert told["suggestions"] == []
