"""The command that chooses models: `preceptor models use`."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.models_choice import chosen_by_task, task_called
from bot.cli.output import fail

if TYPE_CHECKING:
    from bot.settings import Settings
    from models.store.model_store import ModelStore, Task


def use(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name on the hub, a name trained here, or a folder.")],
    task: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="TASK",
            help="answers, diagnosis, images or captions. Unset: what it was trained for here.",
        ),
    ] = "",
) -> None:
    """Choose the model that writes answers, judges symptoms, labels pictures or captions them, from the next start on.

    "floor" goes back: for diagnosis to what needs no model, for images and captions to the default.
    """
    from bot.settings import load
    from models.store.model_store import ModelStore

    settings = load().settings
    store = ModelStore(settings.models_directory)
    chosen = task_called(task) if task else _trained_for(store, name)
    if chosen == "answers":
        _use_for_answers(settings, store, name)
    elif chosen == "diagnosis":
        _use_for_diagnosis(settings, store, name)
    else:
        _use_for_pictures(settings, store, chosen, name)


def _trained_for(store: "ModelStore", name: str) -> "Task":
    """Give the task that a model was trained for here, by its name or its folder; answers where it was for none."""
    from typing import get_args

    from models.store.model_store import Task, folder_named

    folders = store.trained(name) or list(filter(None, [folder_named(name)]))
    parents = {folder.resolve().parent for folder in folders}
    tasks: tuple[Task, ...] = get_args(Task)
    return next((task for task in tasks if parents == {(store.directory / task).resolve()}), "answers")


def _use_for_answers(settings: "Settings", store: "ModelStore", name: str) -> None:
    unready = _made_ready(settings, store, name)
    found = store.use("answers", name)
    sys.stdout.write(f"{name} ({found.kind}, {found.model_type}) writes the answers from the next start on.\n")
    _note(*unready, *_what_stands_against(settings, name))


def _use_for_diagnosis(settings: "Settings", store: "ModelStore", name: str) -> None:
    from models.diagnosis.contract import FLOOR

    if name == FLOOR:
        store.use_floor("diagnosis")
        sys.stdout.write("The floor, which needs no model, judges symptoms from the next start on.\n")
    else:
        found = store.use("diagnosis", name)
        sys.stdout.write(f"{name} ({found.model_type}) judges symptoms from the next start on.\n")
    _note(*_overruled("diagnosis.model", settings.diagnosis.model, name))


def _use_for_pictures(
    settings: "Settings", store: "ModelStore", task: Literal["images", "captions"], name: str
) -> None:
    from bot.describers import FLOOR, require_libraries
    from models.errors import ModelExtraError

    does = "labels pictures" if task == "images" else "captions pictures"
    setting = "models.images.labels" if task == "images" else "models.images.captions"
    named = settings.models.images.labels if task == "images" else settings.models.images.captions
    if name == FLOOR:
        store.use_floor(task)
        name = named or chosen_by_task(settings, store)[task]
        sys.stdout.write(f"Nothing is chosen for {task} any more: {name} {does} from the next start on.\n")
        return
    found = store.use(task, name)
    sys.stdout.write(f"{name} ({found.model_type}) {does} from the next start on.\n")
    _note(*_overruled(setting, named, name))
    try:
        require_libraries()
    except ModelExtraError as error:
        _note(str(error))


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
    if found.kind == "other":
        return []  # it is refused for what it is
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


def _what_stands_against(settings: "Settings", name: str) -> list[str]:
    """Say which settings keep a choice from taking effect."""
    notes = _overruled("local.model", settings.local.model, name)
    chains = (settings.generation.chain, *settings.generation.places.values())
    if not any("local" in chain for chain in chains):
        notes.append('no chain has a local model yet; set generation.chain = ["local", "extractive"].')
    if settings.local.revision:
        notes.append("local.revision is set; unset it, or set it to this model's.")
    return notes


def _overruled(setting: str, named: str, name: str) -> list[str]:
    return [f"the setting {setting} names {named}, and that wins; unset it."] if named not in ("", name) else []


def _note(*notes: str) -> None:
    for note in notes:
        sys.stderr.write(f"Note: {note}\n")
