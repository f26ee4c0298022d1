"""The road from an accepted message to its reply: one conversation in order, different ones side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import structlog

from bot.access import Access
from bot.adapter import Adapter, Receipt
from bot.asking import Asking
from bot.claims import Claims
from bot.commands import Commands
from bot.conversations import Conversations
from bot.database import Database
from bot.delivery import Delivery, Part, Unanswered, inbox_key, platform_key, question_key
from bot.errors import (
    ClaimLostError,
    DeliveryRefusedError,
    InternalError,
    PreceptorError,
    StoppingError,
    StorageError,
)
from bot.lanes import Lanes, Line, Waiting
from bot.leases import Lease
from bot.limits import Limits
from bot.messages import IncomingMessage, Reply
from bot.outgoing import Outgoing, is_defect, trouble
from bot.question_text import clean
from bot.responding import WITHDRAW, Responding, addressed, error_reply
from bot.retries import Retries
from bot.settings import Settings
from bot.stages import Stages

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_SWEEP_SECONDS = 1.0
"""How often it is looked for what other processes left or handed over, and for what is to be tried again."""


class Dispatcher:
    """Takes messages from the adapters, has them answered and gives the replies back.

    It works from the rows of the inbox that this process claims (see `bot.leases`), so that several processes may
    share one database: what one leaves another finishes, and none does what another is at.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        conversations: Conversations,
        commands: Commands,
        asking: Asking,
        access: Access,
        limits: Limits,
        stages: Stages | None = None,
    ) -> None:
        self._settings = settings
        self._stages = stages or Stages()
        self._database = database
        self._lease = Lease(database, settings.database_file, settings.dispatch.lease_seconds)
        self.delivery = Delivery(database, self._lease)
        self._conversations = conversations
        self._asking = asking
        self._limits = limits
        self._responding = Responding(settings, access, commands, asking)
        self._adapters: Mapping[str, Adapter] = {}
        self._claims = Claims(database, self._lease, (), ())
        self._sending: Mapping[str, asyncio.Semaphore] = {}
        self.line = Line(settings.dispatch.workers)
        self._lanes = Lanes(settings.dispatch, self._own, self._finish)
        self._retries = Retries(settings.dispatch.retry_seconds)
        self._stopping = False
        self._early: dict[str, tuple[str, Waiting]] = {}
        self._in_turn = asyncio.Lock()
        self._withdrawn: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_open = False
        self._wanted = asyncio.Event()
        self._sweeping: asyncio.Task[None] | None = None

    def connect(self, adapters: Mapping[str, Adapter]) -> None:
        """Say through which adapters replies go out, by platform."""
        self._adapters = adapters
        self._responding.connect(adapters)
        self._sending = {platform: asyncio.Semaphore(self._settings.dispatch.workers) for platform in adapters}
        reached = [platform for platform, adapter in adapters.items() if adapter.limits.reaches_later]
        waited_at = [platform for platform in adapters if platform not in reached]
        self._claims = Claims(self._database, self._lease, reached, waited_at)

    async def join(self) -> None:
        """Join the processes that answer what is in the database; before it nothing may be accepted.

        Raises:
            StorageError: the database cannot be written.
        """
        await self._lease.take()

    async def leave(self) -> None:
        """Give back what is not finished: the next start, or another process, takes it up at once."""
        await self._lease.release()

    async def accept(self, message: IncomingMessage) -> Receipt:
        """Commit a message and queue it; once this returns it will be answered, whatever happens to this process.

        Raises:
            OverloadedError: too many wait already, or the process is stopping; nothing was committed.
            StorageError: it could not be committed.
        """
        if self._stopping:
            raise StoppingError("Preceptor is stopping.", "Ask again in a moment.")
        position = self._lanes.room(message)
        message = replace(message, text=clean(message.text))
        self._lanes.arrives(message)
        # An asker who leaves, or an adapter that gives up waiting, must not come between the commit and the queue.
        return Receipt(await asyncio.shield(self._own(self._take(message), "accept")), position)

    async def _take(self, message: IncomingMessage) -> bool:
        # One after the other: what was left comes first, and of two edits the later one holds.
        turn = nullcontext() if self._is_open and not message.revises else self._in_turn
        try:
            async with turn:
                with self._stages.at("accept", message) as step:
                    step.attributes["new"] = is_new = await self._admit(message)
                    return is_new
        finally:
            self._lanes.arrived(message)

    async def _admit(self, message: IncomingMessage) -> bool:
        # Found before the commit: after it nothing may fail.
        lane = await self.delivery.lane(message)
        here = not self._adapters[message.place.platform].limits.reaches_later
        counted = self._limits.take if self._responding.is_question(message) else None
        claim = self.delivery.claim
        try:
            accepted = await self.delivery.accept(message, lane, here=here, known=self, counted=counted)
            if accepted.is_next:
                waiting = Waiting(message, claim, too_many=accepted.too_many)
                if self._is_open:
                    self._queue(lane, waiting)
                else:
                    self._early[waiting.key] = lane, waiting
                    # It waits, though in no lane yet.
                    self._lanes.arrives(message)
        finally:
            self.delivery.accepted.discard(inbox_key(message))
        if accepted.is_new and not accepted.is_next:
            self._wanted.set()
        return accepted.is_new

    def _own(self, work: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
        """Run `work` as a task that a stop waits for."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def inquire(self, message: IncomingMessage) -> Reply:
        """Run a command for a caller who waits; the reply says what went wrong, too."""
        return await self._responding.inquire(replace(message, text=clean(message.text)))

    async def open(self) -> None:
        """Begin to answer: what an earlier run left open, what is queued by now, and what comes.

        Raises:
            StorageError: what was left open cannot be taken up.
        """
        async with self._in_turn:
            await self._sweep()
            for lane, waiting in self._early.values():
                self._queue(lane, waiting)
                self._lanes.arrived(waiting.message)
            self._early.clear()
            self._is_open = True
            self._lanes.open()
        self._sweeping = asyncio.create_task(self._sweep_forever(), name="sweep")

    async def _sweep_forever(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._retries.seconds(_SWEEP_SECONDS)):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            try:
                async with self._in_turn:
                    await self._sweep()
                    await self._try_again()
            except StorageError as error:
                log.warning("not looked for what is open", reason=error.sentence)
                await asyncio.sleep(_SWEEP_SECONDS)

    async def _sweep(self) -> None:
        """Take up what other processes left or handed over, and what was reopened."""
        # Should the lease be lost meanwhile, the claim is one that does not hold any more.
        claim, before = self.delivery.claim, datetime.now(UTC) - self._patience
        for left in await self._claims.take(self, before):
            await self._take_up(left, claim)

    async def _take_up(self, left: Unanswered, claim: str) -> None:
        lane = left.lane or await self.delivery.lane(left.message)
        self._queue(lane, Waiting(left.message, claim, left.parts, True, left.retried_at))

    def __contains__(self, key: object) -> bool:
        return any(key in known for known in (self.delivery.accepted, self._lanes, self._early, self._retries))

    async def _try_again(self) -> None:
        due, claim = self._retries.due(), self.delivery.claim
        found = await self.delivery.unanswered(due) if due else []
        for key in due:
            self._retries.begin(key)
        for left in found:
            await self._take_up(left, claim)
        for key in set(due) - {inbox_key(left.message) for left in found}:
            self._retries.done(key)

    @property
    def _patience(self) -> timedelta:
        """How long anybody can have waited for an answer."""
        return timedelta(seconds=self._settings.answers.deadline_seconds + self._settings.dispatch.shutdown_seconds)

    async def drain(self) -> None:
        """Finish what is being answered, within the deadline; what is not is left to whoever comes next."""
        self._stopping = True
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        end = monotonic() + self._settings.dispatch.shutdown_seconds
        while self._tasks and self._is_open and monotonic() < end:
            await asyncio.wait(self._tasks, timeout=end - monotonic(), return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.leave()

    def _queue(self, name: str, waiting: Waiting) -> None:
        if waiting.message.command == WITHDRAW:
            self._withdrawn.add(question_key(waiting.message))
        self._lanes.queue(name, waiting)

    async def _finish(self, waiting: Waiting) -> None:
        """Answer one message and deliver the reply; what fails here leaves the message open, never silent."""
        message = waiting.message
        try:
            await self._settle(waiting)
            self._retries.done(waiting.key)
        except ClaimLostError:
            log.info("left to another process", platform=message.place.platform, key=message.key)
            self._retries.done(waiting.key)
        except asyncio.CancelledError:
            # Of this task, at a stop; else of something that was awaited, and it is a failure like any other.
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            await self._put_off(waiting, InternalError("It was broken off."))
        # A task's boundary: the lane must go on to the next message; this one stays open and is taken up again.
        except Exception as error:  # noqa: BLE001
            await self._put_off(waiting, error)
        finally:
            if message.command == WITHDRAW:
                self._withdrawn.discard(question_key(message))

    async def _put_off(self, waiting: Waiting, error: Exception) -> None:
        """Have a reply tried again later; one that was tried long enough, or that nobody waits for, is given up."""
        message = waiting.message
        since = waiting.retried_at or message.received_at
        is_late = datetime.now(UTC) - since > timedelta(hours=self._settings.delivery.deadline_hours)
        is_in_vain = is_late or not self._adapters[message.place.platform].limits.reaches_later
        if is_in_vain and waiting.key not in self._retries.notes:
            try:
                await self._give_up(waiting, trouble(error))
            except StorageError as refused:
                error = refused
            else:
                return
        seconds = self._retries.put_off(waiting.key, error)
        known = {"platform": message.place.platform, "key": message.key, "reason": trouble(error)}
        log.warning("not delivered yet", **known, again_in=round(seconds), exc_info=is_defect(error))

    async def _give_up(self, waiting: Waiting, reason: str) -> None:
        message = waiting.message
        keeps = self._asking.keeps(message.place) and self._adapters[message.place.platform].limits.reaches_later
        await self.delivery.give_up(message, reason, datetime.now(UTC), keeps=keeps)
        self._stages.ended(message, self._responding.capability(message), "undelivered")
        self._retries.done(waiting.key)
        log.warning("reply given up", platform=message.place.platform, key=message.key, reason=reason)

    async def _settle(self, waiting: Waiting) -> None:
        message = waiting.message
        await self.delivery.require(waiting.claim)
        if (note := self._retries.notes.get(waiting.key)) is not None:
            await self._note(message, note)
            return
        if waiting.is_left and not await self.delivery.is_open(message):
            # What came before it here has taken it back, or asked it anew.
            return
        try:
            if message.command != WITHDRAW and question_key(message) in self._withdrawn:
                await self.delivery.close(message, "withdrawn")
            elif message.revises:
                await self._revise(waiting)
            else:
                await self._reply(waiting, self._outgoing(waiting))
        except DeliveryRefusedError as error:
            await self._give_up(waiting, error.sentence)

    def _outgoing(self, waiting: Waiting) -> Outgoing:
        adapter = self._adapters[waiting.message.place.platform]
        shown_after = self._settings.answers.shown_after_seconds
        return Outgoing(adapter, self.delivery, waiting.message, shown_after, waiting.parts, claim=waiting.claim)

    async def _revise(self, waiting: Waiting) -> None:
        """Answer an edited question anew where its answer stands, or take the answer to a deleted one back."""
        message = waiting.message
        original = question_key(message)
        origin = await self.delivery.origin(original)
        late = origin and message.received_at - origin.received_at > self._edited_within
        if origin is None or (late and message.command != WITHDRAW):
            await self.delivery.close(message, "ignored")
            return
        message = replace(message, place=origin.place)
        waiting = replace(waiting, message=message)
        await self.delivery.supersede(message)
        if not waiting.written:
            await self._conversations.take_back(original)
        outgoing = self._outgoing(waiting)
        outgoing.takes_the_place_of(await self.delivery.standing(original))
        await self._reply(waiting, outgoing)

    @property
    def _edited_within(self) -> timedelta:
        return timedelta(seconds=self._settings.answers.edit_seconds)

    async def _reply(self, waiting: Waiting, outgoing: Outgoing) -> None:
        """Have a message answered, unless an earlier run wrote the answer already, and deliver what is said."""
        message = waiting.message
        parts: Sequence[Part] = waiting.written
        if parts:
            reply = next((part.reply for part in parts if part.reply), Reply(""))
        else:
            reply = await self._respond(waiting, outgoing)
        if reply.revises:
            outgoing.takes_the_place_of(await self.delivery.standing(platform_key(message.place, reply.revises)))
        if not parts:
            reply, parts = await self._keep(message, reply, outgoing)
        await self._deliver(waiting, reply, parts, outgoing)

    async def _respond(self, waiting: Waiting, outgoing: Outgoing) -> Reply:
        before = partial(self.line.before, waiting.key)
        async with outgoing.at_work(before), self.line.place(waiting.key):
            outgoing.begin_work()
            return await self._responding.respond(waiting, outgoing.progress)

    async def _deliver(self, waiting: Waiting, reply: Reply, parts: Sequence[Part], outgoing: Outgoing) -> None:
        message = waiting.message
        # Beside the places of those who answer: a platform that hangs must not keep the others waiting.
        async with self._sending[message.place.platform]:
            with self._stages.at("send", message, parts=len(parts), outcome=reply.outcome, capability=reply.capability):
                parts = await outgoing.complete(parts)
        # To whom nothing is said, since they were told not long ago.
        outcome = "denied" if reply.outcome == "refused" and not reply.text and not parts else reply.outcome
        revised, retried = message.revises or reply.revises, waiting.retried_at is not None
        self._stages.ended(message, self._responding.capability(message, reply), outcome, delivered=bool(parts))
        # Where the database fails now, only this is tried again: the asker has the reply.
        note = partial(self.delivery.close, message, outcome, parts, revised, retried=retried)
        self._retries.notes[waiting.key] = note
        await self._note(message, note)
        log.info("answered", outcome=outcome, platform=message.place.platform, elapsed_ms=round(reply.elapsed_ms, 1))

    async def _note(self, message: IncomingMessage, note: Callable[[], Awaitable[None]]) -> None:
        await note()
        if not self._asking.keeps(message.place):
            await self._database.wipe()

    async def _keep(self, message: IncomingMessage, reply: Reply, outgoing: Outgoing) -> tuple[Reply, list[Part]]:
        """Commit the answer with its conversation before it is sent; where that fails, say so in its stead."""
        parts = outgoing.laid_out(replace(reply, sights=()))
        try:
            change = self.delivery.putting_out(message, parts)
            if reply.answer_id:
                change = self._conversations.keeping(message, reply) + change
            await self.delivery.write(message, change)
        except ClaimLostError:
            raise
        # Whatever keeps an answer from being kept, the asker must hear of it.
        except Exception as error:
            log.exception("answer not kept", platform=message.place.platform)
            known = error if isinstance(error, PreceptorError) else InternalError("I could not keep my answer.")
            reply = addressed(message, error_reply(known))
            return reply, outgoing.laid_out(reply)
        return reply, parts
