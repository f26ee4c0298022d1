"""What the training commands share: a first Ctrl-C that stops in good order, and bars that tell how far it is."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

INTERRUPTED = 130
"""The exit status of a training that was stopped and can go on."""

Told = Callable[[str, int, int, float | None], None]
"""Told what is being done, steps done, steps at most, and the loss on what is held out."""


@contextmanager
def stoppable() -> Iterator[Event]:
    """Take the first Ctrl-C as a wish to stop in good order; a second one ends the process."""
    stopping = Event()

    def _stop(number: int, frame: object) -> None:
        stopping.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stderr.write("Stopping after this step …\n")

    before = signal.signal(signal.SIGINT, _stop)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress() -> Iterator[Told]:
    """Show on standard error how far the training is, where a person looks on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {"reading": bars.add_task("reading", total=None)}

        def _told(doing: str, done: int, total: int, loss: float | None) -> None:
            if doing not in tasks:
                bars.remove_task(*tasks.values())
                tasks.clear()
                tasks[doing] = bars.add_task(doing, total=total)
            known = f"{doing}, held-out loss {loss:.3f}" if loss is not None else doing
            bars.update(tasks[doing], description=known, completed=done, total=total)

        yield _told


def counted(number: int, what: str) -> str:
    """Give a number with what it counts, in the plural where it is not one."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
