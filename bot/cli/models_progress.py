"""How far bytes have come, on standard error, where a person looks on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.store.checksums import Advanced


@contextmanager
def bytes_progress(label: str, total: int | None = None) -> Iterator["Advanced"]:
    """Show how far it is; without a total, how much is done."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True
    ) as progress:
        bar = progress.add_task(label, total=total)
        yield lambda size: progress.advance(bar, size)
