"""The command that downloads models: `preceptor models pull`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.models_choice import chosen_by_task, task_called
from bot.cli.models_progress import bytes_progress
from bot.cli.output import fail

if TYPE_CHECKING:
    from models.errors import ModelMissingError
    from models.store.checkpoints import Checkpoint
    from models.store.hub import Offer


def pull(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="The model's name on the hub, as google/flan-t5-small.")
    ] = "",
    revision: Annotated[str, typer.Option("--revision", help="A branch, tag or commit; unset: main.")] = "",
    task: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="TASK",
            help="In place of a name: the model that is meant for answers, images or captions by the settings.",
        ),
    ] = "",
) -> None:
    """Download a model, verified by checksum. Interrupted, it goes on where it stopped."""
    from bot.errors import SettingsError

    if bool(name) == bool(task):
        raise SettingsError("Which model is meant?", "Give its name, or the task by --for, and not both.")
    wanted = name or _meant(task)
    if wanted:
        _pull(wanted, revision)


def _meant(task: str) -> str:
    """Give the name of the model that is meant for a task; empty, and said, where nothing is to be downloaded.

    Raises:
        ModelError: it is a folder, or was trained here, and is damaged or gone.
    """
    from bot.describers import FLOOR
    from bot.settings import load
    from models.store.hub_cache import is_hub_name
    from models.store.model_store import ModelStore, folder_named

    settings = load().settings
    store = ModelStore(settings.models_directory)
    meant = task_called(task)
    name = chosen_by_task(settings, store)[meant]
    if name == FLOOR:
        sys.stdout.write(f"No model is wanted for {task}: there is nothing to download.\n")
        return ""
    if store.trained(name) or folder_named(name) or not is_hub_name(name):
        found = store.find(name, task=meant)
        sys.stdout.write(f"{name} is what is meant for {task}, and is here: {found.folder}.\n")
        return ""
    return name


def _pull(name: str, revision: str) -> None:
    from models.errors import ModelMissingError
    from models.store import hub
    from models.store.sizes import in_words

    try:
        with bytes_progress(f"Asking for {name}") as advanced:
            offered = hub.offer(name, revision, advanced)
        _tell(offered)
        with bytes_progress(f"Downloading {name}", offered.to_fetch) as advanced:
            found = hub.fetch(offered, advanced)
    except ModelMissingError as error:
        _make_do(name, revision, error)
    except KeyboardInterrupt:
        fail(f"Stopped. `preceptor models pull {name}` goes on where it stopped.", 1)
    else:
        sys.stdout.write(
            f"{name} is here and whole: {len(offered.files)} files, {in_words(offered.size)}, verified by checksum.\n"
            f"  folder     {found.folder}\n"
        )
        if found.kind != "other":
            sys.stdout.write(f'  to pin it  local.revision = "{found.revision}"\n')
        sys.stdout.write(f"  to use it  {_how_to_use(name, found)}\n")


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
    from bot.settings import load
    from models.errors import ModelError, ModelMissingError
    from models.store.inventory import entries
    from models.store.model_store import ModelStore, nearest

    store = ModelStore(load().settings.models_directory)
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


def _how_to_use(name: str, found: "Checkpoint") -> str:
    from bot.settings import load
    from models.store.model_store import ModelStore, task_of

    task = task_of(found)
    if not task:
        return "it does nothing that models are used for here"
    settings = load().settings
    if task != "answers" and chosen_by_task(settings, ModelStore(settings.models_directory))[task] == name:
        return f"nothing more to do: it is what is meant for {task}, from the next start on"
    return f"preceptor models use {name}" + (f" --for {task}" if task != "answers" else "")
