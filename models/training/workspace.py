"""Where a training keeps its state: for one training at a time, and only to go on with what was begun there."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.errors import TrainingError


def workspace_of(folder: Path) -> Path:
    """Give where the training of the model that will lie in `folder` keeps its state."""
    return folder.parent / ".training" / folder.name


def require_free(folder: Path, replace: bool) -> None:
    """See that a trained model may be written there.

    Raises:
        TrainingError: there is one already, and it is not to be replaced.
    """
    if (folder.exists() or folder.is_symlink()) and not replace:
        raise TrainingError(
            f"There is a model called {folder.name} already.", "Choose another --name, or give --force to replace it."
        )


@contextlib.contextmanager
def alone(workspace: Path) -> Iterator[None]:
    """Hold off a second training of the same name: it would take the first one's state away.

    Raises:
        TrainingError: one is running, or nothing can be written there.
    """
    from filelock import FileLock, Timeout

    file = workspace.with_name(f".{workspace.name}.lock")
    lock = FileLock(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise TrainingError(
            f"A training of {workspace.name} is running already.", "Wait for its end, or choose another --name."
        ) from None
    except OSError as error:
        raise _not_written(workspace, error) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # the folder stays where interrupted trainings wait in it
            file.unlink()
            file.parent.rmdir()
        lock.release()


def keep_plan(plan: Mapping[str, Any], workspace: Path, resume: bool) -> None:
    """Write down what is trained, so that nothing else goes on with it; a training from the start forgets the old.

    Args:
        plan: what decides how the training goes, by names that a reader understands.
        workspace: where its state is kept; named as the model.
        resume: whether to go on.

    Raises:
        TrainingError: an interrupted training was of other data or had other settings, or it cannot be written.
    """
    plan = json.loads(json.dumps(plan))
    file = workspace / "plan.json"
    if resume:
        kept = _read_plan(file, workspace.name)
        differing = sorted(key.replace("_", " ") for key in plan if kept.get(key) != plan[key])
        if differing:
            raise TrainingError(
                f"The interrupted training of {workspace.name} cannot go on: it differs in {', '.join(differing)}.",
                "Give what it was started with, or leave --resume out to start afresh.",
            )
        return
    shutil.rmtree(workspace, ignore_errors=True)
    try:
        workspace.mkdir(parents=True)
        file.write_text(json.dumps(plan), encoding="utf-8")
    except OSError as error:
        raise _not_written(workspace, error) from error


def _not_written(workspace: Path, error: OSError) -> TrainingError:
    return TrainingError(
        f"{workspace} cannot be written: {error.strerror}.", "Make room, or let this user write there."
    )


def _read_plan(file: Path, name: str) -> dict[str, Any]:
    try:
        kept = json.loads(file.read_bytes())
    except (OSError, ValueError):
        kept = None
    if not isinstance(kept, dict):
        raise TrainingError(f"There is no interrupted training of {name}.", "Leave --resume out.")
    return kept
