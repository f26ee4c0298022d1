"""A look at the sources before anything is read: which files there are, and what version they would make."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

from knowledge.cutting import LONGEST, OVERLAP, sizes_fit
from knowledge.errors import OptionsError, SourceMissingError
from knowledge.index.analysis import terms
from knowledge.index.weighting import TfidfOptions
from knowledge.library.library import Library
from knowledge.loaders import LoadLimits, SourceFile
from knowledge.loaders.source_files import look_through
from knowledge.passages import Problem
from knowledge.storage.fingerprints import Fingerprint, fingerprints
from knowledge.storage.manifest import Manifest, SourceFolder, version_of

# An index made with another stemmer or other rules for words than a question is read with would find little.
_SAMPLE = "Relativity's naïve café-owners were running 3.5 km/h slower: E = mc², Schrödinger’s U-235, ﬁve studies, 東京"


@dataclass(frozen=True, slots=True)
class KnowledgeOptions:
    """How passages are made and indexed; any change makes another index.

    Attributes:
        longest: characters of a passage at most.
        overlap: characters that two passages cut from one text share at most.
        limits: how much is read at once.
        tfidf: how terms are weighted.

    Raises:
        OptionsError: `longest` is below 40, or `overlap` more than half of it.
    """

    longest: int = LONGEST
    overlap: int = OVERLAP
    limits: LoadLimits = field(default_factory=LoadLimits)
    tfidf: TfidfOptions = field(default_factory=TfidfOptions)

    def __post_init__(self) -> None:
        if not sizes_fit(self.longest, self.overlap):
            raise OptionsError(
                f"Passages of {self.longest} characters cannot share {self.overlap} with one another.",
                "Make them longer, or let them share at most half of their length.",
            )

    def recipe(self) -> dict[str, Any]:
        """The same as JSON values, with a sample of how text becomes terms."""
        return asdict(self) | {"terms": terms(_SAMPLE)}


@dataclass(frozen=True, slots=True)
class Survey:
    """What the sources hold now.

    Attributes:
        version: the name of the index that would be built from them.
        problems: what stands in them that is not read (pipes, links that lead out …), and what the library has lost.
    """

    version: str
    recipe: Mapping[str, Any]
    sources: tuple[SourceFolder, ...]
    files: tuple[SourceFile, ...]
    fingerprints: tuple[Fingerprint, ...]
    problems: tuple[Problem, ...]


def survey(
    sources: Sequence[Path], options: KnowledgeOptions, before: Manifest | None, library: Library | None = None
) -> Survey:
    """Look at `sources` and the library; files that have not changed since `before` are not read.

    The library may hold nothing any more, or not be there: what admins hand in they may take back.

    Raises:
        LibraryBusyError: the library's folder cannot be read.
        SourceMissingError: a source is not there; or it gave files `before` and holds none now, as a folder does
            whose disk is not mounted. Half of the knowledge must not go without anybody being told.
    """
    for source in sources:
        _require(source)
    handed_in = library.folder() if library else None
    found = look_through(sources, handed_in)
    folders = tuple(map(_folder, sources, sources, repeat(found.files), found.counts))
    _refuse_emptied(folders, before)
    if library and handed_in:
        folders += (_folder(library.path, handed_in, found.files, found.counts[-1]),)
    known = {file.name: file for file in before.files} if before else {}
    prints = fingerprints([(file.name, file.path) for file in found.files], known, options.limits.file_bytes)
    recipe = options.recipe()
    version = version_of(recipe, prints)
    problems = (*found.problems, *(library.problems() if library else ()))
    return Survey(version, recipe, folders, found.files, prints, problems)


def _folder(path: Path, where: Path, files: Sequence[SourceFile], count: tuple[str, int]) -> SourceFolder:
    """Describe a source that is called `path` and lies at `where`."""
    root = where.resolve()
    return SourceFolder(str(path), sum(1 for file in files if file.path.is_relative_to(root)), *count)


def _require(source: Path) -> None:
    try:
        source.stat()
    except OSError as error:
        gone = isinstance(error, FileNotFoundError)
        why = "is not there" if gone else f"cannot be opened ({os.strerror(error.errno or 0).lower()})"
        raise SourceMissingError(
            source, f"The source {source} {why}.", "Bring it back, or take it out of the settings."
        ) from error


def _refuse_emptied(folders: Sequence[SourceFolder], before: Manifest | None) -> None:
    earlier = {source.path: source.files for source in before.sources} if before else {}
    for folder in folders:
        if not folder.files and earlier.get(folder.path):
            raise SourceMissingError(
                Path(folder.path),
                f"The source {folder.path} is empty; it gave {earlier[folder.path]} files before.",
                "Check that its disk is mounted, or take it out of the settings.",
            )
