"""The commands for collections of pictures: groups of those that look alike."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, leave, print_json, progress

if TYPE_CHECKING:
    from bot.settings import Settings
    from models.vision.clustering.album import Album
    from models.vision.clustering.clusters import Clusters

_AUTO = "auto"

app = typer.Typer(help="Sort collections of pictures.", no_args_is_help=True)


@app.callback()
def _images() -> None:
    """Sort collections of pictures."""


@app.command()
def cluster(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of pictures; those in its folders count, too.")],
    k: Annotated[str, typer.Option("--k", metavar="auto|N", help="How many groups; auto finds it, up to 20.")] = _AUTO,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="PATH",
            help="A folder for everything, or a file: .png or .html is the contact sheet, .json the groups."
            " Unset: a folder here, called after FOLDER.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="A classifier of pictures. Unset: what is in use.")
    ] = "",
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="The same one gives the same groups.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the pictures of a folder into groups of those that look alike, and show them on a contact sheet.

    Pictures that are nearly the same are listed, and those that are like no others. Nothing leaves this machine.
    """
    from bot import logs
    from bot.settings import load
    from models.vision.clustering.clusters import clusters_of
    from models.vision.clustering.writing import files_to_write, write

    count = _count(k)
    settings = load().settings
    logs.set_up(settings.log.model_copy(update={"level": "error"}))
    name = folder.resolve().name or "pictures"
    place = output or Path(f"{name}-groups")
    files = files_to_write(place, force)
    album = _album(folder, settings, model, place)
    clusters = clusters_of(album, count, settings.images.likeness, seed)
    write(clusters, f"Pictures of {name}", files)
    if as_json:
        print_json({"folder": str(folder)} | clusters.as_json() | {"files": [str(file) for file in files]})
    else:
        _print(clusters)
        sys.stdout.write(f"Written: {', '.join(map(str, files))}.\n")
    leave(0)


def _count(k: str) -> int | None:
    if k == _AUTO:
        return None
    if not k.isdecimal() or int(k) < 2:
        raise typer.BadParameter("Give auto, or a number from 2.", param_hint="--k")
    return int(k)


def _album(folder: Path, settings: "Settings", model: str, but: Path) -> "Album":
    from bot.describers import decoder_of, load_labeller_of
    from models.vision.clustering.album import look_at
    from models.vision.files import files_in

    files = files_in(folder, but)
    labeller = load_labeller_of(settings, model)
    try:
        with decoder_of(settings) as decoder, progress("looking", len(files)) as told:
            return look_at(folder, files, decoder, labeller, told)
    finally:
        labeller.close()


def _print(clusters: "Clusters") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from models.vision.clustering.words import notes, summary

    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    table = Table("Group", "Name", "Pictures", "Silhouette", "In its middle")
    for number, group in enumerate(clusters.groups, start=1):
        medoid = clusters.path(group.members[0].picture)
        cells = (str(number), group.title, f"{len(group.members):,}", f"{group.silhouette:.2f}", medoid)
        table.add_row(*map(Text, cells))
    console.print(table)
    for sentence in (summary(clusters), *notes(clusters)):
        console.print(Text(sentence))
