"""The commands on models: list, pull, remove, check, use."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import AsJson, fail, print_json

if TYPE_CHECKING:
    from bot.settings import Settings
    from models.errors import ModelMissingError
    from models.store.checkpoints import Checkpoint
    from models.store.checksums import Advanced
    from models.store.hub import Offer
    from models.store.inventory import Entry
    from models.store.model_store import ModelStore

app = typer.Typer(help="List, download, verify, choose and remove models.", no_args_is_help=True)


_Name = Annotated[str, typer.Argument(metavar="NAME", help="A name on the hub, a name trained here, or a folder.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Show what models are here: those trained here and those in Hugging Face's cache."""
    from models.store.inventory import entries
    from models.store.model_store import ModelStore

    settings = _settings()
    store = ModelStore(settings.models_directory)
    chosen = _chosen(settings, store)
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


@app.command()
def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model's name on the hub, as google/flan-t5-small.")],
    revision: Annotated[str, typer.Option("--revision", help="A branch, tag or commit; unset: main.")] = "",
) -> None:
    """Download a model, verified by checksum. Interrupted, it goes on where it stopped."""
    from models.errors import ModelMissingError
    from models.store import hub
    from models.store.sizes import in_words

    try:
        with _progress(f"Asking for {name}") as advanced:
            offered = hub.offer(name, revision, advanced)
        _tell(offered)
        with _progress(f"Downloading {name}", offered.to_fetch) as advanced:
            found = hub.fetch(offered, advanced)
    except ModelMissingError as error:
        _make_do(name, revision, error)
    except KeyboardInterrupt:
        fail(f"Stopped. `preceptor models pull {name}` goes on where it stopped.", 1)
    else:
        sys.stdout.write(
            f"{name} is here and whole: {len(offered.files)} files, {in_words(offered.size)}, verified by checksum.\n"
            f"  folder     {found.folder}\n"
            f'  to pin it  local.revision = "{found.revision}"\n'
            f"  to use it  {_how_to_use(name, found)}\n"
        )


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
    for task, chosen in _chosen(settings, store).items() if not force else ():
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
    with _progress("Verifying") as advanced:
        reports = examine(store, names or [], advanced)
    if as_json:
        print_json([asdict(report) | {"whole": report.whole} for report in reports])
    for report in reports if not as_json else ():
        sys.stdout.write(f"{report}\n")
    if not reports:
        sys.stderr.write("There is no model here. `preceptor models pull google/flan-t5-small` gets one.\n")
    raise typer.Exit(0 if all(report.whole for report in reports) else 1)


@app.command()
def use(
    name: _Name,
    task: Annotated[
        str,
        typer.Option("--for", metavar="TASK", help="answers or diagnosis. Unset: what it was trained for here."),
    ] = "",
) -> None:
    """Choose the model that writes the answers, or that judges symptoms, from the next start on.

    "floor" for diagnosis goes back to what needs no model.
    """
    from bot.errors import SettingsError
    from models.store.model_store import ModelStore

    settings = _settings()
    store = ModelStore(settings.models_directory)
    task = task or _trained_for(store, name)
    if task == "diagnosis":
        _use_for_diagnosis(settings, store, name)
    elif task == "answers":
        _use_for_answers(settings, store, name)
    else:
        raise SettingsError(f"There is no model to choose for {task!r}.", "Give --for answers or --for diagnosis.")


def _trained_for(store: "ModelStore", name: str) -> str:
    """Give the task that a model was trained for here, by its name or its folder; answers where it was for none."""
    from models.store.model_store import folder_named

    folders = store.trained(name) or list(filter(None, [folder_named(name)]))
    tasks = {folder.resolve().parent for folder in folders}
    return "diagnosis" if tasks == {(store.directory / "diagnosis").resolve()} else "answers"


def _use_for_answers(settings: "Settings", store: "ModelStore", name: str) -> None:
    unready = _made_ready(settings, store, name)
    found = store.use("answers", name)
    sys.stdout.write(f"{name} ({found.kind}, {found.model_type}) writes the answers from the next start on.\n")
    for note in (*unready, *_what_stands_against(settings, name)):
        sys.stderr.write(f"Note: {note}\n")


def _use_for_diagnosis(settings: "Settings", store: "ModelStore", name: str) -> None:
    from models.diagnosis.contract import FLOOR

    if name == FLOOR:
        store.use_floor("diagnosis")
        sys.stdout.write("The floor, which needs no model, judges symptoms from the next start on.\n")
    else:
        found = store.use("diagnosis", name)
        sys.stdout.write(f"{name} ({found.model_type}) judges symptoms from the next start on.\n")
    if settings.diagnosis.model not in ("", name):
        said = f"the setting diagnosis.model names {settings.diagnosis.model}, and that wins; unset it."
        sys.stderr.write(f"Note: {said}\n")


def _settings() -> "Settings":
    from bot.settings import load

    return load().settings


def _answering(settings: "Settings", store: "ModelStore") -> str:
    """Give the name of the model that writes the answers, whether or not it is here."""
    from models.store.model_store import DEFAULT_MODEL

    return settings.local.model or store.in_use("answers") or DEFAULT_MODEL


def _chosen(settings: "Settings", store: "ModelStore") -> dict[str, str]:
    """Give the name of what is used for each task, whether or not it is here."""
    from bot.classifiers import named

    return {"answers": _answering(settings, store), "diagnosis": named(settings, store)}


def _uses_of(entry: "Entry", chosen: dict[str, str], settings: "Settings", store: "ModelStore") -> list[str]:
    revision = settings.local.revision
    meant = entry.revision.startswith(revision) if revision else entry.main
    found = []
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
        f"{entry.kind} ({entry.model_type})" if entry.kind else "not usable",
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


def _not_listed(store: "ModelStore", settings: "Settings", task: str, chosen: str) -> str:
    """Say in which state the model is that does a task, where it is none of those listed."""
    from models.diagnosis.contract import FLOOR
    from models.errors import ModelError

    if task == "diagnosis" and chosen == FLOOR:
        return "For diagnosis the floor is used, which needs no model."
    try:
        found = store.find(chosen, settings.local.revision if task == "answers" else "")
    except ModelError as error:
        return f"For {task} {chosen} is meant to be used. {error}"
    return f"For {task} {chosen} is used: {found.folder}."


def _tell(offered: "Offer") -> None:
    from models.store.hub_cache import cache_directory
    from models.store.hub_errors import free_bytes
    from models.store.sizes import in_words

    here = offered.size - offered.to_fetch
    sys.stderr.write(
        f"{offered.name}, {offered.revision}, commit {offered.commit}\n"
        f"  licence    {offered.licence or 'not stated'}\n"
        f"  size       {in_words(offered.size)}, of which {in_words(here)} are here already\n"
        f"  free disk  {in_words(free_bytes(cache_directory()))} in {cache_directory()}\n"
    )


def _make_do(name: str, revision: str, error: "ModelMissingError") -> None:
    """Be content with what is here, where the hub gives nothing; say what is here, where that is another model.

    Raises:
        ModelMissingError: the model is not here.
    """
    from models.errors import ModelError, ModelMissingError
    from models.store.inventory import entries
    from models.store.model_store import ModelStore, nearest

    store = ModelStore(_settings().models_directory)
    try:
        found = store.find(name, revision)
    except ModelError:
        here = sorted({entry.name for entry in entries(store) if not entry.problem})
        near = nearest(name, here)
        meant = f"Did you mean {near}?" if near not in ("", name) else ""
        listed = f"Here are: {', '.join(here)}." if here else "No other model is here, either."
        raise ModelMissingError(error.message, " ".join(filter(None, (error.fix, meant, listed)))) from error
    sys.stderr.write(f"{error.message}\n")
    sys.stdout.write(f"{name} is here and whole as it was pulled before: commit {found.revision}.\n")


def _made_ready(settings: "Settings", store: "ModelStore", name: str) -> list[str]:
    """Convert a model that has to be, so that no question waits for it or is given up; say where that must wait.

    Raises:
        ModelError: it is not here, or would not run.
    """
    import threading

    from models.errors import ModelExtraError
    from models.generation.engines.choice import chosen
    from models.generation.engines.conversion import converted_folder, is_converted

    found = store.find(name)
    try:
        engine, precision = chosen(found, settings.local.execution, settings.local.precision)
        if engine == "ctranslate2" and not is_converted(found, precision, store.converted):
            sys.stderr.write(f"Converting {name} once, to {precision}; that may take some minutes.\n")
            converted_folder(found, precision, store.converted, threading.Event())
    except ModelExtraError as error:
        return [str(error)]
    except KeyboardInterrupt:
        fail("Stopped. Nothing is chosen.", 1)
    return []


def _how_to_use(name: str, found: "Checkpoint") -> str:
    from models.store.model_store import is_classifier

    if found.kind != "other":
        return f"preceptor models use {name}"
    if is_classifier(found):
        return f"preceptor models use {name} --for diagnosis"
    return "it does not write text, so not for answers"


def _what_stands_against(settings: "Settings", name: str) -> list[str]:
    """Say which settings keep a choice from taking effect."""
    notes = []
    if settings.local.model not in ("", name):
        notes.append(f"the setting local.model names {settings.local.model}, and that wins; unset it.")
    chains = (settings.generation.chain, *settings.generation.places.values())
    if not any("local" in chain for chain in chains):
        notes.append('no chain has a local model yet; set generation.chain = ["local", "extractive"].')
    if settings.local.revision:
        notes.append("local.revision is set; unset it, or set it to this model's.")
    return notes


@contextmanager
def _progress(label: str, total: int | None = None) -> Iterator["Advanced"]:
    """Show on standard error how far it is, where a person looks on; without a total, how much is done."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True
    ) as progress:
        bar = progress.add_task(label, total=total)
        yield lambda size: progress.advance(bar, size)
