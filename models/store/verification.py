"""Looks at all of a model's files: whether they are as they arrived, and whether none is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.errors import ModelError
from models.store.checksums import Advanced, verify_folder
from models.store.inventory import Entry, entries
from models.store.model_store import ModelStore, folder_named


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of looking at all of a model's files.

    Attributes:
        name: what it is found by.
        revision: the hub's commit; empty for folders.
        verified: how many files are as they were recorded when they arrived.
        damaged: those that are not.
        unrecorded: how many have no record, as those of models that were trained here.
        problem: what is wrong, and what to do; empty where nothing is.
    """

    name: str
    revision: str
    verified: int
    damaged: tuple[str, ...]
    unrecorded: int
    problem: str

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problem

    def __str__(self) -> str:
        if self.problem:
            return self.problem
        revision = f" ({self.revision[:12]})" if self.revision else ""
        recorded = f"{self.verified} files verified by checksum" if self.verified else "no checksums were recorded"
        others = f", {self.unrecorded} without a record" if self.verified and self.unrecorded else ""
        return f"{self.name}{revision} is whole: {recorded}{others}."


def examine(store: ModelStore, names: Sequence[str], advanced: Advanced = lambda _: None) -> list[Examination]:
    """Hold models' files against the checksums that were recorded, and look whether all that is needed is there.

    Args:
        store: where models are looked for.
        names: names, each in all its revisions, or folders; without any, all that `entries` gives.
        advanced: told of bytes that are read.
    """
    here = entries(store)
    known = {entry.name for entry in here}
    chosen = [_examined(entry, advanced) for entry in here if entry.name in names or not names]
    return chosen + [_folder(store, name, advanced) for name in names if name not in known]


def _examined(entry: Entry, advanced: Advanced) -> Examination:
    mend = f"`preceptor models pull {entry.name}` gets it anew." if entry.origin == "hub" else "Train it once more."
    blank = Examination(entry.name, entry.revision, 0, (), 0, entry.problem)
    return _verified(blank, entry.folder, mend, advanced) if entry.revision or entry.origin == "trained" else blank


def _folder(store: ModelStore, name: str, advanced: Advanced) -> Examination:
    try:
        store.find(name)
        problem = ""
    except ModelError as error:
        problem = str(error)
    blank, folder = Examination(name, "", 0, (), 0, problem), folder_named(name)
    if folder is None or not (folder / "config.json").is_file():
        return blank  # whatever else lies there is not looked through
    return _verified(blank, folder, "Copy the folder once more.", advanced)


def _verified(examination: Examination, folder: Path, mend: str, advanced: Advanced) -> Examination:
    name, problem = examination.name, examination.problem
    try:
        outcome = verify_folder(folder, advanced)
    except OSError as error:
        return replace(examination, problem=f"{name} cannot be read: {error.filename}: {error.strerror}.")
    if outcome.damaged:
        problem = f"{name} is damaged: {', '.join(outcome.damaged)} is not as it arrived. {mend}"
    return replace(
        examination,
        verified=outcome.verified,
        damaged=outcome.damaged,
        unrecorded=len(outcome.unrecorded),
        problem=problem,
    )
