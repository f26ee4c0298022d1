"""What generators behind a server have in common: the prompt and what is hidden in it, patience, retries, the bill."""

import asyncio
import random
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from models.errors import AnswerUnusableError, GeneratorRefusedError
from models.generation.contract import Generator, GroundingPassage, Spent, Turn
from models.generation.prompting import ChatMessage
from models.generation.served.bill import Bill
from models.generation.served.faults import LONGEST_DELAY, AttemptError, Server
from models.generation.served.hiding import Hiding, Told
from models.generation.served.prompt import Prompt, prompted, prompted_translation, shown_pictures, told
from models.generation.translation import gathered

if TYPE_CHECKING:
    import httpx2

log = structlog.get_logger(__name__)

_PATIENCE_AFTER_THE_END = 2.0
"""Seconds; behind an answer's end its count of tokens may still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedOptions:
    """How a server is asked.

    Attributes:
        model: its name there.
        base_url: where the server is.
        key: what it knows us by; may be empty where it asks for none.
        temperature: 0 always takes the likeliest word; None leaves it to the model.
        max_tokens: tokens in the longest answer, what the model thinks included.
        window: tokens that the prompt may have.
        timeout_seconds: how long the server may keep silent.
        retries: how often it is asked again where it is overloaded.
        input_price: of a million tokens read.
        output_price: of a million tokens written.
        proxy: an address; empty: the environment's counts.
        pictures: whether pictures are sent, and not only what is said of them.
    """

    model: str
    base_url: str
    key: str = field(default="", repr=False)
    temperature: float | None = 0.2
    max_tokens: int = 1_024
    window: int = 16_000
    timeout_seconds: float = 20.0
    retries: int = 2
    input_price: float = 0.0
    output_price: float = 0.0
    proxy: str = field(default="", repr=False)
    pictures: bool = False


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long is waited before a server that named no delay is asked again.

    Attributes:
        first: seconds before the first time; twice as long before each further one.
        longest: seconds at most.
    """

    first: float = 0.5
    longest: float = 4.0

    def pause(self, retry: int) -> float:
        """Give the seconds before the retry of that number, from 0: between half of it and all, by chance."""
        # Not for secrets; it keeps many askers from coming back in the same moment.
        return min(self.longest, self.first * 2.0**retry) * random.uniform(0.5, 1.0)  # noqa: S311


@dataclass(frozen=True, slots=True)
class Chunk:
    """What came at once.

    Attributes:
        text: to be shown.
        unseen: characters of thoughts, which are not to be shown.
        thinks: whether the model thinks, as far as this tells.
        input_tokens: tokens read so far, where the server counts them here.
        output_tokens: tokens written so far, thoughts included, the same way.
        is_end: whether the server says that the answer ends here.
    """

    text: str = ""
    unseen: int = 0
    thinks: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    is_end: bool = False


@dataclass(slots=True)
class _Progress:
    """How far an answer got."""

    begun: bool = False
    ended: bool = False
    thought: bool = False


class ServedGenerator(Generator):
    """Has answers written by a server. What it is sent and what it sends stay out of the log.

    Args:
        server: how messages speak of it.
        options: how it is asked.
        hiding: hides what must not leave this machine; None hides nothing anywhere.
        backoff: how long is waited between attempts.

    Attributes:
        redacts: whether anything is hidden from the server, where no place says otherwise.
    """

    def __init__(
        self,
        server: Server,
        options: ServedOptions,
        hiding: Hiding | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = options.model or server.section
        self._server = server
        self._asked_with = options
        self._hiding = hiding
        self.redacts = hiding is not None and hiding.by_default
        self._backoff = backoff or Backoff()
        self._connecting = asyncio.Lock()
        self._is_connected = False

    @abstractmethod
    def _connect(self) -> None:
        """Import the library and make its client; called in a thread, once.

        Raises:
            GeneratorRefusedError: key, address or proxy can be none.
        """

    @abstractmethod
    def _chunks(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[Chunk]:
        """Ask once.

        Raises:
            AttemptError: there is no answer, or no more of it.
        """

    @abstractmethod
    async def _look(self) -> None:
        """Ask for nothing but whether the key is taken and the model is there.

        Raises:
            AttemptError: one of them is not so.
        """

    async def check(self) -> None:
        """Ask the server, at no cost, whether it takes the key and has the model.

        Raises:
            GenerationError: it does not, or it does not answer.
        """
        await self._connected()
        from models.generation.served.connection import too_slow

        try:
            async with asyncio.timeout(self._asked_with.timeout_seconds):
                await self._look()
        except TimeoutError:
            raise too_slow(self._server) from None
        except AttemptError as fault:
            raise fault.error from None

    async def warm_up(self) -> None:
        """Make the connection ready, and what hides, which takes a second or two; nothing is sent.

        Raises:
            GeneratorRefusedError: a setting is missing, or cannot be right.
            ModelError: the model that finds names cannot be loaded.
        """
        await self._connected()
        if self._hiding:
            await self._hiding.load()

    async def close(self) -> None:
        """Let go of what hides; the connection is closed by who made it."""
        if self._hiding:
            await self._hiding.close()

    async def _connected(self) -> None:
        if not self._asked_with.model:
            raise self._no_model()
        async with self._connecting:
            if not self._is_connected:
                try:
                    await asyncio.to_thread(self._connect)
                # Nothing is sent yet; what is read are the certificates that connections are checked with.
                except OSError:
                    raise self._no_certificates() from None
                self._is_connected = True

    async def stream(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        history: Sequence[Turn] = (),
        spent: Spent | None = None,
    ) -> AsyncIterator[str]:
        """Yield the answer as the server writes it; see `Generator.stream`."""
        prompting = partial(
            prompted,
            question,
            passages,
            history,
            window=self._asked_with.window,
            pictures=self.looks_at(passages),
        )
        about = told(question, passages, history)
        async with aclosing(self._written(prompting, about, spent)) as pieces:
            async for piece in pieces:
                yield piece

    def looks_at(self, passages: Sequence[GroundingPassage]) -> frozenset[int]:
        """See `Generator.looks_at`."""
        return shown_pictures(passages, self._asked_with.window) if self._asked_with.pictures else frozenset()

    async def translate(self, text: str, language: str, spent: Spent | None = None) -> str:
        """Give a sentence in another language; see `Generator.translate`."""
        prompting = partial(prompted_translation, text, language, window=self._asked_with.window)
        return await gathered(self._written(prompting, Told((text,)), spent), text, language, self.name)

    async def _written(self, prompting: Callable[..., Prompt], about: Told, spent: Spent | None) -> AsyncGenerator[str]:
        """Yield what the server writes to a prompt, with what was hidden in it, and tell what it took."""
        bill = Bill(self._asked_with.input_price, self._asked_with.output_price)
        try:
            await self._connected()
            redactor = await self._hiding.redactor(about) if self._hiding else None
            # Hiding and fitting take milliseconds, which the event loop does not have.
            prompt = await asyncio.to_thread(prompting, redactor=redactor)
            async with aclosing(self._answered(prompt, bill)) as pieces:
                async for piece in pieces:
                    if shown := prompt.restored(piece):
                        yield shown
            if rest := prompt.rest():
                yield rest
        finally:
            if spent is not None:
                spent(bill.usage())

    async def _answered(self, prompt: Prompt, bill: Bill) -> AsyncGenerator[str]:
        """Yield the answer; before its first piece the server is asked again where that makes sense."""
        retry = 0
        while True:
            progress = _Progress()
            try:
                async with aclosing(self._attempt(prompt, bill, progress)) as pieces:
                    async for piece in pieces:
                        yield piece
            except AttemptError as fault:
                if not fault.is_billed and not progress.begun:
                    bill.cancelled()
                if not fault.is_passing or progress.begun or retry >= self._asked_with.retries:
                    raise fault.error from None
                delay = fault.delay if fault.delay is not None else self._backoff.pause(retry)
                log.info("server asked again", server=self._server.section, reason=fault.error.message, retry=retry + 1)
            else:
                return
            retry += 1
            await asyncio.sleep(min(delay, LONGEST_DELAY))

    async def _attempt(self, prompt: Prompt, bill: Bill, progress: _Progress) -> AsyncGenerator[str]:
        bill.asked(prompt.characters, prompt.picture_tokens)
        async with aclosing(self._in_time(self._chunks(prompt.messages), progress)) as chunks:
            async for chunk in chunks:
                bill.wrote(len(chunk.text) + chunk.unseen)
                bill.counted(chunk.input_tokens, chunk.output_tokens)
                progress.thought = progress.thought or chunk.thinks or chunk.unseen > 0
                progress.ended = progress.ended or chunk.is_end
                if chunk.text:
                    progress.begun = True
                    yield chunk.text
        if not progress.begun:
            raise self._empty(progress)

    async def _in_time(self, chunks: AsyncGenerator[Chunk], progress: _Progress) -> AsyncGenerator[Chunk]:
        """Yield what comes, and close the connection as soon as nobody wants more.

        Raises:
            GeneratorSlowError: nothing came for too long.
            AttemptError: it broke off.
        """
        from models.generation.served.connection import broke_off, responses, too_slow

        patience = self._asked_with.timeout_seconds
        noted: list[httpx2.Response] = []
        try:
            while True:
                token = responses.set(noted)
                try:
                    async with asyncio.timeout(min(patience, _PATIENCE_AFTER_THE_END) if progress.ended else patience):
                        chunk = await anext(chunks, None)
                finally:
                    responses.reset(token)
                if chunk is None:
                    break
                yield chunk
        except (TimeoutError, AttemptError) as error:
            # What comes behind the end, or doesn't, is of no interest.
            if not progress.ended:
                raise too_slow(self._server) if isinstance(error, TimeoutError) else error from None
        finally:
            # The library would close it some turns of the event loop later.
            for response in noted:
                await response.aclose()
            await chunks.aclose()
        if not progress.ended:
            raise broke_off(self._server)

    def _empty(self, progress: _Progress) -> AnswerUnusableError:
        if progress.thought:
            return AnswerUnusableError(
                f"{self._server.name} thought until {self._server.section}.max_tokens was reached, and wrote nothing.",
                "Raise it, let the model think less, or use one that doesn't.",
            )
        return AnswerUnusableError(f"{self._server.name} wrote nothing.", "Try another model.")

    def _no_certificates(self) -> GeneratorRefusedError:
        return GeneratorRefusedError(
            f"{self._server.name} is not asked: the certificates to check its own with cannot be read.",
            "Mend the file that SSL_CERT_FILE or SSL_CERT_DIR names in the environment, or unset it.",
        )

    def _no_model(self) -> GeneratorRefusedError:
        section = self._server.section
        return GeneratorRefusedError(
            f"{section}.model is not set.", f"Set it to a model's name: {self._server.models}."
        )
