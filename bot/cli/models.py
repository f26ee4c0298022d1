"""The commands on models: list, remove and check here, pull and use beside."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.models_choice import chosen_by_task
from bot.cli.models_progress import bytes_progress
from bot.cli.models_pull import pull
from bot.cli.models_use import use
from bot.cli.output import AsJson, fail, print_json

if TYPE_CHECKING:
    from bot.settings import Settings
    from models.store.inventory import Entry
    from models.store.model_store import ModelStore, Task

app = typer.Typer(help="List, download, verify, choose and remove models.", no_args_is_help=True)

_WHAT_PICTURE_MODELS_DO = {"images": "labels pictures", "captions": "captions pictures"}


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Show what models are here: those trained here and those in Hugging Face's cache."""
    from models.store.inventory import entries
    from models.store.model_store import ModelStore

    settings = _settings()
    store = ModelStore(settings.models_directory)
    chosen = chosen_by_task(settings, store)
    rows = [(entry, _uses_of(entry, chosen, settings, store)) for entry in entries(store)]
    if as_json:
        print_json({"in_use": chosen, "models": [_as_json(entry, uses) for entry, uses in rows]})
        return
    for row in rows:
        _print_entry(*row)
    listed = {use for _, uses in rows for use in uses}
    for task, name in chosen.items():
        if task not in listed:
            sys.stdout.write(_not_listed(store, settings, task, name) + "\n")


app.command()(pull)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that `preceptor models list` shows.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also where it is in use.")] = False,
) -> None:
    """Delete a model with all its revisions and conversions."""
    from models.errors import ModelUnusableError
    from models.store.model_store import ModelStore
    from models.store.removal import folders_of
    from models.store.removal import remove as remove_from
    from models.store.sizes import in_words

    settings = _settings()
    store = ModelStore(settings.models_directory)
    folders = folders_of(store, name)
    for task, chosen in chosen_by_task(settings, store).items() if not force else ():
        if chosen == name or any(Path(chosen).is_relative_to(folder) for folder in folders):
            raise ModelUnusableError(
                f"{name} is in use for {task}.",
                f"Choose another one (`preceptor models use NAME --for {task}`), or give --force.",
            )
    listed = ", ".join(map(str, folders))
    if not yes and not typer.confirm(f"Delete {name} ({listed})?", err=True):
        fail("Nothing is deleted.", 1)
    sys.stdout.write(f"{name} is deleted; {in_words(remove_from(store, name))} are free for it.\n")


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help="Names or folders; without any, all that are here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look whether models are whole, and hold every file against its recorded checksum. Exit status 1 if one is not."""
    from dataclasses import asdict

    from models.store.model_store import ModelStore
    from models.store.verification import examine

    store = ModelStore(_settings().models_directory)
    with bytes_progress("Verifying") as advanced:
        reports = examine(store, names or [], advanced)
    if as_json:
        print_json([asdict(report) | {"whole": report.whole} for report in reports])
    for report in reports if not as_json else ():
        sys.stdout.write(f"{report}\n")
    if not reports:
        sys.stderr.write("There is no model here. `preceptor models pull google/flan-t5-small` gets one.\n")
    raise typer.Exit(0 if all(report.whole for report in reports) else 1)


app.command()(use)


def _settings() -> "Settings":
    from bot.settings import load

    return load().settings


def _uses_of(entry: "Entry", chosen: "dict[Task, str]", settings: "Settings", store: "ModelStore") -> list[str]:
    revision = settings.local.revision
    meant = entry.revision.startswith(revision) if revision else entry.main
    found: list[str] = []
    for task, name in chosen.items():
        # A name may be that of one model for each task.
        ours = entry.origin == "trained" and (
            entry.folder.parent.name == task or not (store.directory / task / name).is_dir()
        )
        theirs = entry.origin == "hub" and (meant if task == "answers" else entry.main)
        if name == str(entry.folder) or (name == entry.name and (ours or theirs)):
            found.append(task)
    return found


def _as_json(entry: "Entry", uses: list[str]) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(entry) | {"in_use_for": uses}


def _print_entry(entry: "Entry", uses: list[str]) -> None:
    from models.store.sizes import in_words, parameters_in_words

    revision = f"commit {entry.revision[:12]}" if entry.revision else "trained here" * (entry.origin == "trained")
    facts = (
        f"{_WHAT_PICTURE_MODELS_DO.get(entry.kind, entry.kind)} ({entry.model_type})" if entry.kind else "not usable",
        f"{parameters_in_words(entry.parameters)} parameters" if entry.parameters else "",
        in_words(entry.size) + (f" and {in_words(entry.converted)} converted" if entry.converted else ""),
        f"licence {entry.licence or 'not stated'}",
        revision,
    )
    used = f" (in use for {' and '.join(uses)})" if uses else ""
    sys.stdout.write(f"{entry.name}{used}\n  {', '.join(filter(None, facts))}\n")
    sys.stdout.write(f"  {entry.folder}\n")
    if entry.problem:
        sys.stdout.write(f"  {entry.problem}\n")


def _not_listed(store: "ModelStore", settings: "Settings", task: "Task", chosen: str) -> str:
    """Say in which state the model is that does a task, where it is none of those listed."""
    from models.diagnosis.contract import FLOOR
    from models.errors import ModelError

    if chosen == FLOOR:
        return f"For {task} the floor is used, which needs no model."
    try:
        found = store.find(chosen, settings.local.revision if task == "answers" else "", task)
    except ModelError as error:
        return f"For {task} {chosen} is meant to be used. {error}"
    return f"For {task} {chosen} is used: {found.folder}."
