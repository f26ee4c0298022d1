"""Interactions as the loopback keeps them: what was asked, and every response with its time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .messages import EPHEMERAL

if TYPE_CHECKING:
    from datetime import datetime

    from .messages import Message
    from .people import User
    from .places import Channel
    from .world import World

MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9

RESPONSE_SECONDS = 3
TOKEN_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class InteractionResponse:
    """The first response to an interaction.

    Attributes:
        kind: 4 message, 5 deferred message, 6 deferred update, 7 update of the pressed message, 8 choices, 9 modal.
        at: when it came.
        data: what it carried.
    """

    kind: int
    at: datetime
    data: dict[str, Any]

    @property
    def flags(self) -> int:
        """The message flags it was sent with."""
        return int(self.data.get("flags") or 0)

    @property
    def ephemeral(self) -> bool:
        """Whether the person who invoked alone sees what comes of it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def deferred(self) -> bool:
        """Whether it only says that more will come."""
        return self.kind in (DEFERRED_MESSAGE, DEFERRED_UPDATE)


@dataclass(slots=True, eq=False)
class Interaction:
    """A command, a press, a completion or a form.

    Attributes:
        kind: 2 command, 3 component, 4 autocomplete, 5 modal.
        source: the message whose component was used.
        responses: the first response; a second one is refused, so there is one at most.
        message: the response as a message (``@original``), as it now stands.
        followups: what was sent after it.
        refused: the codes of what the bot tried in vain.
        expired: whether its token no longer works, whatever the time.
    """

    world: World
    id: int
    kind: int
    user: User
    channel: Channel
    data: dict[str, Any]
    created_at: datetime
    source: Message | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(90))
    responses: list[InteractionResponse] = field(default_factory=list)
    message: Message | None = None
    followups: list[Message] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    expired: bool = False

    @property
    def acknowledged(self) -> bool:
        """Whether it had its first response."""
        return bool(self.responses)

    @property
    def messages(self) -> list[Message]:
        """What is left of the response and the follow-ups."""
        first = [self.message] if self.message and self.message is not self.source else []
        return [message for message in first + self.followups if not message.deleted]

    @property
    def choices(self) -> list[dict[str, Any]]:
        """What an autocomplete offers: names and values."""
        return list(self.responses[0].data.get("choices") or []) if self.responses else []

    @property
    def modal(self) -> dict[str, Any] | None:
        """The form that it was answered with."""
        return self.responses[0].data if self.responses and self.responses[0].kind == MODAL else None

    async def response(self, within: float = 3.0) -> InteractionResponse:
        """Wait for the first response; raises TimeoutError after `within` seconds."""
        await self.world.until(lambda: self.acknowledged, within)
        return self.responses[0]

    async def answer(self, within: float = 20.0) -> Message:
        """Wait until there is a message to read, deferred or not, and give it; raises TimeoutError."""
        await self.world.until(lambda: any(not message.loading for message in self.messages), within)
        return next(message for message in self.messages if not message.loading)

    def too_late_to_respond(self) -> bool:
        """Whether more than three seconds went by without a response."""
        return not self.acknowledged and self._age() > RESPONSE_SECONDS

    def token_expired(self) -> bool:
        """Whether more than fifteen minutes went by, or a test said so."""
        return self.expired or self._age() > TOKEN_SECONDS

    def _age(self) -> float:
        return (self.world.clock.now() - self.created_at).total_seconds()
