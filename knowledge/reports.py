"""What a load of the knowledge base and a look at it tell: values for people and for JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from knowledge.passages import Problem

Stage = Literal["waiting", "looking", "reading", "indexing", "saving"]
"""What a load is at; before the first of them it waits for another one to end."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load is.

    Attributes:
        stage: what it is at.
        done: files read, while it reads; else 0.
        total: of how many, while it reads; else 0.
    """

    stage: Stage
    done: int = 0
    total: int = 0


Watch = Callable[[Progress], None]
"""Is told of every step of a load, in the thread that loads."""


def unwatched(progress: Progress) -> None:
    """Let a load go on without anybody looking."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """A file that is read, and what came of it.

    Attributes:
        name: as citations name it; of a file of the library, its own name there.
        source: what its source is called: the last part of its path, or "library".
        is_managed: whether it is one of the library.
        passages: how many of it can be found; those that another file says first are not counted.
        bytes: its size when it was read.
        changed_at: when it was last changed (ISO 8601, UTC); empty where that was just before it was read.
        problems: what in it could not be used.
    """

    name: str
    source: str
    is_managed: bool
    passages: int
    bytes: int
    changed_at: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What opening or reloading did.

    Attributes:
        version: short hash that names the index in use.
        files: how many were read.
        passages: how many can be found now.
        added: passages that were not there before.
        removed: passages that are no longer there.
        duplicates: passages left out because another says the same.
        problems: what could not be used, and why.
        changed: whether another version answers now than before; always when there was none before.
        rebuilt_because: empty when a saved index was used; else "first build", "sources changed", "options
            changed", "index damaged: …" or "written by another version".
        elapsed_ms: how long it took, milliseconds.
    """

    version: str
    files: int
    passages: int
    added: int
    removed: int
    duplicates: int
    problems: tuple[Problem, ...]
    changed: bool
    rebuilt_because: str
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class CalibrationStatistics:
    """The calibration in use.

    Attributes:
        threshold: below it the bot declines, 0 to 1.
        auroc: cross-validated, 0.5 (chance) to 1.
        false_answers: share of unanswerable questions answered at the threshold.
        false_declines: share of answerable questions declined at the threshold.
        made_at: ISO 8601, UTC.
        of_this_version: whether it was made on the very version that answers now.
        own: whether it was made for this knowledge base; otherwise it is the starter's.
    """

    threshold: float
    auroc: float
    false_answers: float
    false_declines: float
    made_at: str
    of_this_version: bool
    own: bool


@dataclass(frozen=True, slots=True)
class KnowledgeStatistics:
    """What the knowledge base holds.

    Attributes:
        version: short hash that names the index in use.
        files: how many were read.
        passages: how many can be found.
        duplicates: how many were left out because another says the same.
        titles: how many different ones there are.
        terms: how many different ones are indexed.
        postings: how many pairs of term and passage are indexed.
        bytes_on_disk: of the index in use.
        built_at: ISO 8601, UTC.
        sources: the configured files and folders.
        problems: how many were met at the last load.
    """

    version: str
    files: int
    passages: int
    duplicates: int
    titles: int
    terms: int
    postings: int
    bytes_on_disk: int
    built_at: str
    sources: tuple[str, ...]
    problems: int
    calibration: CalibrationStatistics
