"""What models are on this machine, whole or not, with all that a person wants to know of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from models.errors import ModelError
from models.generation.engines.conversion import conversions_of
from models.store.checkpoints import Checkpoint, Kind, Sight
from models.store.hub_cache import CachedModel, cached_models
from models.store.model_store import ModelStore

_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*$", re.DOTALL | re.MULTILINE)
_LICENCE = re.compile(r"^(license|license_name):[ \t]*['\"]?([^'\"\n#]+)", re.MULTILINE)

Origin = Literal["hub", "trained"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A model on this machine, whole or not.

    Attributes:
        name: what it is found by.
        origin: hub: Hugging Face's cache; trained: made here.
        folder: where its files lie.
        revision: the hub's commit; empty for one that was trained here.
        main: whether it is what the name means without a revision.
        kind: what it can do: write text (seq2seq, causal), label pictures (images) or caption them (captions), or
            something else (other); empty where it is not whole.
        model_type: the config's own word; empty where it is not whole.
        parameters: how many numbers its weights hold; 0 where it is not whole.
        size: bytes on the disk, unfinished downloads among them.
        converted: bytes of what was made of it to run faster (CTranslate2), which is made again when it is missing.
        licence: as its card states; empty where it does not.
        problem: why it cannot be used, and what to do; empty where it can.
    """

    name: str
    origin: Origin
    folder: Path
    revision: str
    main: bool
    kind: Kind | Sight
    model_type: str
    parameters: int
    size: int
    converted: int
    licence: str
    problem: str


def entries(store: ModelStore) -> list[Entry]:
    """List what is here: what was trained first, then what was pulled, each commit of a model by itself."""
    trained = [_trained_entry(store, folder) for folder in store.trained()]
    pulled = [_cached_entry(store, model, commit) for model in cached_models() for commit in model.commits or ("",)]
    return trained + pulled


def licence_of(folder: Path) -> str:
    """Read from a model's card (README.md) which licence it is under; empty where it does not say."""
    try:
        card = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    matter = _FRONT_MATTER.match(card)
    stated = _LICENCE.finditer(matter[1]) if matter else ()
    by_key = {found[1]: found[2].strip() for found in stated}
    return by_key.get("license_name") or by_key.get("license", "")


def _trained_entry(store: ModelStore, folder: Path) -> Entry:
    found, problem = _judged(lambda: store.find_trained(folder))
    return _told(store, folder.name, "trained", folder, found, problem)


def _cached_entry(store: ModelStore, model: CachedModel, commit: str) -> Entry:
    main = commit == model.commit_of("")
    found, problem = _judged(lambda: store.find_pulled(model.name, "" if main else commit))
    told = _told(store, model.name, "hub", model.snapshot(commit) if commit else model.folder, found, problem)
    size = told.size if found else size_of(model.folder)
    return replace(told, revision=commit, main=main, size=size)


def _judged(find: Callable[[], Checkpoint]) -> tuple[Checkpoint | None, str]:
    try:
        return find(), ""
    except ModelError as error:
        return None, str(error)


def _told(store: ModelStore, name: str, origin: Origin, folder: Path, found: Checkpoint | None, problem: str) -> Entry:
    return Entry(
        name=name,
        origin=origin,
        folder=folder,
        revision="",
        main=True,
        kind=found.sight or found.kind if found else "",
        model_type=found.model_type if found else "",
        parameters=found.parameters if found else 0,
        size=size_of(folder),
        converted=sum(size_of(conversion) for conversion in conversions_of(folder, store.converted)),
        licence=licence_of(folder),
        problem=problem,
    )


def size_of(folder: Path) -> int:
    """Count a folder's bytes, each file once, however many links lead to it."""
    files = {file.resolve() for file in folder.rglob("*") if file.is_file()}
    return sum(file.stat().st_size for file in files)
