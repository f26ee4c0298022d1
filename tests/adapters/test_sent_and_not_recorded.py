"""A process that ends after the platform took a message and before that was written down: it stands once."""

import re
from pathlib import Path
from typing import Any

import pytest
from contract import LONG_ANSWER
from discord_lab import lab as discord_lab
from loopback_slack.faults import Fault
from slack_lab import lab as slack_lab

QUESTION = "How do I set up the printer?"
_POST, _HISTORY = "POST /channels/*/messages", "GET /channels/*/messages"
_AT_ONCE: dict[str, Any] = {"dispatch": {"shutdown_seconds": 0.1}, "answers": {"shown_after_seconds": 10.0}}


def _steps(*texts: str) -> list[str]:
    """The numbered steps of the long answer, in the order in which they are read."""
    return re.findall(r"Step (\d+):", "\n".join(texts))


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_part_that_discord_took_stands_once(tmp_path: Path, lost: int) -> None:
    async with discord_lab(tmp_path, **_AT_ONCE) as lab:
        general = lab.general
        lab.discord.slow(_POST, 0.2)
        # The process ends while it looks for what it may have sent.
        with lab.discord.hold(_HISTORY):
            async with lab.running():
                await lab.ada.says(general, QUESTION, mentions_bot=True)
                await lab.discord.until(lambda: len(general.bot_messages) == lost)
                lab.discord.lose_answer(_POST)
                await lab.discord.until(lambda: len(general.bot_messages) == lost + 1)
        lab.discord.advance(3_600)  # the nonce is forgotten by now
        async with lab.running():
            await lab.discord.until(lambda: "That is all." in general.bot_messages[-1].content)
            await lab.discord.calm()
        assert _steps(*(message.content for message in general.bot_messages)) == _steps(LONG_ANSWER)


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_part_that_slack_took_stands_once(tmp_path: Path, lost: int) -> None:
    async with slack_lab(tmp_path, streaming=False, **_AT_ONCE) as lab:
        general = lab.general
        async with lab.running():
            for number in range(lost + 1):
                lab.slack.faults.add("chat.postMessage", Fault(loses_answer=number == lost))
            lab.slack.slow("conversations.replies", 30.0)
            await lab.ada.says(general, f"<@BOT> {QUESTION}")
            await lab.slack.until(lambda: len(general.from_bot) == lost + 1)
        lab.slack.faults.clear()
        async with lab.running():
            await general.message_that("That is all.")
            await lab.calm()
        assert _steps(*(message.shown for message in general.from_bot)) == _steps(LONG_ANSWER)


async def test_what_was_said_privately_in_a_direct_message_on_discord_stands_once(tmp_path: Path) -> None:
    async with discord_lab(tmp_path, **_AT_ONCE) as lab:
        with lab.discord.hold(_HISTORY):
            async with lab.running():
                lab.discord.lose_answer(_POST)
                await lab.ada.says(lab.general, "/help", mentions_bot=True)
                await lab.discord.until(lambda: bool(lab.ada.dm.bot_messages))
        lab.discord.advance(3_600)
        async with lab.running():
            await lab.discord.until(lambda: bool(lab.discord.requests_to("PATCH /channels/*/messages/*")))
            await lab.discord.calm()
        assert len(lab.ada.dm.bot_messages) == 1


async def test_what_was_said_privately_in_a_direct_message_on_slack_stands_once(tmp_path: Path) -> None:
    async with slack_lab(tmp_path, streaming=False, **_AT_ONCE) as lab:
        direct = lab.slack.dm(lab.ada)
        async with lab.running():
            lab.slack.lose_answer("chat.postMessage")
            lab.slack.slow("conversations.replies", 30.0)
            await lab.ada.says(direct, "/help")
            await lab.slack.until(lambda: bool(direct.from_bot))
        lab.slack.faults.clear()
        async with lab.running():
            await lab.slack.until(lambda: bool(lab.slack.calls_of("chat.update")))
            await lab.calm()
        assert len(direct.from_bot) == 1
