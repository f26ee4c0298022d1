"""A reply on its way out: shown while it grows, delivered part by part, tried again where the platform hesitates."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from time import monotonic
from typing import TypeVar

import structlog

from bot.adapter import Adapter
from bot.delivery import Delivery, Part, idempotency_key
from bot.errors import ClaimLostError, DeliveryRefusedError, PreceptorError, RateLimitedError
from bot.messages import IncomingMessage, Reply

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_SEND_SECONDS = 30.0
"""How long a platform may take to send, edit or delete a message."""

_SHOW_SECONDS = 5.0
"""How long it may take where the message is not complete: the answer itself waits meanwhile."""

_RETRY_SECONDS = (0.2, 1.0, 5.0)
"""Waits between tries to deliver a part, each up to a quarter longer; then the message waits for `bot.retries`."""

_LONGEST_PAUSE = 120.0
"""Seconds that a platform may ask us to wait here; where it wants more, others of the conversation come first."""

_PLACEHOLDER_SECONDS = 1.0
"""How long work is shown, and nothing of an answer, before a line says that one is coming."""

_THINKING = Reply("Thinking …", complete=False)

_DEFECTS = (TypeError, ValueError, LookupError, AttributeError, NameError, AssertionError, NotImplementedError)

_SAFE_IN_PUBLIC = ("refused", "failed")
"""Outcomes whose sentences tell nothing of the asker's."""


class Outgoing:
    """What stands of the reply to one message, and how it gets there.

    Args:
        adapter: through which it goes.
        delivery: where it is noted what stands.
        message: what is answered.
        shown_after: seconds before anything is shown of an answer that is not complete, where showing has its price.
        parts: what an earlier run put out of this reply.
        show_seconds: how long the platform may take to show an answer that is not complete.
        claim: under which this process has the message; nothing is sent without it.
    """

    def __init__(
        self,
        adapter: Adapter,
        delivery: Delivery,
        message: IncomingMessage,
        shown_after: float,
        parts: Sequence[Part] = (),
        *,
        show_seconds: float = _SHOW_SECONDS,
        claim: str = "",
    ) -> None:
        self._adapter = adapter
        self._delivery = delivery
        self._message = message
        self._standing = [part.sent_id for part in parts if part.sent_id]
        self._texts = [""] * len(self._standing)
        self._unnamed = {part.key for part in parts if not (part.reply or part.sent_id or part.is_sent)}
        self._uncertain = bool(parts)
        self._shown_after = shown_after
        self._show_seconds = show_seconds
        self._claim = claim
        self._begun = asyncio.Event()
        self._quiet_until = monotonic() + shown_after if adapter.limits.edits_per_second else 0.0
        self._showing = asyncio.Lock()

    def takes_the_place_of(self, standing: Sequence[str]) -> None:
        """Edit these messages instead of sending new ones."""
        # What was shown meanwhile is taken back at the end, as all that is too many.
        self._standing = list(dict.fromkeys((*standing, *self._standing)))
        self._texts = [""] * len(self._standing)

    @contextlib.asynccontextmanager
    async def at_work(self, before: Callable[[], int] = lambda: 0) -> AsyncIterator[None]:
        """Show, for the while of the body, that an answer is coming; of a quick one it is not shown.

        Args:
            before: says how many questions come before this one, while it waits for its turn.
        """
        waiting = asyncio.create_task(self._show_work(before), name="at work")
        try:
            yield
            # What is being shown now is let be, so that it is known what stands; where all is stopped nobody waits.
            async with self._showing:
                waiting.cancel()
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    def begin_work(self) -> None:
        """Note that it is this message's turn."""
        self._begun.set()

    async def _show_work(self, before: Callable[[], int]) -> None:
        await asyncio.sleep(self._shown_after)
        await self._show_place_in_line(before)
        async with self._adapter.working(self._message):
            if self._adapter.limits.placeholder:
                await asyncio.sleep(_PLACEHOLDER_SECONDS)
                if not self._standing:
                    await self.progress(_THINKING)
            await asyncio.Event().wait()

    async def _show_place_in_line(self, before: Callable[[], int]) -> None:
        """Tell whoever waits for their turn how many questions come before theirs, and wait for it, too."""
        if not before():
            return
        if self._adapter.limits.placeholder:
            await asyncio.sleep(_PLACEHOLDER_SECONDS)
            if (number := before()) and not self._standing:
                one = number == 1
                text = f"{number:,} {'question is' if one else 'questions are'} before yours."
                await self.progress(Reply(text, complete=False))
        await self._begun.wait()

    async def progress(self, reply: Reply) -> None:
        """Show how far the answer has come, where asker and platform want to see it."""
        limits = self._adapter.limits
        if not (limits.streaming and self._message.streaming) or monotonic() < self._quiet_until:
            return
        async with self._showing:
            if limits.edits_per_second:
                self._quiet_until = monotonic() + 1 / limits.edits_per_second
            try:
                for number, part in enumerate(self._adapter.parts(self._addressed(reply))):
                    await self._show(number, part)
            except RateLimitedError as error:
                self._quiet_until = monotonic() + error.seconds
            # The platform's trouble with an interim state is no reason to give up the answer: the complete one follows.
            except Exception as error:
                if isinstance(error, TimeoutError | DeliveryRefusedError | ClaimLostError):
                    self._quiet_until = inf
                log.warning(
                    "progress not shown",
                    platform=self._adapter.name,
                    reason=trouble(error),
                    exc_info=is_defect(error),
                )

    async def _show(self, number: int, part: Reply) -> None:
        if number < len(self._standing) and self._texts[number] == part.text:
            return
        async with asyncio.timeout(self._show_seconds):
            await self._delivery.require(self._claim)
            if number < len(self._standing):
                await self._adapter.edit(self._message.place, self._standing[number], part)
                self._texts[number] = part.text
                return
            key = idempotency_key(self._message, number)
            if self._adapter.limits.reaches_later:
                await self._delivery.begin(self._message, number)
            self._unnamed.add(key)
            sent_id = await self._send(part, key)
            self._unnamed.discard(key)
            self._standing.append(sent_id)
            self._texts.append(part.text)
            if self._adapter.limits.reaches_later:
                await self._delivery.stands(key, sent_id, final=False)

    def _addressed(self, reply: Reply) -> Reply:
        message = self._message
        return replace(
            reply,
            in_reply_to=message.reference,
            question=message.text,
            route=message.route,
            ephemeral=message.private,
        )

    def laid_out(self, reply: Reply) -> list[Part]:
        """Cut a complete reply into the parts that will be sent; none where there is nothing to say."""
        if not (reply.text or reply.files):
            return []
        replies = [replace(one, part=number) for number, one in enumerate(self._adapter.parts(reply))]
        if self._is_for_the_asker_alone(reply):
            # Under keys of its own, or what everybody sees would be taken for it.
            return [Part(f"{idempotency_key(self._message, one.part)}/private", one) for one in replies]
        return [Part(idempotency_key(self._message, one.part), one, self._stands_as(one.part)) for one in replies]

    def _is_for_the_asker_alone(self, reply: Reply) -> bool:
        """Say whether a reply must not stand where a part of an answer, or an earlier one, is seen by everybody."""
        seen_by_all = bool(self._standing or self._unnamed) and not self._message.private
        return seen_by_all and reply.ephemeral and reply.outcome not in _SAFE_IN_PUBLIC

    def _stands_as(self, number: int) -> str:
        return self._standing[number] if number < len(self._standing) else ""

    async def complete(self, parts: Sequence[Part]) -> list[Part]:
        """Deliver all parts in their final form, take back what stands beyond them, and give them as delivered.

        Raises:
            DeliveryRefusedError: the platform will not take it.
            ClaimLostError: another process has taken the message up.
            Exception: what the platform said at the last try.
        """
        sent = []
        for number, part in enumerate(parts, start=1):
            if not part.is_sent:
                part = replace(part, sent_id=await self._insist(partial(self._put, part)), is_sent=True)
                if number < len(parts):
                    await self._delivery.stands(part.key, part.sent_id, final=True)
            sent.append(part)
        kept = {part.sent_id for part in sent}
        for sent_id in (*self._standing, *await self._named({part.key for part in sent})):
            if sent_id and sent_id not in kept:
                await self._insist(partial(self._adapter.delete, self._message.place, sent_id))
        return sent

    async def _named(self, keys: Container[str]) -> list[str]:
        """Look for what was shown, while its name got lost, and is none of the parts with these keys."""
        message = self._message
        lost = [] if message.private else [key for key in self._unnamed if key not in keys]
        # By the key alone: it says what an answer said that is not known any more.
        nothing = self._addressed(Reply(""))
        return [await self._insist(partial(self._adapter.find, message.place, nothing, key)) for key in lost]

    async def _insist(self, act: Callable[[], Awaitable[Result]]) -> Result:
        for delay in (*_RETRY_SECONDS, 0.0):
            await self._delivery.require(self._claim)
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    return await act()
            except (DeliveryRefusedError, ClaimLostError):
                raise
            except RateLimitedError as error:
                if error.seconds > _LONGEST_PAUSE or not delay:
                    raise
                pause = error.seconds
            # Whatever the platform raised: the next try is under the same idempotency key.
            except Exception as error:
                if not delay:
                    raise
                pause = delay
                log.warning(
                    "not delivered yet",
                    platform=self._adapter.name,
                    reason=trouble(error),
                    again_in=delay,
                    exc_info=is_defect(error),
                )
            await asyncio.sleep(pause * random.uniform(1, 1.25))  # noqa: S311 - it spreads load, it keeps no secret
        raise AssertionError("the last try returns or raises")

    async def _put(self, part: Part) -> str:
        if part.reply is None:
            raise ValueError(f"nothing is written of {part.key}")
        if not part.sent_id:
            return await self._send(part.reply, part.key)
        await self._adapter.edit(self._message.place, part.sent_id, part.reply)
        return part.sent_id

    async def _send(self, reply: Reply, key: str) -> str:
        """Send what may have been sent before: then it is looked for, and put right where it stands."""
        place = self._message.place
        if self._uncertain and (sent_id := await self._adapter.find(place, reply, key)):
            await self._adapter.edit(place, sent_id, reply)
            return sent_id
        self._uncertain = True
        sent_id = await self._adapter.send(place, reply, key)
        self._uncertain = False
        return sent_id


def trouble(error: Exception) -> str:
    """Say in a word or a sentence why a platform took nothing; nothing of a message is in it."""
    if isinstance(error, PreceptorError):
        return error.sentence
    status = getattr(error, "status", None)
    return f"{type(error).__name__} {status}" if isinstance(status, int) else type(error).__name__


def is_defect(error: Exception) -> bool:
    """Say whether an error is one of a program, not of a platform: then the log has its traceback."""
    return isinstance(error, _DEFECTS)
