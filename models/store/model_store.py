"""Models on this machine: what Hugging Face's cache and our own folder hold, and which of them is in use."""

import contextlib
import difflib
import json
import os
import re
from pathlib import Path
from typing import Literal, get_args

from models.errors import ModelMissingError, ModelUnusableError
from models.store.checkpoints import Checkpoint, Kind, judged
from models.store.hub_cache import cached_model, cached_models, is_hub_name
from models.store.weight_files import DIAGNOSIS_FILE

__all__ = ["DEFAULT_MODEL", "DIAGNOSIS_FILE", "Checkpoint", "Kind", "ModelStore", "Task"]

Task = Literal["answers", "diagnosis", "images", "captions"]
"""What a model is used for. images: telling what is in a picture, in labels. captions: in a sentence."""

DEFAULT_MODEL = "google/flan-t5-small"
"""What writes answers where nothing else was chosen."""

TRAINED_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

_WELL_KNOWN = (
    DEFAULT_MODEL,
    "google/flan-t5-base",
    "google/flan-t5-large",
    "google/flan-t5-xl",
    "HuggingFaceTB/SmolLM2-135M-Instruct",
    "HuggingFaceTB/SmolLM2-360M-Instruct",
    "HuggingFaceTB/SmolLM2-1.7B-Instruct",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "Qwen/Qwen3-0.6B",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "google/vit-base-patch16-224",
    "google/vit-large-patch16-224",
    "facebook/deit-small-patch16-224",
    "microsoft/swin-tiny-patch4-window7-224",
    "microsoft/git-base",
    "microsoft/git-base-coco",
    "Salesforce/blip-image-captioning-large",
)

_UNFIT: dict[Task, tuple[str, str]] = {
    "answers": (
        "does not write text",
        "Choose a text-to-text or causal language model, such as google/flan-t5-small.",
    ),
    "diagnosis": (
        "tells no conditions apart",
        "Choose one that `preceptor train diagnosis` made, or another one for text classification.",
    ),
    "images": (
        "tells no pictures apart",
        "Choose one that `preceptor train images` made, or another one for image classification, such as"
        " google/vit-base-patch16-224.",
    ),
    "captions": (
        "writes no captions",
        "Choose a GIT, BLIP or VisionEncoderDecoder model, such as microsoft/git-base.",
    ),
}
"""What is said of a model that cannot do a task, and what to choose instead."""

_USES: dict[Task, str] = {
    "answers": "It writes text",
    "diagnosis": "It tells texts apart",
    "images": "It tells what is in pictures",
    "captions": "It writes captions of pictures",
}


class ModelStore:
    """The models of one installation.

    Args:
        directory: where those that were trained here lie (``data/models``).

    Attributes:
        directory: the same, absolute.
        converted: where lies what was made of models to run faster.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.converted = self.directory / "converted"

    def find(self, name: str, revision: str = "", task: Task = "answers") -> Checkpoint:
        """Find a model by a folder, by the name it was trained under here, or by its hub name; nothing is downloaded.

        A name that is a path (``/…``, ``~…``, ``./…``, ``../…``) is a folder; so is any other by which a folder with a
        ``config.json`` lies in the working directory.

        Args:
            name: what to find.
            revision: the branch, tag or commit (or its beginning) of a hub's model; folders have none.
            task: which one is meant where several were trained under that name, for different tasks.

        Raises:
            ModelMissingError: it is not on this machine; the fix is the command that gets it.
            ModelUnusableError: what lies there is no model, is incomplete, or has its weights only as a pickle.
        """
        if _is_path(name) or _holds_model(name):
            return _in_folder(name)
        for folder in sorted(self.trained(name), key=lambda one: one.parent.name != task):
            return self.find_trained(folder)
        return self.find_pulled(name, revision)

    def find_trained(self, folder: Path) -> Checkpoint:
        """Find a model by the folder it was trained into here, one of `trained`; raises what `find` does."""
        mend = f"Train it again under that name, or remove it with `preceptor models remove {folder.name}`."
        return judged(folder, folder.name, mend=mend)

    def find_pulled(self, name: str, revision: str = "") -> Checkpoint:
        """Find a model in Hugging Face's cache and nowhere else; raises what `find` does."""
        model = cached_model(name)
        if not is_hub_name(name) or not model.folder.is_dir():
            raise ModelMissingError(f"There is no model {name!r} on this machine.", self.way_to(name, revision))
        again = f"Run `{_pull(name, revision)}`: it fetches what is missing or damaged."
        commit = model.commit_of(revision)
        if not commit and revision:
            raise ModelMissingError(f"Revision {revision!r} of {name} is not on this machine.", _get(name, revision))
        if not commit and len(model.commits) > 1:
            raise ModelMissingError(
                f"{name} is here in {len(model.commits)} revisions, none of which is its main one.",
                "Name one in local.revision; `preceptor models list` shows them.",
            )
        snapshot = model.snapshot(commit)
        if not commit or not snapshot.is_dir():
            raise ModelUnusableError(f"{name} is half-downloaded.", again)
        try:
            return judged(snapshot, name, commit, again)
        except ModelUnusableError as error:
            if next(model.folder.glob("blobs/*.incomplete"), None) is None or error.fix != again:
                raise
            raise ModelUnusableError(f"{name} is half-downloaded.", again) from error

    def trained(self, name: str = "") -> list[Path]:
        """Give the folders of the models that were trained here, all or those of a name, whatever they hold."""
        if name and not TRAINED_NAME.fullmatch(name):
            return []
        found = [folder for task in get_args(Task) for folder in (self.directory / task).glob(name or "*")]
        return sorted(folder for folder in found if folder.is_dir() and TRAINED_NAME.fullmatch(folder.name))

    def in_use(self, task: Task) -> str:
        """Give the name of the model that was chosen for a task; empty where none was.

        Raises:
            ModelUnusableError: the file that says so cannot be read.
        """
        return self._choices().get(task, "")

    def use(self, task: Task, name: str) -> Checkpoint:
        """Choose a model for a task; raises what `find` does, and chooses nothing then.

        A folder is remembered by its whole path, so that it is found from every working directory.

        Raises:
            ModelMissingError: as `find`.
            ModelUnusableError: as `find`, or the model is of a kind that cannot do the task, or the choice cannot be
                written.
        """
        found = self.find(name, task=task)
        _require_fit(found, task)
        by_path = found.folder == folder_named(name)
        self._write(self._choices_or_none() | {task: str(found.folder) if by_path else name})
        return found

    def use_floor(self, task: Task) -> None:
        """Choose no model for a task, so that what needs none does it.

        Raises:
            ModelUnusableError: the choice cannot be written.
        """
        self._write({other: name for other, name in self._choices_or_none().items() if other != task})

    @property
    def _choices_file(self) -> Path:
        return self.directory / "in_use.json"

    def _choices_or_none(self) -> dict[str, str]:
        """What was chosen; nothing where that cannot be read: whoever chooses anew mends it."""
        try:
            return self._choices()
        except ModelUnusableError:
            return {}

    def _choices(self) -> dict[str, str]:
        try:
            choices = json.loads(self._choices_file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            choices = None
        if not isinstance(choices, dict) or not all(isinstance(name, str) for name in choices.values()):
            raise ModelUnusableError(
                f"{self._choices_file} cannot be read.", "Choose again with `preceptor models use NAME`."
            )
        return choices

    def _write(self, choices: dict[str, str]) -> None:
        """Replace the file in one move: whoever reads sees the old choice or the new one."""
        written = self._choices_file.with_name(f"in_use.{os.getpid()}.tmp")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with written.open("w", encoding="utf-8") as stream:
                json.dump(choices, stream, ensure_ascii=False, indent=2)
                stream.flush()
                os.fsync(stream.fileno())
            written.replace(self._choices_file)
        except OSError as error:
            with contextlib.suppress(OSError):
                written.unlink()
            raise ModelUnusableError(
                f"The choice cannot be written to {self._choices_file}: {error.strerror}.",
                "Let this user write there, or make room.",
            ) from error

    def way_to(self, name: str, revision: str = "") -> str:
        """Say how a model that is not here is got, or which one was meant."""
        known = [model.name for model in cached_models()] + [folder.name for folder in self.trained()]
        near = nearest(name, known)
        meant = f"Did you mean {near}? " if near and near != name else ""
        if not is_hub_name(name):
            return f"{meant}Give a model's name on the hub, such as {DEFAULT_MODEL}, or a folder."
        return meant + _get(name, revision)


def nearest(name: str, known: list[str]) -> str:
    """Give the name, among those known here and everywhere, that is most like another; empty where none is."""
    names = {one.lower(): one for one in (*_WELL_KNOWN, *known)}
    ends = {one.rpartition("/")[2]: one for one in names}
    wanted = name.lower()
    for near in difflib.get_close_matches(wanted, names, n=1, cutoff=0.8):
        return names[near]
    for near in difflib.get_close_matches(wanted.rpartition("/")[2], ends, n=1, cutoff=0.8):
        return names[ends[near]]
    return ""


def _require_fit(found: Checkpoint, task: Task) -> None:
    """See that a model is of a kind that can do a task."""
    fits = {
        "answers": found.kind != "other",
        "diagnosis": is_classifier(found),
        "images": found.sight == "images",
        "captions": found.sight == "captions",
    }
    if not fits[task]:
        unfit, instead = _UNFIT[task]
        raise ModelUnusableError(f"{found.name} ({found.model_type}) {unfit}.", _other_use(found) or instead)


def task_of(found: Checkpoint) -> Task | Literal[""]:
    """Give what a model can be used for; empty where it is for none of the tasks."""
    if found.kind != "other":
        return "answers"
    return found.sight or ("diagnosis" if is_classifier(found) else "")


def _other_use(found: Checkpoint) -> str:
    task = task_of(found)
    return f"{_USES[task]}: `preceptor models use {found.name} --for {task}`." if task else ""


def is_classifier(found: Checkpoint) -> bool:
    """Whether a model tells texts apart: it has a head for that, or was trained here to diagnose."""
    if (found.folder / DIAGNOSIS_FILE).is_file():
        return True
    try:
        architectures = json.loads((found.folder / "config.json").read_bytes()).get("architectures")
    except (OSError, ValueError):
        return False
    named = architectures if isinstance(architectures, list) else []
    return any(str(one).endswith("ForSequenceClassification") for one in named)


def _is_path(name: str) -> bool:
    return name.startswith(("/", "~", "./", "../")) or name in (".", "..") or Path(name).is_absolute()


def folder_named(name: str) -> Path | None:
    """Give the folder that a name is the path of, absolute; None where there is none."""
    try:
        folder = Path(name).expanduser().absolute()
        return folder if name and folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # longer than a path may be; of a user who is not known; with a NUL
        return None


def _holds_model(name: str) -> bool:
    folder = folder_named(name)
    return folder is not None and (folder / "config.json").is_file()


def _in_folder(name: str) -> Checkpoint:
    folder = folder_named(name)
    if folder is None:
        raise ModelMissingError(f"There is no folder {name}.", "Look at the path, or give a model's name.")
    return judged(folder, name)


def _pull(name: str, revision: str) -> str:
    return f"preceptor models pull {name}" + (f" --revision {revision}" if revision else "")


def _get(name: str, revision: str) -> str:
    return f"Get it with `{_pull(name, revision)}`."
