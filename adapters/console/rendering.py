"""Puts replies on the terminal: Markdown and colours for a person, plain text for a pipe."""

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from bot.messages import Citation, Reply
from bot.question_text import clean

_COMMANDS = ("/help", "/history", "/knowledge", "/reload", "/forget", "/quit")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Tell the conversation that nobody reads any more, instead of ending the process in its midst."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise BrokenPipeError


class Screen:
    """Standard output for what was asked for, standard error for what went wrong."""

    def __init__(self) -> None:
        self._out = _Console(highlight=False, soft_wrap=not sys.stdout.isatty())
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at it."""
        return self._out.is_terminal

    async def prompts(self) -> AsyncIterator[str]:
        """Yield what the person types, line by line, until they leave."""
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import WordCompleter
        from prompt_toolkit.history import InMemoryHistory

        completer = WordCompleter(list(_COMMANDS), sentence=True)
        session: PromptSession[str] = PromptSession("You › ", completer=completer, history=InMemoryHistory())
        self._out.print("[bold]Preceptor[/bold]: ask me anything I may know. /help says more, /quit leaves.\n")
        while True:
            try:
                # While it waits the terminal is raw, and Ctrl-C is a key; a handler of its own would replace ours.
                line = await session.prompt_async(handle_sigint=False)
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            if line.strip().lower().removeprefix("/") in ("quit", "exit"):
                return
            yield line

    @contextlib.contextmanager
    def answering(self) -> Iterator[Callable[[Reply], None]]:
        """Show, for the while of the body, that an answer is coming, and how far it has come."""
        if not self.is_terminal:
            yield lambda reply: None
            return
        with Live(Spinner("dots", "thinking …"), console=self._out, transient=True, refresh_per_second=12) as live:
            yield lambda reply: live.update(_body(reply))

    def reply(self, reply: Reply) -> None:
        """Print a reply with its sources."""
        if self.is_terminal:
            self._out.print(Group(_body(reply), *_footer(reply)))
            self._out.print()
        else:
            self.plain(clean(reply.text))
            for citation in reply.citations:
                self.plain(f"[{citation.number}] {_source(citation)}")
            if reply.note:
                self.plain(clean(reply.note))

    def plain(self, text: str) -> None:
        """Print text as it stands."""
        self._out.print(Text(text))

    def error(self, text: str) -> None:
        """Print what went wrong."""
        self._err.print(Text(clean(text), style="red"))


def _body(reply: Reply) -> RenderableType:
    return Markdown(clean(reply.text), hyperlinks=False)


def _footer(reply: Reply) -> Iterator[RenderableType]:
    if reply.citations:
        table = Table.grid(padding=(0, 1))
        for citation in reply.citations:
            table.add_row(Text(f"[{citation.number}]", style="cyan"), Text(_source(citation), style="dim"))
        yield Text("Sources", style="bold dim")
        yield table
    if reply.generator:
        who = clean(reply.note).removesuffix(".") or reply.generator
        yield Text(f"{who} · {reply.confidence:.0%} sure · {reply.elapsed_ms:,.0f} ms", style="dim italic")


def _source(citation: Citation) -> str:
    place = ", ".join(part for part in (citation.source, citation.location) if part)
    parts = (citation.title, place, citation.url)
    return clean(" · ".join(part for part in parts if part))
