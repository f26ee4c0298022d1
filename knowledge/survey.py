"""A look at the sources before anything is read: which files there are, and what version they would make."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from knowledge.analysis import terms
from knowledge.cutting import LONGEST, OVERLAP
from knowledge.errors import SourceMissingError
from knowledge.fingerprints import Fingerprint, fingerprints
from knowledge.loaders import LoadLimits, SourceFile, find_files
from knowledge.manifest import Manifest, SourceFolder, version_of
from knowledge.passages import Problem
from knowledge.weighting import TfidfOptions

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
    """

    longest: int = LONGEST
    overlap: int = OVERLAP
    limits: LoadLimits = field(default_factory=LoadLimits)
    tfidf: TfidfOptions = field(default_factory=TfidfOptions)

    def recipe(self) -> dict[str, Any]:
        """The same as JSON values, with a sample of how text becomes terms."""
        return asdict(self) | {"terms": terms(_SAMPLE)}


@dataclass(frozen=True, slots=True)
class Survey:
    """What the sources hold now.

    Attributes:
        version: the name of the index that would be built from them.
        problems: what stands in them that is not read (pipes, links that lead out …).
    """

    version: str
    recipe: Mapping[str, Any]
    sources: tuple[SourceFolder, ...]
    files: tuple[SourceFile, ...]
    fingerprints: tuple[Fingerprint, ...]
    problems: tuple[Problem, ...]


def survey(sources: Sequence[Path], options: KnowledgeOptions, before: Manifest | None) -> Survey:
    """Look at `sources`; files that have not changed since `before` are not read.

    Raises:
        SourceMissingError: a source is not there; or it gave files `before` and holds none now, as a folder does
            whose disk is not mounted. Half of the knowledge must not go without anybody being told.
    """
    files, problems = find_files(sources)
    folders = tuple(SourceFolder(str(source), _count(source, files)) for source in sources)
    _refuse_missing(folders, before)
    known = {file.name: file for file in before.files} if before else {}
    prints = fingerprints([(file.name, file.path) for file in files], known, options.limits.file_bytes)
    recipe = options.recipe()
    version = version_of(recipe, prints)
    return Survey(version, recipe, folders, tuple(files), prints, tuple(problems))


def _count(source: Path, files: Sequence[SourceFile]) -> int:
    root = source.resolve()
    return sum(1 for file in files if file.path.is_relative_to(root))


def _refuse_missing(folders: Sequence[SourceFolder], before: Manifest | None) -> None:
    earlier = {source.path: source.files for source in before.sources} if before else {}
    for folder in folders:
        path = Path(folder.path)
        if not path.exists():
            raise SourceMissingError(
                path, f"The source {path} is not there.", "Bring it back, or take it out of the settings."
            )
        if not folder.files and earlier.get(folder.path):
            raise SourceMissingError(
                path,
                f"The source {path} is empty; it gave {earlier[folder.path]} files before.",
                "Check that its disk is mounted, or take it out of the settings.",
            )
