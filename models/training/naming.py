"""Names of trained models: what one may be called, where it lies, and what one is called that was given no name."""

import re
from pathlib import Path

from models.errors import TrainingError
from models.store.model_store import TRAINED_NAME, Checkpoint, ModelStore, Task


def folder_for(store: ModelStore, task: Task, name: str) -> Path:
    """Give the folder in which a model of that name is kept.

    Raises:
        TrainingError: no model can be called so.
    """
    if not TRAINED_NAME.fullmatch(name):
        raise TrainingError(
            f"No model can be called {name!r}.",
            "A --name has up to 64 lower-case letters, digits, dots, dashes and underscores, a letter or digit first.",
        )
    return store.directory / task / name


def name_for(base: Checkpoint, path: Path) -> str:
    """Make a name from those of the base and the data, where none was given."""
    words = f"{told_name(base).rpartition('/')[2]}-{path.stem}".lower()
    return re.sub(r"[^a-z0-9._-]+", "-", words).strip("-._")[:64] or "trained"


def told_name(base: Checkpoint) -> str:
    """Give the name, without where a folder lies on this machine."""
    return base.name if base.revision else base.folder.name
