"""The road from an accepted message to its reply: one conversation in order, different ones side by side."""

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

import structlog

from bot.adapter import Adapter, Receipt
from bot.answering import Progress
from bot.asking import ASKED, Asking
from bot.commands import Commands
from bot.conversations import Conversations
from bot.database import Database
from bot.delivery import Delivery, Part, inbox_key, platform_key, question_key
from bot.errors import (
    ASKERS_DOING,
    AttachmentError,
    DeliveryRefusedError,
    InternalError,
    OverloadedError,
    PreceptorError,
    StoppingError,
    StorageError,
)
from bot.messages import IncomingMessage, Outcome, Reply
from bot.outgoing import Outgoing
from bot.question_text import clean
from bot.settings import Settings

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

WITHDRAW = "withdraw"
"""The command under which an adapter hands in that a question was deleted."""

_LONGEST_WAIT = 3600.0
"""Seconds between two attempts at what goes on failing, at the most."""

_Waiting = tuple[IncomingMessage, tuple[Part, ...]]


class Dispatcher:
    """Takes messages from the adapters, has them answered and gives the replies back."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        conversations: Conversations,
        commands: Commands,
        asking: Asking,
    ) -> None:
        self._settings = settings
        self._database = database
        self._delivery = Delivery(database)
        self._conversations = conversations
        self._commands = commands
        self._asking = asking
        self._adapters: Mapping[str, Adapter] = {}
        self._sending: Mapping[str, asyncio.Semaphore] = {}
        self._places = asyncio.Semaphore(settings.dispatch.workers)
        self._lanes: dict[str, deque[_Waiting]] = {}
        self._waiting = 0
        self._stopping = False
        self._early: dict[str, tuple[str, IncomingMessage]] = {}
        self._in_turn = asyncio.Lock()
        self._withdrawn: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ready = asyncio.Event()
        self._failed: set[str] = set()
        self._trying_again: asyncio.Task[None] | None = None

    def connect(self, adapters: Mapping[str, Adapter]) -> None:
        """Say through which adapters replies go out, by platform."""
        self._adapters = adapters
        self._sending = {platform: asyncio.Semaphore(self._settings.dispatch.workers) for platform in adapters}

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
        try:
            if self._ready.is_set() and not message.revises:
                return await self._admit(message)
            # One after the other: what an earlier run left comes first, and of two edits the later one holds.
            async with self._in_turn:
                return await self._admit(message)
        finally:
            self._waiting -= 1

    async def _admit(self, message: IncomingMessage) -> bool:
        # Found before the commit: after it nothing may fail.
        lane = await self._lane(message)
        is_new = await self._delivery.accept(message)
        if is_new and self._ready.is_set():
            self._queue(lane, message)
        elif is_new:
            self._early[inbox_key(message)] = lane, message
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
        async with self._in_turn:
            for platform, adapter in self._adapters.items():
                if adapter.limits.reaches_later:
                    for left in await self._delivery.unanswered(platform):
                        self._early.pop(inbox_key(left.message), None)
                        self._queue(await self._lane(left.message), left.message, left.parts)
                else:
                    await self._delivery.let_go(platform, datetime.now(UTC) - self._patience)
            for lane, message in self._early.values():
                self._queue(lane, message)
            self._early.clear()
            self._ready.set()
        self._trying_again = asyncio.create_task(self._try_again(), name="trying again")

    async def _try_again(self) -> None:
        """Take up what could not be finished: soon at first, then ever more rarely while it goes on failing."""
        soon = self._settings.dispatch.retry_seconds
        wait = soon
        while True:
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT) if self._failed else soon
            async with self._in_turn:
                await self._queue_again()

    async def _queue_again(self) -> None:
        failed, self._failed = self._failed, set()
        try:
            for platform in {key.partition("/")[0] for key in failed}:
                for left in await self._delivery.unanswered(platform):
                    if inbox_key(left.message) in failed:
                        self._queue(await self._lane(left.message), left.message, left.parts)
                        failed.discard(inbox_key(left.message))
        except StorageError:
            log.warning("not taken up again", exc_info=True)
            self._failed |= failed

    @property
    def _patience(self) -> timedelta:
        """How long anybody can have waited for an answer."""
        return timedelta(seconds=self._settings.answers.deadline_seconds + self._settings.dispatch.shutdown_seconds)

    async def drain(self) -> None:
        """Finish what is being answered, within the deadline; what is not stays open for the next start."""
        self._stopping = True
        if self._trying_again is not None:
            self._trying_again.cancel()
            await asyncio.gather(self._trying_again, return_exceptions=True)
        end = monotonic() + self._settings.dispatch.shutdown_seconds
        while self._tasks and self._ready.is_set() and monotonic() < end:
            await asyncio.wait(self._tasks, timeout=end - monotonic(), return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _queue(self, name: str, message: IncomingMessage, parts: tuple[Part, ...] = ()) -> None:
        """Put a message behind the others of its lane; the first of them starts the lane's task."""
        if message.command == WITHDRAW:
            self._withdrawn.add(question_key(message))
        lane = self._lanes.setdefault(name, deque())
        lane.append((message, parts))
        self._waiting += 1
        if len(lane) == 1:
            self._own(self._work(name, lane), f"lane {message.place.platform}")

    async def _lane(self, message: IncomingMessage) -> str:
        """Name what a message must keep its order with."""
        origin = await self._delivery.origin(question_key(message)) if message.revises else None
        if origin:
            return f"{origin.place.id} {origin.person_id}"
        alone = message.opens_conversation and message.key
        return message.conversation_id or alone or f"{message.place.id} {message.person_id}"

    async def _work(self, name: str, lane: deque[_Waiting]) -> None:
        await self._ready.wait()
        try:
            while lane:
                await self._finish(*lane[0])
                lane.popleft()
                self._waiting -= 1
        finally:
            del self._lanes[name]

    async def _finish(self, message: IncomingMessage, parts: tuple[Part, ...]) -> None:
        """Answer one message and deliver the reply; what fails here leaves the message open, never silent."""
        try:
            await self._settle(message, parts)
        # A task's boundary: the lane must go on to the next message; this one stays open and is taken up again.
        except Exception:
            log.exception("delivery failed", platform=message.place.platform, key=message.key)
            if self._adapters[message.place.platform].limits.reaches_later:
                self._failed.add(inbox_key(message))
        finally:
            if message.command == WITHDRAW:
                self._withdrawn.discard(question_key(message))

    async def _settle(self, message: IncomingMessage, parts: tuple[Part, ...]) -> None:
        try:
            if message.command != WITHDRAW and question_key(message) in self._withdrawn:
                await self._delivery.close(message, "withdrawn")
            elif message.revises:
                await self._revise(message, parts)
            else:
                await self._reply(message, self._outgoing(message, parts), parts)
        except DeliveryRefusedError as error:
            log.warning("delivery refused", platform=message.place.platform, key=message.key, reason=error.sentence)
            await self._delivery.give_up(message)

    def _outgoing(self, message: IncomingMessage, parts: tuple[Part, ...] = ()) -> Outgoing:
        adapter, shown_after = self._adapters[message.place.platform], self._settings.answers.shown_after_seconds
        return Outgoing(adapter, self._delivery, message, shown_after, parts)

    async def _revise(self, message: IncomingMessage, parts: tuple[Part, ...]) -> None:
        """Answer an edited question anew where its answer stands, or take the answer to a deleted one back."""
        original = question_key(message)
        origin = await self._delivery.origin(original)
        late = origin and message.received_at - origin.received_at > self._edited_within
        if origin is None or (late and message.command != WITHDRAW):
            await self._delivery.close(message, "ignored")
            return
        message = replace(message, place=origin.place)
        await self._delivery.supersede(message)
        await self._conversations.take_back(original)
        outgoing = self._outgoing(message, parts)
        outgoing.takes_the_place_of(await self._delivery.standing(original))
        await self._reply(message, outgoing, parts)

    @property
    def _edited_within(self) -> timedelta:
        return timedelta(seconds=self._settings.answers.edit_seconds)

    async def _reply(self, message: IncomingMessage, outgoing: Outgoing, written: Sequence[Part]) -> None:
        """Have a message answered, unless an earlier run wrote the answer already, and deliver what is said."""
        # What was shown while the answer grew, and has no place in its final form, is none of its parts.
        parts = [part for part in written if part.reply or part.is_sent]
        if parts:
            reply = next((part.reply for part in parts if part.reply), Reply(""))
        else:
            async with self._places, outgoing.at_work():
                reply = await self._respond(message, outgoing.progress)
            if reply.revises:
                outgoing.takes_the_place_of(await self._delivery.standing(platform_key(message.place, reply.revises)))
            reply, parts = await self._keep(message, reply, outgoing)
        # Beside the places of those who answer: a platform that hangs must not keep the others waiting.
        async with self._sending[message.place.platform]:
            parts = await outgoing.complete(parts)
        await self._delivery.close(message, reply.outcome, parts, message.revises or reply.revises)
        if not self._asking.keeps(message.place):
            await self._database.wipe()
        log.info(
            "answered", outcome=reply.outcome, platform=message.place.platform, elapsed_ms=round(reply.elapsed_ms, 1)
        )

    async def _respond(self, message: IncomingMessage, progress: Progress) -> Reply:
        reply = await self._guarded(message, self._answer(message, progress))
        elapsed = (datetime.now(UTC) - message.received_at).total_seconds() * 1000
        return replace(reply, elapsed_ms=max(elapsed, 0.0))

    async def _answer(self, message: IncomingMessage, progress: Progress) -> Reply:
        if message.command == WITHDRAW:
            return Reply("")
        message = self._commands.parse(message)
        if message.command not in ASKED:
            return await self._commands.run(await self._vouched_for(message))
        reply = await self._asking.reply(message, progress)
        if not self._adapters[message.place.platform].limits.buttons:
            return reply
        private = message.private or reply.ephemeral
        return replace(reply, buttons=reply.buttons + await self._commands.buttons(message.place, reply, private))

    async def _vouched_for(self, message: IncomingMessage) -> IncomingMessage:
        """Give the message with what the platform knows of its author's roles."""
        async with asyncio.timeout(self._settings.answers.deadline_seconds):
            roles = await self._adapters[message.place.platform].roles(message)
        return replace(message, author=replace(message.author, roles=roles))

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
        return _to(message, reply)

    async def _keep(self, message: IncomingMessage, reply: Reply, outgoing: Outgoing) -> tuple[Reply, list[Part]]:
        """Commit the answer with its conversation before it is sent; where that fails, say so in its stead."""
        parts = outgoing.laid_out(replace(reply, sights=()))
        try:
            change = self._delivery.putting_out(message, parts)
            if reply.answer_id:
                change = self._conversations.keeping(message, reply) + change
            await self._database.write(change)
        # Whatever keeps an answer from being kept, the asker must hear of it.
        except Exception as error:
            log.exception("answer not kept", platform=message.place.platform)
            known = error if isinstance(error, PreceptorError) else InternalError("I could not keep my answer.")
            reply = _to(message, _error_reply(known))
            return reply, outgoing.laid_out(reply)
        return reply, parts


def _to(message: IncomingMessage, reply: Reply) -> Reply:
    """Address a reply to whoever wrote the message."""
    return replace(
        reply,
        in_reply_to=message.reference,
        question=reply.question or message.text,
        route=message.route,
        ephemeral=reply.ephemeral or message.private,
    )


def _error_reply(error: PreceptorError) -> Reply:
    outcome: Outcome = "refused" if isinstance(error, ASKERS_DOING) else "failed"
    pictures = {"pictures": error.pictures} if isinstance(error, AttachmentError) and error.pictures else {}
    return Reply(
        f"{error.sentence} {error.fix}".strip(),
        outcome=outcome,
        ephemeral=True,
        error=error.code,
        data={"sentence": error.sentence, "fix": error.fix} | pictures,
    )
