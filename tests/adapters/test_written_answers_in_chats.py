"""Written answers on Discord and Slack: who breaks off half-way is replaced before the reader's eyes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord_lab
import pytest
import slack_lab

from tests.models.loopback_gemini import LoopbackGemini
from tests.models.loopback_openai import MODEL, LoopbackOpenAI
from tests.models.loopback_server import Writes

QUESTION = "When does the office open?"
BEGUN = "The office is open from 8 in the morning until 6 in the evening."
INSTEAD = "On Fridays the office closes at 4."
NOTE = "broke off. Written by"


@pytest.fixture
async def generation() -> AsyncIterator[dict[str, Any]]:
    """Settings under which Gemini begins and breaks off, and a server of OpenAI's protocol then answers."""
    async with LoopbackGemini() as gemini, LoopbackOpenAI() as openai:
        gemini.always = Writes([f"{BEGUN} ", "It ", "is ", "also "], finish="", then="drop", pause=0.4)
        openai.always = Writes([INSTEAD])
        yield {
            "generation": {"chain": ("gemini", "openai")},
            "gemini": {"base_url": gemini.base_url, "key": "AIza-loopback"},
            "openai": {"base_url": openai.base_url, "model": MODEL},
        }


async def test_on_discord_the_message_is_edited(tmp_path: Path, generation: dict[str, Any]) -> None:
    async with discord_lab.running_lab(tmp_path, edits_per_second=5, **generation) as lab:
        await lab.ada.says(lab.general, QUESTION, mentions_bot=True)
        answer = await lab.general.next_message()
        await lab.discord.until(lambda: NOTE in answer.content)
        assert any(BEGUN in version.content for version in answer.history)
        assert answer.content.startswith(f"{INSTEAD} [1]\n-# [1] Office handbook › Opening hours\n-# ")
        assert BEGUN not in answer.content
        assert answer.content.splitlines()[-1] == f"-# gemini-3.5-flash-lite broke off. Written by {MODEL}."
        assert [message.author.name for message in lab.general.log].count(lab.discord.bot_user.name) == 1


@pytest.mark.parametrize("streaming", [True, False])
async def test_on_slack_the_stream_is_ended_and_its_message_rewritten(
    tmp_path: Path, generation: dict[str, Any], streaming: bool
) -> None:
    async with slack_lab.running_lab(tmp_path, streaming=streaming, edits_per_second=5, **generation) as lab:
        await lab.ada.says(lab.general, f"<@BOT> {QUESTION}")
        answer = await lab.general.message_that(BEGUN)
        await answer.becomes(NOTE, within=10)
        assert f"{INSTEAD} [1]" in answer.shown
        assert BEGUN not in answer.shown
        assert len(lab.general.from_bot) == 1
