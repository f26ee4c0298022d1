"""The road from an accepted message to its reply: one conversation in order, different ones side by side."""

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

import structlog

from bot.adapter import Adapter, Receipt
from bot.answering import Answering, Progress
from bot.commands import Commands
from bot.conversations import Conversations
from bot.database import Database
from bot.delivery import Delivery, idempotency_key, inbox_key
from bot.errors import ASKERS_DOING, InternalError, OverloadedError, PreceptorError, StoppingError
from bot.messages import IncomingMessage, Outcome, Reply
from bot.question_text import clean
from bot.settings import Settings

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_SEND_SECONDS = 30.0
"""How long a platform may take to send or edit a message."""

_RETRY_SECONDS = (0.2, 1.0, 5.0)
"""Waits between tries to deliver a reply; after the last one it stays open for the next start."""


class Dispatcher:
    """Takes messages from the adapters, has them answered and gives the replies back."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        conversations: Conversations,
        commands: Commands,
        answering: Answering,
    ) -> None:
        self._settings = settings
        self._database = database
        self._delivery = Delivery(database)
        self._conversations = conversations
        self._commands = commands
        self._answering = answering
        self._adapters: Mapping[str, Adapter] = {}
        self._places = asyncio.Semaphore(settings.dispatch.workers)
        self._lanes: dict[str, deque[tuple[IncomingMessage, Reply | None]]] = {}
        self._waiting = 0
        self._stopping = False
        self._accepted_early: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ready = asyncio.Event()

    def connect(self, adapters: Mapping[str, Adapter]) -> None:
        """Say through which adapters replies go out, by platform."""
        self._adapters = adapters

    async def accept(self, message: IncomingMessage) -> Receipt:
        """Commit a message and queue it; once this returns it will be answered, whatever happens to this process.

        Raises:
            OverloadedError: too many wait already, or the process is stopping; nothing was committed.
            StorageError: it could not be committed.
        """
        if self._stopping:
            raise StoppingError("Preceptor is stopping.", "Ask again in a moment.")
        position = self._waiting
        if position >= self._settings.dispatch.queue:
            raise OverloadedError(f"{position:,} messages are waiting before yours.", "Try again in a minute.")
        message = replace(message, text=clean(message.text))
        self._waiting += 1
        # An asker who leaves, or an adapter that gives up waiting, must not come between the commit and the queue.
        return Receipt(await asyncio.shield(self._own(self._take(message), "accept")), position)

    async def _take(self, message: IncomingMessage) -> bool:
        if not self._ready.is_set():
            self._accepted_early.add(inbox_key(message))
        try:
            is_new = await self._delivery.accept(message)
            if is_new:
                self._queue(message, None)
        finally:
            self._waiting -= 1
        return is_new

    def _own(self, work: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
        """Run `work` as a task that a stop waits for."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def inquire(self, message: IncomingMessage) -> Reply:
        """Run a command for a caller who waits; the reply says what went wrong, too."""
        message = replace(message, text=clean(message.text))
        return await self._guarded(message, self._commands.run(message))

    async def open(self) -> None:
        """Begin to answer: what is queued by now, and what an earlier run of this process left open."""
        for platform, adapter in self._adapters.items():
            if adapter.limits.reaches_later:
                for message, reply in await self._delivery.unanswered(platform):
                    if inbox_key(message) not in self._accepted_early:
                        self._queue(message, reply)
            else:
                await self._delivery.let_go(platform, datetime.now(UTC) - self._patience)
        self._accepted_early.clear()
        self._ready.set()

    @property
    def _patience(self) -> timedelta:
        """How long anybody can have waited for an answer."""
        return timedelta(seconds=self._settings.answers.deadline_seconds + self._settings.dispatch.shutdown_seconds)

    async def drain(self) -> None:
        """Finish what is being answered, within the deadline; what is not stays open for the next start."""
        self._stopping = True
        end = monotonic() + self._settings.dispatch.shutdown_seconds
        while self._tasks and self._ready.is_set() and monotonic() < end:
            await asyncio.wait(self._tasks, timeout=end - monotonic(), return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _queue(self, message: IncomingMessage, reply: Reply | None) -> None:
        """Put a message behind the others of its conversation; the first of them starts the lane's task."""
        alone = message.opens_conversation and message.key
        name = message.conversation_id or alone or f"{message.place.id} {message.person_id}"
        lane = self._lanes.setdefault(name, deque())
        lane.append((message, reply))
        self._waiting += 1
        if len(lane) == 1:
            self._own(self._work(name, lane), f"lane {message.place.platform}")

    async def _work(self, name: str, lane: deque[tuple[IncomingMessage, Reply | None]]) -> None:
        await self._ready.wait()
        try:
            while lane:
                async with self._places:
                    await self._finish(*lane[0])
                lane.popleft()
                self._waiting -= 1
        finally:
            del self._lanes[name]

    async def _finish(self, message: IncomingMessage, written: Reply | None) -> None:
        """Answer one message and deliver the reply; what fails here leaves the message open, never silent."""
        try:
            adapter = self._adapters[message.place.platform]
            outgoing = _Outgoing(adapter, message)
            reply = written or await self._keep(message, await self._respond(message, outgoing.progress))
            sent_id = await outgoing.complete(reply)
            await self._delivery.close(message, reply, sent_id)
            log.info("answered", outcome=reply.outcome, platform=adapter.name, elapsed_ms=round(reply.elapsed_ms, 1))
        # A task's boundary: the lane must go on to the next message; this one stays open in the inbox.
        except Exception:
            log.exception("delivery failed", platform=message.place.platform, key=message.key)

    async def _respond(self, message: IncomingMessage, progress: Progress) -> Reply:
        reply = await self._guarded(message, self._answer(message, progress))
        elapsed = (datetime.now(UTC) - message.received_at).total_seconds() * 1000
        return replace(reply, elapsed_ms=max(elapsed, 0.0))

    async def _answer(self, message: IncomingMessage, progress: Progress) -> Reply:
        message = self._commands.parse(message)
        if message.command and message.command != "ask":
            return await self._commands.run(message)
        conversation_id = await self._conversations.continued_by(message)
        turns = self._settings.answers.history
        history = await self._conversations.history(conversation_id, turns) if conversation_id and turns else []
        async with asyncio.timeout(self._settings.answers.deadline_seconds):
            reply = await self._answering.answer(message, history, progress)
        return replace(reply, conversation_id=conversation_id or uuid.uuid4().hex)

    async def _guarded(self, message: IncomingMessage, work: Awaitable[Reply]) -> Reply:
        """Wait for a reply; turn every error into the sentence its reader sees."""
        try:
            reply = await work
        except PreceptorError as error:
            reply = _error_reply(error)
        except TimeoutError:
            reply = _error_reply(InternalError("That took too long, so I gave up.", "Try again, or ask more simply."))
        # The road's boundary: a defect of ours is logged with its traceback and told under a number.
        except Exception:
            number = uuid.uuid4().hex[:8]
            log.exception("defect", number=number, platform=message.place.platform)
            reply = _error_reply(InternalError(f"Something went wrong on my side (number {number}).", "Try again."))
        return replace(reply, in_reply_to=message.reference, question=message.text)

    async def _keep(self, message: IncomingMessage, reply: Reply) -> Reply:
        """Commit the answer with its conversation before it is sent; where that fails, say so in its stead."""
        try:
            change = self._delivery.putting_out(message, reply)
            if reply.conversation_id and reply.outcome in ("answered", "declined"):
                change = self._conversations.keeping(message, reply) + change
            await self._database.write(change)
        # Whatever keeps an answer from being kept, the asker must hear of it.
        except Exception as error:
            log.exception("answer not kept", platform=message.place.platform)
            known = error if isinstance(error, PreceptorError) else InternalError("I could not keep my answer.")
            return replace(_error_reply(known), in_reply_to=message.reference, question=message.text)
        return reply


def _error_reply(error: PreceptorError) -> Reply:
    outcome: Outcome = "refused" if isinstance(error, ASKERS_DOING) else "failed"
    return Reply(
        f"{error.sentence} {error.fix}".strip(),
        outcome=outcome,
        ephemeral=True,
        error=error.code,
        data={"sentence": error.sentence, "fix": error.fix},
    )


class _Outgoing:
    """A reply on its way out: sent once, then edited as it grows, no more often than the platform takes."""

    def __init__(self, adapter: Adapter, message: IncomingMessage) -> None:
        self._adapter = adapter
        self._message = message
        self._sent_id = ""
        self._edited_at = 0.0

    async def progress(self, reply: Reply) -> None:
        """Show how far the answer has come, where asker and platform want to see it."""
        limits = self._adapter.limits
        if not (limits.streaming and self._message.streaming):
            return
        if limits.edits_per_second and monotonic() - self._edited_at < 1 / limits.edits_per_second:
            return
        self._edited_at = monotonic()
        try:
            await self._put(replace(reply, in_reply_to=self._message.reference))
        # The platform's trouble with an interim state is no reason to give up the answer: the complete one follows.
        except Exception:
            log.warning("progress not shown", platform=self._adapter.name, exc_info=True)

    async def complete(self, reply: Reply) -> str:
        """Deliver the reply in its final form and give the platform's name for it; try again a few times."""
        for delay in _RETRY_SECONDS:
            try:
                await self._put(reply)
                break
            # Whatever the platform raised: the next try is under the same idempotency key.
            except Exception:
                log.warning("not delivered yet", platform=self._adapter.name, again_in=delay, exc_info=True)
                await asyncio.sleep(delay)
        else:
            await self._put(reply)
        return self._sent_id

    async def _put(self, reply: Reply) -> None:
        async with asyncio.timeout(_SEND_SECONDS):
            if self._sent_id:
                await self._adapter.edit(self._message.place, self._sent_id, reply)
            else:
                key = idempotency_key(self._message)
                self._sent_id = await self._adapter.send(self._message.place, reply, key)
