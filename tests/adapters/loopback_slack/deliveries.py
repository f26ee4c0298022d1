"""What the loopback Slack sent to the bot, how often, and when and how the bot acknowledged it."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from .wire import Json

Kind = Literal["events_api", "slash_commands", "interactive"]
"""The three kinds, by the names that Socket Mode gives their envelopes."""


@dataclass(frozen=True, slots=True)
class Retry:
    """That something is sent again: the how-manieth time (from 1) and why, in Slack's words."""

    number: int
    reason: str


@dataclass(slots=True)
class Attempt:
    """One time that it was sent.

    Attributes:
        at: when, in seconds since the epoch.
        retry: None for the first time.
        latency: seconds until the acknowledgement, None while there is none.
        status: the HTTP status; 200 for an acknowledged envelope, 0 where no answer came.
        failure: why there is no acknowledgement, as Slack names it for a retry (``http_timeout``), or empty.
        no_retry: whether the bot asked for no further attempts (``X-Slack-No-Retry``).
    """

    at: float = field(default_factory=time.time)
    retry: Retry | None = None
    latency: float | None = None
    status: int = 0
    failure: str = ""
    no_retry: bool = False
    answer: Any = None

    @property
    def acknowledged(self) -> bool:
        return self.latency is not None

    def acknowledge(self, answer: Any, status: int = 200) -> None:
        """Note that the bot took it, and what it answered (JSON, or text, or nothing)."""
        self.latency, self.status, self.answer, self.failure = time.time() - self.at, status, answer, ""


@dataclass(slots=True, eq=False, repr=False)
class Delivery:
    """An event, a command or an interaction on its way to the bot.

    Attributes:
        payload: what is sent: the whole event envelope, the command's form, the interaction's payload.
        attempts: each time it was sent.
        response_url: where the bot may answer a command or an interaction, empty for events.
    """

    kind: Kind
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)
    response_url: str = ""

    def __repr__(self) -> str:
        return f"<{self.type} {self.event_id} sent {len(self.attempts)} times, acknowledged after {self.latency:.3f} s>"

    @property
    def event(self) -> Json:
        """The event itself; empty for a command or an interaction."""
        return dict(self.payload.get("event", {}))

    @property
    def event_id(self) -> str:
        return str(self.payload.get("event_id", ""))

    @property
    def type(self) -> str:
        """``app_mention``, ``message``, ``message_changed``, ``/ask``, ``block_actions``."""
        if self.kind == "slash_commands":
            return str(self.payload["command"])
        return str(self.event.get("subtype") or self.event.get("type") or self.payload.get("type"))

    @property
    def acknowledged(self) -> bool:
        return any(attempt.acknowledged for attempt in self.attempts)

    @property
    def latency(self) -> float:
        """Seconds from sending to the first acknowledgement; infinite where there is none."""
        taken = [attempt.latency for attempt in self.attempts if attempt.latency is not None]
        return taken[0] if taken else float("inf")

    @property
    def answer(self) -> Any:
        """What the bot answered in its acknowledgement, None where nothing."""
        return next((attempt.answer for attempt in self.attempts if attempt.acknowledged), None)

    @property
    def status(self) -> int:
        """The HTTP status of the last attempt."""
        return self.attempts[-1].status if self.attempts else 0
