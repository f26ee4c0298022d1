"""Talks to whoever sits at the terminal, or to the script that pipes questions in."""

import asyncio
import contextlib
import getpass
import itertools
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import cast

from adapters.console.piped import piped_lines
from adapters.console.rendering import Screen
from bot.access import ADMIN
from bot.adapter import Accept, AdapterSetup, InMemoryAdapter, Limits
from bot.errors import PreceptorError
from bot.messages import Author, File, IncomingMessage, Outcome, Place, Reply, answer_document
from bot.question_text import clean

STATUS: dict[Outcome, int] = {"answered": 0, "done": 0, "failed": 1, "refused": 2, "declined": 3}
"""The exit status of a process that asked one thing."""

_NOBODY_READS = 141
"""The exit status of a process whose output nobody reads any more, as a shell gives it after SIGPIPE."""


class ConsoleAdapter(InMemoryAdapter):
    """One conversation in the terminal; whoever sits there runs this machine, and so has an admin's rights.

    Args:
        question: the one question to ask; None to hold a conversation.
        as_json: whether answers are printed as JSON documents.
        passages: how many passages an answer may rest on, or None for the setting.
        once: whether to leave after the first answer.
    """

    name = "console"

    def __init__(self, question: str | None, as_json: bool, passages: int | None, once: bool) -> None:
        super().__init__(Limits(streaming=True, files=False, reaches_later=False))
        self._question = question
        self._as_json = as_json
        self._passages = passages
        self._once = once or question is not None
        self._place = Place(self.name, thread=uuid.uuid4().hex)
        self._author = Author(_user(), roles=frozenset({ADMIN}))
        self._screen = Screen()
        self._talk: asyncio.Task[int] | None = None

    @classmethod
    def create(cls, setup: AdapterSetup) -> "ConsoleAdapter":
        """Make the adapter that the command line asks for."""
        options = setup.options
        return cls(
            question=cast("str | None", options.get("question")),
            as_json=bool(options.get("as_json")),
            passages=cast("int | None", options.get("passages")),
            once=bool(options.get("once")),
        )

    async def start(self, accept: Accept) -> None:
        """Begin the conversation."""
        await super().start(accept)
        self._talk = asyncio.create_task(self._converse(), name="console")

    async def closed(self) -> int:
        """Wait until the conversation is over; the status tells how the one question ended."""
        if self._talk is None:
            raise RuntimeError("the console adapter is not started")
        # Whoever waits here may be cancelled while the answer is being finished.
        return await asyncio.shield(self._talk)

    async def stop(self) -> None:
        """End the conversation."""
        if self._talk is not None:
            self._talk.cancel()
            with contextlib.suppress(asyncio.CancelledError, PreceptorError):
                await self._talk
        await super().stop()

    async def _converse(self) -> int:
        try:
            return await self._exchange_all()
        except BrokenPipeError:
            return _NOBODY_READS

    async def _exchange_all(self) -> int:
        async for line in self._lines():
            if not line.strip() and not self._once:
                continue
            try:
                reply = await self._say(line)
            except PreceptorError as error:
                if self._once:
                    raise
                self._screen.error(str(error))
                continue
            if self._once:
                return STATUS[reply.outcome]
        return 0

    async def _lines(self) -> AsyncIterator[str]:
        if self._question is not None:
            yield self._question
        elif sys.stdin.isatty():
            async for line in self._screen.prompts():
                yield line
        else:
            async for line in piped_lines(sys.stdin):
                yield line

    async def _say(self, text: str) -> Reply:
        exchange = await self.post(
            IncomingMessage(
                key=f"{self.name}:{uuid.uuid4().hex}",
                place=self._place,
                author=self._author,
                text=text,
                passages=self._passages,
                streaming=self._screen.is_terminal and not self._as_json,
            )
        )
        with self._screen.answering() as show:
            while not (reply := await exchange.next()).complete:
                show(reply)
        self._print(reply)
        return reply

    def _print(self, reply: Reply) -> None:
        if reply.error:
            self._screen.error(reply.text)
        elif self._as_json:
            self._screen.plain(json.dumps(reply.data or answer_document(reply), ensure_ascii=False))
        else:
            self._screen.reply(reply)
            self._hand_out(reply.files)

    def _hand_out(self, files: Sequence[File]) -> None:
        for file in files:
            try:
                self._screen.plain(f"Written to {_written(file)}.")
            except OSError as error:
                self._screen.error(f"{file.name} cannot be written here: {error.strerror}.")


def _written(file: File) -> Path:
    """Write a file into the current folder, over none that is there, for nobody else's eyes; give its path.

    Raises:
        OSError: it cannot be written.
    """
    name = Path(file.name)
    for number in itertools.count(1):
        path = Path.cwd() / (f"{name.stem}-{number}{name.suffix}" if number > 1 else name)
        with contextlib.suppress(FileExistsError):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                out.write(file.text + "\n")
            return path
    raise FileExistsError(name)


def _user() -> str:
    """Name whoever runs the process; an account without a name goes by its number."""
    try:
        return clean(getpass.getuser())
    except (KeyError, OSError):
        return str(os.getuid())
