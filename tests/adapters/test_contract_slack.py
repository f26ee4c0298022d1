"""Slack under the contract, in both modes: unpatched slack_bolt against a Slack on this machine."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract import AdapterContract, Opening, Seen, Stage, contract_settings, kept_conversation
from loopback_slack import Channel, LoopbackSlack, Message, User

from adapters.slack.manifest import bot_scopes
from bot.application import Application
from bot.settings import Settings


@dataclass
class _SlackStage(Stage):
    slack: LoopbackSlack
    settings: Settings
    people: dict[str, User]
    channels: dict[str, Channel]

    lacks: ClassVar[Mapping[str, str]] = {}
    longest: ClassVar[int | None] = 3_600

    async def asks(self, who: str, text: str, channel: str = "general", file: tuple[str, bytes] | None = None) -> Any:
        files = (file,) if file else ()
        return await self.people[who].says(self.channels[channel], f"<@BOT> {text}", files=files)

    async def follows_up(self, question: Any, who: str, text: str) -> Any:
        return await self.people[who].says(question.channel, text, thread=question.thread_ts or question.ts)

    async def answer(self, question: Any) -> Seen:
        return await self.answer_becomes(question, lambda seen: seen.texts)

    async def answer_becomes(self, question: Any, holds: Callable[[Seen], Any]) -> Seen:
        await self.slack.until(lambda: holds(self._seen(question)) and not self._is_growing(question), 20)
        await self._is_quiet()
        return self._seen(question)

    async def _is_quiet(self) -> None:
        """Wait until the bot has asked for nothing for half a second."""
        with contextlib.suppress(TimeoutError):
            while True:
                before = len(self.slack.calls)
                await self.slack.until(lambda: len(self.slack.calls) > before, 0.5)  # noqa: B023 - asked at once

    def _is_growing(self, question: Message) -> bool:
        return any(one.stream and not one.stream.stopped for one in question.channel.from_bot)

    def _seen(self, question: Message) -> Seen:
        thread = question.thread_ts or question.ts
        later = [one for one in question.channel.from_bot if one.ts > question.ts and not one.deleted]
        # What is for the asker's eyes alone stands in the channel: in a thread that is not there yet Slack hides it.
        shown = [one for one in later if one.thread_ts == thread or one.ephemeral_for == question.user]
        return Seen(tuple(message.shown for message in shown), question.channel.name)

    async def conversation(self, question: Any) -> str:
        return await kept_conversation(self.settings, f"slack/{question.channel.id}:{question.ts}")

    async def edits(self, question: Any, text: str) -> None:
        await self.people["Ada"].edits(question, f"<@BOT> {text}")

    async def deletes(self, question: Any) -> None:
        await self.people["Ada"].deletes(question)

    async def shows_again(self, question: Any) -> None:
        for delivery in question.deliveries:
            await self.slack.redeliver(delivery)

    async def forbids_writing(self, channel: str) -> None:
        self.channels[channel].restriction = "restricted_action"

    async def told_privately(self, who: str) -> str:
        return (await self.slack.dm(self.people[who]).next_message(10)).shown

    async def limits_the_rate(self, seconds: float) -> None:
        for method in ("chat.postMessage", "chat.startStream"):
            self.slack.rate_limit(method, 1)

    async def loses_the_connection(self) -> None:
        if not self.slack.drop_connections():
            pytest.skip("in HTTP mode there is no connection to lose: Slack calls for every event")

    async def sends_something_new(self) -> None:
        await self.slack.send_event({"type": "telepathy_changed", "thought": "42", "event_ts": "1.0"})

    async def count_of_answers(self, channel: str = "general") -> int:
        return len([message for message in self.channels[channel].from_bot if not message.deleted])


class _SlackContract(AdapterContract):
    mode: ClassVar[str]

    @pytest.fixture
    def open_stage(self, tmp_path: Path) -> Opening:
        @contextlib.asynccontextmanager
        async def _open() -> AsyncIterator[Stage]:
            async with LoopbackSlack() as slack:
                people = {name: slack.user(name) for name in ("Ada", "Grace")}
                application = Application(settings := self._settings(tmp_path, slack))
                slack.scopes.intersection_update(bot_scopes(settings))
                stage = _SlackStage(slack, settings, people, {"general": slack.channel("general")})
                http: Any = application.adapter("http")
                doors = [http, application.adapter("slack")] if self.mode == "http" else [application.adapter("slack")]
                async with application.running(doors):
                    if self.mode == "http":
                        slack.deliver_to(f"{http.address}/slack/events")
                    else:
                        await slack.connected()
                    yield stage

        return _open

    def _settings(self, folder: Path, slack: LoopbackSlack) -> Settings:
        tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token, "signing_secret": slack.signing_secret}
        section = {"enabled": True, "mode": self.mode, "base_url": slack.base_url} | tokens
        return contract_settings(folder, slack=section, http={"enabled": True})


class TestSlackSocketMode(_SlackContract):
    """The Slack adapter over a websocket."""

    mode = "socket"


class TestSlackHttpMode(_SlackContract):
    """The Slack adapter behind signed requests to the HTTP API."""

    mode = "http"
