"""The chain of generators: when one is down, slow or over its budget, the next one answers; the floor always can."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Literal, Protocol

import structlog

from models.errors import (
    AnswerBlockedError,
    AnswerUnusableError,
    GeneratorBusyError,
    GeneratorSlowError,
    ModelError,
)
from models.generation.circuit_breaker import CircuitBreaker
from models.generation.contract import Generator, GroundingPassage, Turn, Usage
from models.generation.grounding.review import Review, Verifier

log = structlog.get_logger(__name__)

FLOOR = "extractive"
"""The generator that every chain ends with."""

_LONGEST_ANSWER = 8_000
"""Characters that are read of an answer; whatever a generator has to say beyond them, it does not end."""

_ENOUGH = 0.5
"""Share of the sentences with a claim that the passages must bear out, or the extractive answer is the better one."""

_HARMLESS = (AnswerBlockedError, AnswerUnusableError, GeneratorBusyError)
"""What speaks about one question or one moment, not about the generator's health."""


Attempted = Literal[
    "answered", "abstained", "ungrounded", "unusable", "blocked", "busy", "slow", "failed", "over_budget", "left_alone"
]
"""How a generator's turn ended; the last two are turns that it was not given."""

_ANSWERED: Attempted = "answered"
_ENDED: Mapping[type[ModelError], Attempted] = {
    AnswerBlockedError: "blocked",
    AnswerUnusableError: "unusable",
    GeneratorBusyError: "busy",
    GeneratorSlowError: "slow",
}


class Account(Protocol):
    """On whose account an answer is written. `reference` names the question in the log."""

    reference: str

    async def allows(self, generator: str) -> bool:
        """Say whether the budget has room for that generator."""

    def charge(self, generator: str, model: str, usage: Usage) -> None:
        """Write down what an answer took."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer as far as it is written.

    Attributes:
        text: the whole text so far (CommonMark), statements with the number of their passage, as ``[1]``.
        generator: who writes it; empty while a model is being woken.
        state: ``waking`` while a model is loaded; ``writing``; at the end ``answered``, or ``abstained`` where the
            generator finds that the passages do not hold the answer: `text` is empty then.
        gave_up: who had begun and broke off, so that what was shown is rewritten; empty if nobody.
        cited: whether it rests on a passage.
        unchecked: whether some of it was seen in a picture by who wrote it, and held against nothing.
    """

    text: str
    generator: str = ""
    state: Literal["waking", "writing", "answered", "abstained"] = "writing"
    gave_up: str = ""
    cited: bool = True
    unchecked: bool = False


@dataclass(frozen=True, slots=True)
class ChainLimits:
    """How patient the chain is.

    Attributes:
        first_token: seconds until a generator must have begun; loading a model does not count.
        whole: seconds that all generators but the floor have together.
        failures: failures in a row that open a generator's circuit.
        pause: seconds that it stays open.
        withholds_uncited: whether an answer that rests on no passage is not given.
    """

    first_token: float = 10.0
    whole: float = 25.0
    failures: int = 3
    pause: float = 60.0
    withholds_uncited: bool = False


@dataclass(slots=True)
class _Link:
    name: str
    generator: Generator
    breaker: CircuitBreaker


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    passages: Sequence[GroundingPassage]
    history: Sequence[Turn]
    account: Account
    end: float


@dataclass(slots=True)
class _Attempt:
    """One generator's turn: whether nobody but the floor comes after it, and whether anything of it was shown."""

    is_last: bool
    shown: bool = False


class _NotGroundedError(Exception):
    """Too little of a written answer is borne out."""


class Chain:
    """Has answers written by the first generator that can.

    Args:
        generators: by their name in the settings; among them the `FLOOR`.
        limits: how patient it is.
        threads: where answers are reviewed; None takes the event loop's own.
        verifier: judges written sentences besides words and numbers.
        tell: is told of each generator's turn, with its name in the settings.
    """

    def __init__(
        self,
        generators: Mapping[str, Generator],
        limits: ChainLimits | None = None,
        threads: Executor | None = None,
        verifier: Verifier | None = None,
        tell: Callable[[str, Attempted], None] = lambda name, outcome: None,
    ) -> None:
        self._limits = limits or ChainLimits()
        self._threads = threads
        self._verifier = verifier
        self._tell = tell
        self._links = {
            name: _Link(name, generator, CircuitBreaker(self._limits.failures, self._limits.pause))
            for name, generator in generators.items()
        }
        self._floor = generators[FLOOR]

    def generator(self, name: str) -> Generator | None:
        """Give a generator by its name in the settings; None where it is not in any chain."""
        link = self._links.get(name)
        return link.generator if link else None

    def states(self) -> dict[str, str]:
        """Give the circuit of every generator but the floor: ``closed``, ``open`` or ``half-open``."""
        return {name: link.breaker.state for name, link in self._links.items() if name != FLOOR}

    async def write(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        history: Sequence[Turn],
        order: Sequence[str],
        account: Account,
    ) -> AsyncGenerator[Draft]:
        """Yield the answer as it grows; the last draft is ``answered`` or ``abstained``.

        Args:
            question: what was asked.
            passages: at least one, best first.
            history: earlier turns, oldest first.
            order: the generators' names, the one to ask first first; the floor needs no mention.
            account: on whose account.
        """
        asked = _Question(question, passages, history, account, monotonic() + self._limits.whole)
        # A ready answer was written by people: no model says it better.
        names = [] if passages[0].question else [name for name in order if name != FLOOR]
        gave_up = ""
        for link in (self._links[name] for name in names):
            if monotonic() >= asked.end or not await self._may_try(link, account):
                continue
            attempt, outcome = _Attempt(is_last=link.name == names[-1]), _ANSWERED
            try:
                async with contextlib.aclosing(self._attempt(link, asked, attempt)) as drafts:
                    async for draft in drafts:
                        outcome = "abstained" if draft.state == "abstained" else _ANSWERED
                        yield replace(draft, gave_up=gave_up)
            except _NotGroundedError:
                self._tell(link.name, "ungrounded")
                break
            except ModelError as error:
                self._tell(link.name, _ENDED.get(type(error), "failed"))
                log.warning("generator gave up", generator=link.name, reason=str(error), question=account.reference)
                gave_up = link.generator.name if attempt.shown else gave_up
            else:
                self._tell(link.name, outcome)
                return
        async for draft in self._from_floor(asked):
            yield replace(draft, gave_up=gave_up)

    async def _may_try(self, link: _Link, account: Account) -> bool:
        if not await account.allows(link.name):
            log.info("generator over budget", generator=link.name, question=account.reference)
            self._tell(link.name, "over_budget")
            return False
        is_admitted = link.breaker.admit()
        if not is_admitted:
            self._tell(link.name, "left_alone")
        return is_admitted

    async def _attempt(self, link: _Link, asked: _Question, attempt: _Attempt) -> AsyncGenerator[Draft]:
        """Yield one generator's answer, and tell its circuit how it went.

        Raises:
            ModelError: it gave up.
            _NotGroundedError: it answered, and too little of it is borne out.
        """
        health, is_rushed = link.breaker.let_go, self._is_rushed(asked)
        try:
            async with contextlib.aclosing(self._reviewed(link, asked, attempt)) as drafts:
                async for draft in drafts:
                    attempt.shown = attempt.shown or bool(draft.text)
                    health = link.breaker.succeeded if draft.generator else health
                    yield draft
            health = link.breaker.succeeded
        except (_NotGroundedError, *_HARMLESS):
            health = link.breaker.succeeded
            raise
        except ModelError:
            health = link.breaker.failed
            raise
        except TimeoutError:
            health = link.breaker.let_go if is_rushed else link.breaker.failed
            raise GeneratorSlowError(f"{link.generator.name} took too long.", "") from None
        # One generator's defect must not keep the next one from answering.
        except Exception:
            health = link.breaker.failed
            log.exception("generator failed", generator=link.name, question=asked.account.reference)
            raise AnswerUnusableError(f"{link.generator.name} failed.", "") from None
        finally:
            health()
            if link.breaker.state == "open":
                log.warning("generator left alone", generator=link.name, seconds=self._limits.pause)

    def _is_rushed(self, asked: _Question) -> bool:
        """Whether others took so much of the time that being late is not the next one's fault."""
        return asked.end - monotonic() < min(self._limits.first_token, self._limits.whole) / 2

    async def _reviewed(self, link: _Link, asked: _Question, attempt: _Attempt) -> AsyncGenerator[Draft]:
        generator = link.generator
        if generator.waking:
            yield Draft("", state="waking")
            await self._wake(generator, asked.end if attempt.is_last else asked.end - self._limits.whole / 2)
        loop, name = asyncio.get_running_loop(), generator.name
        review = Review(asked.text, asked.passages, self._verifier, generator.looks_at(asked.passages))
        shown = ""
        charge = partial(asked.account.charge, link.name, name)
        stream = generator.stream(asked.text, asked.passages, asked.history, charge)
        async with contextlib.aclosing(_in_time(stream, self._limits.first_token, asked.end)) as pieces:
            async for piece in _bounded(pieces):
                text = await loop.run_in_executor(self._threads, review.read, piece)
                if review.stuck:
                    break
                if text != shown:
                    shown = text
                    yield Draft(text, name)
        yield await loop.run_in_executor(self._threads, self._judged, link, asked, review)

    async def _wake(self, generator: Generator, until: float) -> None:
        """Wait until a model is loaded; where that takes longer it goes on, for the questions to come.

        Raises:
            GeneratorBusyError: it took longer.
            ModelError: it cannot be loaded.
        """
        try:
            async with asyncio.timeout_at(_loop_time(until)):
                await generator.warm_up()
        except TimeoutError:
            waiting = f"{generator.name} is still being loaded, which takes longest the first time."
            raise GeneratorBusyError(waiting, "Ask again in a minute; generation.seconds sets the patience.") from None

    def _judged(self, link: _Link, asked: _Question, review: Review) -> Draft:
        """Give the complete answer.

        Raises:
            AnswerUnusableError: there is none.
            _NotGroundedError: too little of it is borne out.
        """
        name, text = link.generator.name, review.finish()
        dropped = {at: one.reason for at, one in enumerate(review.judgements, start=1) if one.reason}
        if dropped:
            log.info("sentences dropped", generator=link.name, sentences=dropped, question=asked.account.reference)
        if review.abstains:
            return Draft("", name, "abstained")
        if review.unusable:
            raise AnswerUnusableError(f"{name} wrote no usable answer: {review.unusable}.", "")
        claims = [one for one in review.judgements if one.makes_claim]
        borne_out = [one for one in claims if not one.reason]
        cited = any(one.passage for one in borne_out)
        if len(borne_out) < _ENOUGH * len(claims) or not text or (self._limits.withholds_uncited and not cited):
            raise _NotGroundedError
        return Draft(text, name, "answered", cited=cited, unchecked=review.unchecked)

    async def _from_floor(self, asked: _Question) -> AsyncGenerator[Draft]:
        draft = Draft("", self._floor.name)
        async for piece in self._floor.stream(asked.text, asked.passages, asked.history):
            draft = replace(draft, text=draft.text + piece)
            yield draft
        self._tell(FLOOR, _ANSWERED)
        yield replace(draft, state="answered")

    async def warm_up(self, names: Sequence[str]) -> None:
        """Load what these generators need, one after the other; what cannot be loaded is logged with the fix."""
        for name in names:
            try:
                await self._links[name].generator.warm_up()
            except ModelError as error:
                log.warning("generator not ready", generator=name, reason=str(error))
            # One generator's defect must not keep the next one from being made ready.
            except Exception:
                log.exception("generator not ready", generator=name)

    async def close(self) -> None:
        """Let go of what the generators hold."""
        async with contextlib.AsyncExitStack() as stack:
            for link in self._links.values():
                stack.push_async_callback(link.generator.close)


def _loop_time(moment: float) -> float:
    return asyncio.get_running_loop().time() + moment - monotonic()


async def _in_time(pieces: AsyncIterator[str], first: float, end: float) -> AsyncGenerator[str]:
    """Yield what comes in time, and close what does not.

    Raises:
        TimeoutError: the first piece did not come within `first` seconds, or the last not until `end`.
    """
    until = min(monotonic() + first, end)
    try:
        while True:
            async with asyncio.timeout_at(_loop_time(until)):
                piece = await anext(pieces, None)
            if piece is None:
                return
            until = end
            yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


async def _bounded(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield as much as is read of an answer."""
    length = 0
    async for piece in pieces:
        length += len(piece)
        yield piece
        if length > _LONGEST_ANSWER:
            return
