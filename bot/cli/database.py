"""The commands on the database file: upgrade, backup, restore."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Upgrade, copy and restore the database.", no_args_is_help=True)


def _file() -> Path:
    from bot.settings import load

    return load().settings.database_file


@app.command()
def upgrade() -> None:
    """Bring the database's tables up to date; older ones are copied first. `preceptor run` does this by itself."""
    from bot import database_file

    copy = database_file.upgrade(_file())
    note = f" The database as it was: {copy}." if copy else ""
    sys.stdout.write(f"{_file()} is up to date ({database_file.HEAD}).{note}\n")


@app.command()
def backup(path: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]) -> None:
    """Copy the database, also while Preceptor runs."""
    from bot import database_file

    database_file.backup(_file(), path.absolute())
    sys.stdout.write(f"{path} holds the database as of now.\n")


@app.command()
def restore(path: Annotated[Path, typer.Argument(help="A backup made by `preceptor database backup`.")]) -> None:
    """Put a backup in the database's place; what was there is copied first. Stop Preceptor before."""
    from bot import database_file

    copy = database_file.restore(_file(), path.absolute())
    note = f" The database as it was: {copy}." if copy else ""
    sys.stdout.write(f"{path} is restored.{note}\n")
