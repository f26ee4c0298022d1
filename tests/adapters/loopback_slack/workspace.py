"""Everything that the loopback Slack remembers: people, places, messages, files, views and what changed."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from .channels import Channel
from .files import File
from .identifiers import Identifiers
from .people import AssistantThread, User, UserGroup
from .response_urls import ResponseUrl
from .views import View
from .wire import ApiError, Json

_Found = TypeVar("_Found")

TRIGGER_SECONDS = 3
"""How long a trigger_id opens a view."""

STATUS_SECONDS = 120
"""How long a status stands when no message follows."""

SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "chat:write.public",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
    }
)
"""Every bot scope that the loopback knows."""


@dataclass(slots=True)
class Trigger:
    """A trigger_id: whom it is for, when it was given and whether it was used."""

    user: str
    at: float
    used: bool = False


@dataclass(slots=True)
class Status:
    """One call of assistant.threads.setStatus; an empty text clears it."""

    channel: str
    thread_ts: str
    text: str
    loading_messages: list[str]
    at: float


@dataclass(slots=True, eq=False)
class Workspace:
    """The state of one Slack workspace with one app in it."""

    team: str = "T0LOOPBACK"
    domain: str = "loopback"
    app: str = "A0LOOPBACK"
    bot_user: str = "U0LOOPBOT"
    bot_id: str = "B0LOOPBOT"
    bot_name: str = "preceptor"
    base: str = ""
    edit_window: float = float("inf")
    ids: Identifiers = field(default_factory=Identifiers)
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    threads: dict[tuple[str, str], AssistantThread] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    _shown: dict[tuple[str, str], Status] = field(default_factory=dict)
    _passed: float = 0.0
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> float:
        """Seconds since the epoch, with the time that a test let pass."""
        return time.time() + self._passed

    def pass_time(self, seconds: float) -> None:
        """Let time pass for triggers, response_urls and the edit window."""
        self._passed += seconds

    def changed(self) -> None:
        """Wake those who wait for something to become true."""
        change, self._change = self._change, asyncio.Event()
        change.set()

    async def until(self, condition: Callable[[], _Found], within: float, what: str = "it") -> _Found:
        """Wait until `condition` gives something true, and give that.

        Raises:
            TimeoutError: it did not `within` so many seconds; the message says what was waited for.
        """
        try:
            async with asyncio.timeout(within):
                while not (found := condition()):
                    await self._change.wait()
                return found
        except TimeoutError as error:
            raise TimeoutError(f"Waited {within} s in vain for {what}.") from error

    def channel(self, name: str) -> Channel:
        """The channel of this id or name; a person's id names the direct message with them.

        Raises:
            ApiError: ``channel_not_found``, also for a private one that the bot is not in.
        """
        wanted = name.removeprefix("#")
        if wanted in self.users:
            return self.direct_message(wanted)
        found = self.channels.get(wanted) or next((c for c in self.channels.values() if c.name == wanted), None)
        if found is None or (found.is_private and not found.bot_is_member):
            raise ApiError("channel_not_found")
        return found

    def direct_message(self, user: str) -> Channel:
        """The direct message between a person and the bot, opened where there is none."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.user == user:
                return channel
        opened = Channel(self.ids.new("D"), "", self, "im", {user}, user=user)
        self.channels[opened.id] = opened
        return opened

    def trigger(self, user: str) -> str:
        """A fresh trigger_id."""
        name = f"{self.ids.new('13345224609')}.{self.ids.timestamp()}"
        self.triggers[name] = Trigger(user, self.now())
        return name

    def pull(self, trigger_id: str) -> str:
        """Use a trigger_id up and give the user it is for.

        Raises:
            ApiError: it is unknown, too old or used.
        """
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if self.now() - trigger.at > TRIGGER_SECONDS:
            raise ApiError("expired_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        trigger.used = True
        return trigger.user

    def response_url(self, user: str, channel: Channel, message_ts: str = "", thread_ts: str = "") -> str:
        """A fresh response_url for a command or an interaction in this channel."""
        entry = ResponseUrl(self.ids.new("R"), user, channel, self.now(), message_ts, thread_ts)
        self.response_urls[entry.id] = entry
        return f"{self.base}/response/{entry.id}"

    def status(self, channel: str, thread_ts: str) -> str:
        """The status that is shown in a thread now, empty for none."""
        shown = self._shown.get((channel, thread_ts))
        return shown.text if shown and self.now() - shown.at < STATUS_SECONDS else ""

    def set_status(self, status: Status) -> None:
        """Show a status in a thread, or none where its text is empty."""
        self.statuses.append(status)
        self._shown[(status.channel, status.thread_ts)] = status
        self.changed()

    def clear_status(self, channel: str, thread_ts: str) -> None:
        """Take the status away, as Slack does when the bot posts."""
        if self.status(channel, thread_ts):
            self.set_status(Status(channel, thread_ts, "", [], self.now()))

    def bot_profile(self) -> Json:
        """The bot as users.info gives it."""
        names = {"name": self.bot_name, "real_name": self.bot_name, "is_bot": True, "deleted": False}
        return {"id": self.bot_user, "team_id": self.team, "profile": {"bot_id": self.bot_id}} | names
