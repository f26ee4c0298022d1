"""The commands on replies that could not be delivered: list them, have them tried again."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli.output import AsJson, fail, print_json, print_markdown

if TYPE_CHECKING:
    from bot.undelivered import Undelivered

app = typer.Typer(help="See replies that could not be delivered, and have them tried again.", no_args_is_help=True)

Result = TypeVar("Result")

Key = Annotated[str, typer.Argument(help="The one to be tried, as `preceptor delivery list` names it; else all are.")]


def _on_database(work: "Callable[[Undelivered], Awaitable[Result]]") -> Result:
    """Run `work` on the database, also while Preceptor runs: it takes up what was reopened within seconds."""
    from bot.cli.opened_database import opened
    from bot.settings import load
    from bot.undelivered import Undelivered

    async def _run() -> Result:
        async with opened(load().settings) as database:
            return await work(Undelivered(database))

    return asyncio.run(_run())


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the replies that were given up, oldest first: the message's key, its place, since when, and why."""
    from bot.undelivered import document, in_words

    found = _on_database(lambda undelivered: undelivered.listed())
    if as_json:
        print_json([document(one) for one in found])
    else:
        print_markdown(in_words(found, len(found)))


@app.command()
def retry(key: Key = "") -> None:
    """Have replies that were given up tried again: at once where Preceptor runs, else when it is started."""
    number = _on_database(lambda undelivered: undelivered.retry(key=key))
    if key and not number:
        fail(f"No reply to {key} waits to be tried again. `preceptor delivery list` names those that do.", 1)
    sys.stdout.write(f"{number:,} {'reply is' if number == 1 else 'replies are'} tried again.\n")
