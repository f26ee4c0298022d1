"""The commands on the library: what was changed, and how to take it back."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.access import operator
from bot.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from bot.settings import Settings
    from knowledge import ReloadReport

_PLACE = "console"


def add_to(app: typer.Typer) -> None:
    """Add them to the commands on the knowledge base."""
    app.command()(versions)
    app.command()(undo)


def versions(as_json: AsJson = False) -> None:
    """List what was changed in the library, newest first, and say where its files lie."""
    from dataclasses import asdict

    from bot.knowledge_desk import library
    from bot.settings import load

    kept = library(load().settings)
    listed, folder = kept.versions(), kept.folder()
    if as_json:
        print_json({"versions": [asdict(version) for version in listed], "folder": str(folder or "")})
        return
    for version in listed:
        who = f"{version.at}  {version.by or 'somebody forgotten'}: " if version.at else ""
        sys.stdout.write(f"{version.id:>5}  {who}{version.action}\n")
    sys.stdout.write(f"Its files are in {folder}.\n" if folder else "The library holds no file.\n")


def undo(
    to: Annotated[int | None, typer.Option("--to", min=0, help="The version wanted; left out: the one before.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take back the last change of the library, and build the index; a Preceptor that runs takes it up by itself."""
    from dataclasses import asdict

    from bot.knowledge_desk import report_in_words
    from bot.settings import load

    report = asyncio.run(_undo(load().settings, to))
    if as_json:
        print_json(asdict(report))
    else:
        sys.stdout.write(report_in_words(report) + "\n")


async def _undo(settings: "Settings", to: int | None) -> "ReloadReport":
    """Do it, noted in the audit."""
    from bot.audit import Audit
    from bot.cli.opened_database import opened

    async with opened(settings) as database:
        audit = Audit(database, settings.access.audit_days)
        argument = "undo" if to is None else f"undo {to}"
        async with audit.noting_of(operator(), _PLACE, "library", argument):
            return await asyncio.to_thread(_undone, settings, to)


def _undone(settings: "Settings", to: int | None) -> "ReloadReport":
    from bot.knowledge_desk import knowledge_base, library

    kept, base = library(settings), knowledge_base(settings)
    # Opened beforehand, so that what does not load as it would be then is told, and taken back.
    base.open()
    with kept.changed(kept.going_back(to), operator()):
        return base.reload()
