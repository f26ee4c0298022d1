"""What is said to a message: by a command, by what answers questions, or as the sentence of what went wrong."""

import asyncio
import uuid
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog

from bot.access import Access
from bot.adapter import Adapter
from bot.answering import Progress
from bot.asking import ASKED, Asking
from bot.commands import Commands
from bot.errors import (
    ASKERS_DOING,
    AttachmentError,
    ClaimLostError,
    CommandUnknownError,
    InternalError,
    PreceptorError,
    TooManyError,
)
from bot.lanes import Waiting
from bot.messages import Capability, IncomingMessage, Outcome, Reply
from bot.settings import Settings

log = structlog.get_logger(__name__)

WITHDRAW = "withdraw"
"""The command under which an adapter hands in that a question was deleted."""

_ASKED_FOR: Mapping[str, Capability] = {
    "diagnose": "diagnosis",
    "diagnose_that": "diagnosis",
    "describe": "picture",
}
"""What a command asks for, however it ends; what a question is put to, its reply says."""

_INTERRUPTED = Reply(
    "Sorry, I was interrupted before I could answer this, and it has been a while. If it still matters, please ask"
    " again.",
    outcome="failed",
)


class Responding:
    """Finds the reply to a message; whatever happens meanwhile, there is one."""

    def __init__(self, settings: Settings, access: Access, commands: Commands, asking: Asking) -> None:
        self._settings = settings
        self._access = access
        self._commands = commands
        self._asking = asking
        self._adapters: Mapping[str, Adapter] = {}

    def connect(self, adapters: Mapping[str, Adapter]) -> None:
        """Say which adapters messages come from, by platform."""
        self._adapters = adapters

    def is_question(self, message: IncomingMessage) -> bool:
        """Say whether a message asks something, for the first time or in other words: that counts for the limits."""
        if message.command == WITHDRAW:
            return False
        try:
            return self._commands.parse(message).command in ASKED
        except CommandUnknownError:
            return True

    def capability(self, message: IncomingMessage, reply: Reply | None = None) -> Capability | Literal["command"]:
        """Say what a message was put to: what its reply says, where there is one, or else what it asked for."""
        try:
            command = self._commands.parse(message).command
        except CommandUnknownError:
            return "command"
        if command not in ASKED:
            return "command"
        return _ASKED_FOR.get(command) or (reply.capability if reply else "answer")

    async def inquire(self, message: IncomingMessage) -> Reply:
        """Run a command for a caller who waits."""
        return await self._guarded(message, self._run_at_once(message))

    async def _run_at_once(self, message: IncomingMessage) -> Reply:
        return await self._access.refusal(message) or await self._commands.run(message)

    async def respond(self, waiting: Waiting, progress: Progress) -> Reply:
        """Give the reply, addressed to whoever wrote the message; what goes wrong is told in it."""
        message = waiting.message
        reply = await self._guarded(message, self._answer(waiting, progress))
        elapsed = (datetime.now(UTC) - message.received_at).total_seconds() * 1000
        return replace(reply, elapsed_ms=max(elapsed, 0.0))

    async def _answer(self, waiting: Waiting, progress: Progress) -> Reply:
        if waiting.message.command == WITHDRAW:
            return Reply("")
        try:
            message = self._commands.parse(waiting.message)
        except CommandUnknownError:
            # Who may not ask here is not helped along either.
            if (refusal := await self._access.refusal(waiting.message)) is not None:
                return refusal
            raise
        if (refusal := await self._access.refusal(message)) is not None:
            return refusal
        if (too_many := waiting.too_many) is not None:
            if not too_many.is_told and self._adapters[message.place.platform].limits.reaches_later:
                return Reply("", outcome="refused")
            raise TooManyError(too_many.sentence, too_many.fix, too_many.seconds)
        if message.command not in ASKED:
            return await self._commands.run(await self._vouched_for(message))
        if self._comes_too_late(waiting):
            return _INTERRUPTED
        reply = await self._asking.reply(message, progress)
        if not self._adapters[message.place.platform].limits.buttons:
            return reply
        private = message.private or reply.ephemeral
        return replace(reply, buttons=reply.buttons + await self._commands.buttons(message.place, reply, private))

    def _comes_too_late(self, waiting: Waiting) -> bool:
        """Say whether a question was left so long ago that its answer is not wanted; an admin may want it anew."""
        welcome = timedelta(hours=self._settings.delivery.finish_hours)
        is_old = datetime.now(UTC) - waiting.message.received_at > welcome
        return waiting.is_left and waiting.retried_at is None and is_old

    async def _vouched_for(self, message: IncomingMessage) -> IncomingMessage:
        """Give the message with what the platform knows of its author's roles."""
        async with asyncio.timeout(self._settings.answers.deadline_seconds):
            roles = await self._adapters[message.place.platform].roles(message)
        return replace(message, author=replace(message.author, roles=roles))

    async def _guarded(self, message: IncomingMessage, work: Awaitable[Reply]) -> Reply:
        """Wait for a reply; turn every error into the sentence its reader sees."""
        try:
            reply = await work
        except ClaimLostError:
            raise
        except PreceptorError as error:
            reply = error_reply(error)
        except TimeoutError:
            reply = error_reply(InternalError("That took too long, so I gave up.", "Try again, or ask more simply."))
        # The road's boundary: a defect of ours is logged with its traceback and told under a number.
        except Exception:
            number = uuid.uuid4().hex[:8]
            log.exception("defect", number=number, platform=message.place.platform)
            reply = error_reply(InternalError(f"Something went wrong on my side (number {number}).", "Try again."))
        return addressed(message, reply)


def addressed(message: IncomingMessage, reply: Reply) -> Reply:
    """Address a reply to whoever wrote the message."""
    return replace(
        reply,
        in_reply_to=message.reference,
        question=reply.question or message.text,
        route=message.route,
        ephemeral=reply.ephemeral or message.private,
    )


def error_reply(error: PreceptorError) -> Reply:
    """Say what went wrong, to the asker alone."""
    outcome: Outcome = "refused" if isinstance(error, ASKERS_DOING) else "failed"
    more: dict[str, Any] = {}
    if isinstance(error, AttachmentError) and error.pictures:
        more["pictures"] = error.pictures
    if isinstance(error, TooManyError):
        more["seconds"] = error.seconds
    return Reply(
        f"{error.sentence} {error.fix}".strip(),
        outcome=outcome,
        ephemeral=True,
        error=error.code,
        data={"sentence": error.sentence, "fix": error.fix} | more,
    )
