"""What the commands share: errors as sentences, JSON for scripts, progress, an end that waits for nothing."""

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a script to read.")]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""How Python spells a byte that is no UTF-8; written as it is, it would become a question mark."""


def print_json(document: object) -> None:
    """Print one JSON document on one line; bytes of a file's name that are no text stand as ``\\udcXX``."""
    text = json.dumps(document, ensure_ascii=False, default=str)
    sys.stdout.write(_LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def print_markdown(text: str) -> None:
    """Print CommonMark: as it is meant where a person looks on, and as it stands in a pipe."""
    from rich.console import Console
    from rich.markdown import Markdown

    if sys.stdout.isatty():
        Console(highlight=False).print(Markdown(text))
    else:
        sys.stdout.write(f"{text}\n")


@contextmanager
def progress(doing: str, total: int) -> Iterator[Callable[[], None]]:
    """Show on standard error how many of `total` are done, where a person looks on; gives what counts one more."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    # What is printed meanwhile goes above the bar, unless it goes elsewhere: to a file or another program.
    on_screen = sys.stdout.isatty()
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, redirect_stdout=on_screen) as bars:
        task = bars.add_task(doing, total=total)
        yield lambda: bars.advance(task)


def leave(status: int) -> NoReturn:
    """End the process with `status`, also where a thread still reads a knowledge base that nobody waits for."""
    sys.stdout.flush()
    sys.stderr.flush()
    if threading.active_count() > 1:
        os._exit(status)
    raise SystemExit(status)


def fail(sentence: str, status: int) -> NoReturn:
    """Say on standard error what went wrong, and leave with `status`."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text("Error: ", style="bold red") + Text(sentence))
    raise SystemExit(status)
