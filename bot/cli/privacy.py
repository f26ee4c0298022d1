"""The command that deletes what is kept no longer, by hand."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.settings import Settings

app = typer.Typer(help="Delete what is kept no longer.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Delete what is kept no longer."""


@app.command()
def clean(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many conversations are older than is set.")
    ] = False,
    compact: Annotated[
        bool,
        typer.Option(
            "--compact",
            help="Make the database file as small as it can be. That takes as much room again on the disk, and nothing"
            " is answered meanwhile.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what is older than the settings say, as `preceptor run` does every night; also while it runs."""
    import asyncio

    from bot import logs
    from bot.settings import load

    settings = load().settings
    logs.set_up(settings.log.model_copy(update={"level": "warning"}))
    document = asyncio.run(_due(settings) if dry_run else _cleaned(settings))
    if compact and not dry_run:
        from bot import compacting

        document = {**document, "bytes_of_the_file": compacting.compact(settings.database_file)}
    if as_json:
        print_json(document)
        return
    lines = [f"{what.replace('_', ' ')}: {number:,}" for what, number in document.items()]
    sys.stdout.write(("Would be deleted:\n" if dry_run else "Deleted:\n") + "".join(f"  {line}\n" for line in lines))


async def _due(settings: "Settings") -> "Mapping[str, int]":
    from datetime import UTC, datetime

    from bot.cli.opened_database import opened
    from bot.place_settings import PlaceSettings
    from bot.retention import Retention

    async with opened(settings) as database:
        places = PlaceSettings(database, settings)
        await places.load()
        return {"conversations": await Retention(database, places).due(datetime.now(UTC))}


async def _cleaned(settings: "Settings") -> "Mapping[str, int]":
    from datetime import UTC, datetime

    from bot.cleaning_jobs import cleaning
    from bot.cli.opened_database import opened
    from bot.place_settings import PlaceSettings

    async with opened(settings) as database:
        places = PlaceSettings(database, settings)
        await places.load()
        done = await cleaning(database, settings, places).clean(datetime.now(UTC))
    if done.failed:
        from bot.errors import StorageError

        raise StorageError(f"Not cleaned: {', '.join(done.failed)}.", "The log says why; try again.")
    return done.deleted
