"""Where people ask: a person's conversation with the bot on one of the platforms, and what the bot said in it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.adapters import loopback_discord, loopback_slack

from .things import Thing


@dataclass(slots=True, eq=False)
class Question:
    """A question on its way.

    Attributes:
        number: the how-manieth of the whole trial.
        message: what the platform made of it; None until it is posted.
    """

    number: int
    thing: Thing
    message: Any = None


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the bot's, deleted ones too: its text as it stands, and the platform's message that it answers."""

    text: str
    answers: Any
    message: Any
    at: float


@dataclass(slots=True, eq=False)
class Conversation(ABC):
    """One person in one place; what is asked there is answered there, in order.

    Attributes:
        times: how often the platform delivers each event to each of the bot's connections.
        is_ordered: whether all of its questions are one conversation to the bot.
        is_heard_later: whether the platform tells of a question again, or has it in its history, where nobody heard it.
    """

    name: str
    times: int = 1
    is_ordered: bool = True
    is_heard_later: bool = True
    questions: list[Question] = field(default_factory=list)

    async def ask(self, question: Question) -> None:
        """Ask, as often as the platform delivers it."""
        self.questions.append(question)
        await self._post(question)

    @abstractmethod
    async def _post(self, question: Question) -> None: ...

    @abstractmethod
    def said(self) -> Iterator[Said]:
        """Give what the bot said here, in the order in which it came to stand."""

    @abstractmethod
    def key(self, question: Question) -> str:
        """Give the part of the inbox key that names the question."""


@dataclass(slots=True, eq=False, kw_only=True)
class OnDiscord(Conversation):
    """A member in a channel, who mentions the bot, or in direct messages."""

    discord: loopback_discord.LoopbackDiscord
    channel: loopback_discord.Channel
    member: loopback_discord.Member

    async def _post(self, question: Question) -> None:
        mentions = self.channel.guild is not None
        question.message = await self.member.says(self.channel, question.thing.question, mentions_bot=mentions)
        for _ in range(self.times - 1):
            await self.discord.redeliver(question.message)

    def said(self) -> Iterator[Said]:
        bot = self.discord.bot_user
        for message in self.channel.log:
            if message.author is bot and (message.reference is None or message.reference.author is self.member.user):
                yield Said(message.text, message.reference, message, message.created_at.timestamp())

    def key(self, question: Question) -> str:
        return str(question.message.id)


@dataclass(slots=True, eq=False, kw_only=True)
class ByCommand(Conversation):
    """A member of a Discord server who uses ``/ask`` in a channel of their own. Who asks nobody is told so at once."""

    is_heard_later: bool = False
    discord: loopback_discord.LoopbackDiscord
    channel: loopback_discord.Channel
    member: loopback_discord.Member

    async def _post(self, question: Question) -> None:
        asked = {"question": question.thing.question}
        question.message = await self.member.invokes(self.channel, "ask", asked)

    def said(self) -> Iterator[Said]:
        for message in self.channel.log:
            # A deferred answer stands from the command on, and says something later.
            began = next((version.at for version in message.history if version.content), message.created_at)
            yield Said(message.text, message.interaction, message, began.timestamp())

    def key(self, question: Question) -> str:
        return str(question.message.id)


@dataclass(slots=True, eq=False, kw_only=True)
class OnSlack(Conversation):
    """A person in a direct message with the bot, or in a channel where it is mentioned.

    What stands in a thread is one conversation; what does not opens a thread, and so a conversation, by itself.
    """

    slack: loopback_slack.LoopbackSlack
    channel: loopback_slack.Channel
    user: loopback_slack.User
    in_thread: bool = False
    root: loopback_slack.Message | None = None

    async def _post(self, question: Question) -> None:
        mention = "" if self.channel.kind == "im" else "<@BOT> "
        thread = self.root if self.in_thread and self.root else ""
        message = self.channel.draft(self.user, f"{mention}{question.thing.question}", thread)
        question.message = self.channel.add(message)
        self.root = self.root or message
        message.deliveries += await self.slack.dispatch.message(message)
        for number in range(1, self.times):
            again = (self.slack.redeliver(delivery, number) for delivery in message.deliveries)
            await asyncio.gather(*again)

    def said(self) -> Iterator[Said]:
        mine = {question.message.ts: question.message for question in self.questions if question.message}
        for message in self.channel.from_bot:
            root = mine.get(message.thread_ts)
            if root is not None:
                yield Said(message.shown, root, message, message.states[0].at)

    def key(self, question: Question) -> str:
        return str(question.message.ts)
