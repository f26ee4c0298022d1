"""What files would bring before they are in the library: read with the real loaders, changing nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.errors import LibraryRefusedError
from knowledge.library.names import checked_name
from knowledge.loaders import Loaded, SourceFile, load_file
from knowledge.passages import Problem

if TYPE_CHECKING:
    from knowledge.storage.survey import KnowledgeOptions

_TITLES = 10


@dataclass(frozen=True, slots=True)
class PreviewedFile:
    """What one file would bring.

    Attributes:
        name: as it would be kept.
        replaces: whether a file of that name is there.
        passages: how many it gives.
        titles: the first ten different ones, or questions of ready answers.
        problems: what in it could not be used.
        refused: why it cannot be taken, and no other file that comes with it; empty where it can.
    """

    name: str
    replaces: bool
    passages: int
    titles: tuple[str, ...]
    problems: tuple[Problem, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What files would bring, together.

    Attributes:
        added: passages that would be new in their files.
        removed: passages that only the files they replace have now.
    """

    files: tuple[PreviewedFile, ...]
    added: int
    removed: int


def preview(new: Sequence[tuple[str, Path]], there: Mapping[str, Path], options: "KnowledgeOptions") -> Preview:
    """Read files as if they were in the library.

    Args:
        new: the name of each as it was handed in, and where it lies.
        there: the files of the library in use, by name.
        options: how passages are made.

    Raises:
        LibraryRefusedError: a name cannot be used.
    """
    files: list[PreviewedFile] = []
    after: set[int] = set()
    before: set[int] = set()
    for handed_in, path in new:
        name = checked_name(handed_in)
        file, digests = _read(SourceFile(path, name), name in there, options)
        files.append(file)
        after |= digests
        if file.replaces:
            before |= _read(SourceFile(there[name], name), True, options)[1]
    return Preview(tuple(files), len(after - before), len(before - after))


def refusal(name: str, loaded: Loaded) -> LibraryRefusedError | None:
    """Give why a file is not taken as it was read; None where it is."""
    if loaded.documents:
        return None
    first = loaded.problems[0]
    return LibraryRefusedError(f"{name} is refused: {first.message}", first.fix)


def _read(file: SourceFile, replaces: bool, options: "KnowledgeOptions") -> tuple[PreviewedFile, set[int]]:
    # Parsers and sentence splitter come with it, which a search does without.
    from knowledge.cutting import cut
    from knowledge.storage.building import heading
    from knowledge.storage.duplicates import content_digest, likeness

    loaded = load_file(file, options.limits)
    titles: dict[str, None] = {}
    seen: dict[int, int] = {}
    for document in loaded.documents:
        for passage in cut(document, options.longest, options.overlap):
            seen.setdefault(likeness(passage), content_digest(passage))
            if len(titles) < _TITLES and heading(passage):
                titles[heading(passage)] = None
    refused = refusal(file.name, loaded)
    found = PreviewedFile(
        file.name,
        replaces,
        len(seen),
        tuple(titles),
        tuple(loaded.problems),
        f"{refused.message} {refused.fix}" if refused else "",
    )
    return found, set(seen.values())
