"""Which model is meant for each task: as the settings say, else as `models use` chose, else the default."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from models.store.model_store import ModelStore, Task


def chosen_by_task(settings: "Settings", store: "ModelStore") -> "dict[Task, str]":
    """Give the name of what is used for each task, whether or not it is here.

    Raises:
        ModelError: the file of choices cannot be read.
    """
    from bot.classifiers import named
    from bot.describers import chosen
    from models.store.model_store import DEFAULT_MODEL

    return {
        "answers": settings.local.model or store.in_use("answers") or DEFAULT_MODEL,
        "diagnosis": named(settings, store),
        "images": chosen(settings, "images"),
        "captions": chosen(settings, "captions"),
    }


def task_called(name: str) -> "Task":
    """Give the task of a name.

    Raises:
        SettingsError: there is none.
    """
    from typing import get_args

    from bot.errors import SettingsError
    from models.store.model_store import Task

    tasks: tuple[Task, ...] = get_args(Task)
    for task in tasks:
        if task == name:
            return task
    raise SettingsError(
        f"There is no model to choose for {name!r}.", "Give --for answers, diagnosis, images or captions."
    )
