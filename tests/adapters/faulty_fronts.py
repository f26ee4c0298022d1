"""Discord and Slack as the tests of faults see them: people ask, and their answers are counted."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord_lab
import slack_lab
from loopback_discord import Message as DiscordMessage
from loopback_slack import Delivery
from loopback_slack import Message as SlackMessage

from bot.settings import Settings

WORDS = {
    "When does the office open?": "8 in the morning",
    "Where do visitors park?": "north side",
    "What is Newton's first law?": "at rest",
}
"""Questions, and what stands in their answers."""


class Front(ABC):
    """One platform with Preceptor on it."""

    settings: Settings

    @abstractmethod
    async def ask(self, text: str) -> str:
        """Have somebody ask with a mention; gives a name for the question."""

    @abstractmethod
    def answers(self, question: str) -> list[str]:
        """Give what the bot says to a question now."""

    @abstractmethod
    async def settle(self) -> None:
        """Wait until nothing more is under way."""

    @abstractmethod
    def slow_down(self, seconds: float) -> None:
        """Let the platform take so long to take a message."""

    @abstractmethod
    def fail(self, times: int) -> None:
        """Answer the next messages with 500."""

    @abstractmethod
    def limit(self, times: int) -> None:
        """Answer the next messages with 429, to be tried again in a second."""

    async def until_refused(self) -> None:
        """Wait until the bot did not take an event in, and the platform knows that it is to send it again."""
        raise NotImplementedError("this platform sends nothing again")

    @abstractmethod
    def mend(self) -> None:
        """Let everything go well again."""

    async def until_said(self, question: str, words: str, within: float = 20.0) -> str:
        """Wait until these words stand in an answer, and give it."""
        async with asyncio.timeout(within):
            while True:
                found = [text for text in self.answers(question) if words in text]
                if found:
                    return found[0]
                await asyncio.sleep(0.02)

    async def answered_once(self, question: str, words: str, within: float = 20.0) -> str:
        """Wait for the answer, see that no second one comes, and give it."""
        text = await self.until_said(question, words, within)
        await self.settle()
        assert len(self.answers(question)) == 1, self.answers(question)
        return text


class DiscordFront(Front):
    """A server with a channel."""

    def __init__(self, lab: discord_lab.Lab) -> None:
        self._lab = lab
        self._asked: dict[str, DiscordMessage] = {}
        self.settings = lab.settings

    async def ask(self, text: str) -> str:
        message = await self._lab.ada.says(self._lab.general, text, mentions_bot=True)
        self._asked[str(message.id)] = message
        return str(message.id)

    def answers(self, question: str) -> list[str]:
        asked = self._asked[question]
        return [one.text for one in self._lab.general.bot_messages if one.reference is asked]

    async def settle(self) -> None:
        await self._lab.discord.calm(0.4)

    def slow_down(self, seconds: float) -> None:
        self._lab.discord.slow("POST /channels/*/messages", seconds)

    def fail(self, times: int) -> None:
        self._lab.discord.fail_next(times, route="POST /channels/*/messages")

    def mend(self) -> None:
        while self._lab.discord.faults.next_plan("POST /channels/{channel_id}/messages", "*"):
            pass

    def limit(self, times: int) -> None:
        self._lab.discord.rate_limit("POST /channels/*/messages", 1.0, times=times)


class SlackFront(Front):
    """A workspace with a channel, over Socket Mode; what is not acknowledged comes again."""

    def __init__(self, lab: slack_lab.Lab) -> None:
        self._lab = lab
        self._asked: dict[str, SlackMessage] = {}
        self.settings = lab.settings
        lab.slack.dispatch.retry_pauses = (0.2, 1.0, 2.0)

    async def ask(self, text: str) -> str:
        lab = self._lab
        message = lab.general.draft(lab.ada, f"<@BOT> {text}", "")
        lab.general.add(message)
        # Nobody waits for the acknowledgement: it may come late.
        lab.slack.dispatch.later(lab.slack.dispatch.message(message))
        self._asked[message.ts] = message
        return message.ts

    def answers(self, question: str) -> list[str]:
        said = [one for one in self._lab.general.from_bot if one.thread_ts == question and not one.deleted]
        return [one.shown for one in said]

    async def settle(self) -> None:
        await self._lab.slack.settle()
        await asyncio.sleep(0.3)

    def slow_down(self, seconds: float) -> None:
        for method in ("chat.postMessage", "chat.startStream"):
            self._lab.slack.slow(method, seconds, times=3)

    def fail(self, times: int) -> None:
        self._lab.slack.fail_next("chat.*", times)

    async def until_refused(self) -> None:
        async with asyncio.timeout(20):
            while not any(map(_was_refused, self._lab.slack.deliveries)):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.02)

    def mend(self) -> None:
        self._lab.slack.faults.clear()

    def limit(self, times: int) -> None:
        self._lab.slack.rate_limit("chat.*", 1, times)


def _was_refused(delivery: Delivery) -> bool:
    return not delivery.acknowledged and bool(delivery.attempts[0].failure)


@contextlib.asynccontextmanager
async def front(platform: str, folder: Path, **sections: Any) -> AsyncIterator[Front]:
    """Open a platform with the bot on it; `sections` are whole sections of the settings."""
    if platform == "discord":
        async with discord_lab.running_lab(folder, **sections) as on_discord:
            yield DiscordFront(on_discord)
    else:
        async with slack_lab.running_lab(folder, **sections) as on_slack:
            yield SlackFront(on_slack)
