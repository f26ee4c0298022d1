"""Which saved index answers now: the one that fits the sources, else a new one, else the last that is whole."""

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.errors import (
    DamagedIndexError,
    IndexUnwritableError,
    KnowledgeError,
    NothingToLoadError,
    OutdatedIndexError,
)
from knowledge.library.library import Library
from knowledge.passages import Problem
from knowledge.reports import Progress, Watch, unwatched
from knowledge.storage.index_folder import IndexFolder, Mark
from knowledge.storage.manifest import Manifest, version_of
from knowledge.storage.snapshot import Snapshot
from knowledge.storage.survey import KnowledgeOptions, Survey, survey

# A million passages are built in a few minutes.
_PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Kept:
    """The index that answers, and how it came to.

    Attributes:
        before: the one that answered, or was saved, before; None where there was none that is whole.
        problems: met while looking for it, beside those in its manifest.
        rebuilt_because: empty when it was there already.
    """

    snapshot: Snapshot
    before: Snapshot | None = None
    problems: tuple[Problem, ...] = ()
    rebuilt_because: str = ""


class IndexKeeper:
    """Finds, builds and publishes the versions in a folder; not for several threads at once.

    A folder that may be read but not written gets a stand-in among the temporary files, which lasts as long as the
    process: answers matter more than a quick start next time, and a problem says what to mend.
    """

    def __init__(
        self, sources: Sequence[Path], directory: Path, options: KnowledgeOptions, library: Library | None = None
    ) -> None:
        self._sources = [source.absolute() for source in sources]
        self._library = library
        self._options = options
        self._folder = IndexFolder(directory.absolute())
        self._stand_in: tempfile.TemporaryDirectory[str] | None = None

    def open(self) -> Kept:
        """The saved index if it fits the sources and options, else a new one.

        Where neither can be had but the last saved index was made from the same sources, that one answers on, and a
        problem says why: a bot that starts at night with its disk full or a source not mounted answers from what it
        knew in the evening.

        Raises:
            KnowledgeError: no index can be had.
        """
        saved, flaw = self._saved()
        try:
            return replace(self._fitting(saved, flaw), before=saved)
        except KnowledgeError as error:
            if saved is None or not self._is_of_our_sources(saved):
                raise
            return Kept(saved, saved, self._still_on(saved, error))

    def reload(self, before: Snapshot, watch: Watch = unwatched) -> Kept:
        """The index that fits the sources as they are now, every byte of it checked; a new one if need be.

        Raises:
            KnowledgeError: no index can be had; `before` is as good as it was.
        """
        watch(Progress("looking"))
        try:
            Snapshot.open(before.folder, thorough=True)
        except DamagedIndexError as error:
            kept = self._made(self._survey(before.manifest), _because(error), watch)
        else:
            kept = self._fitting(before, "", watch)
        return replace(kept, before=before)

    def mark(self) -> Mark:
        """Give what differs when another process may have put another index in use."""
        return self._folder.mark()

    def others(self, ours: Snapshot) -> Kept | None:
        """The index that another process put in use, if it is made from our sources as we would make it; else None.

        Raises:
            DamagedIndexError: it is gone again, or not whole.
        """
        version = self._folder.current()
        if self._stand_in or version in (None, ours.manifest.version):
            return None
        snapshot = Snapshot.open(self._folder.version(str(version)))
        manifest = snapshot.manifest
        of_our_recipe = version_of(self._options.recipe(), manifest.files) == manifest.version
        return Kept(snapshot, ours) if of_our_recipe and self._is_of_our_sources(snapshot) else None

    def close(self) -> None:
        """Remove the stand-in, if there had to be one."""
        if self._stand_in:
            self._stand_in.cleanup()
            self._stand_in = None

    def _saved(self) -> tuple[Snapshot | None, str]:
        """The index in use, or None and what is wrong with it."""
        version = self._folder.current()
        if version is None:
            return None, "first build"
        try:
            return Snapshot.open(self._folder.version(version)), ""
        except DamagedIndexError as error:
            return None, _because(error)

    def _survey(self, before: Manifest | None) -> Survey:
        return survey(self._sources, self._options, before, self._library)

    def _fitting(self, saved: Snapshot | None, flaw: str, watch: Watch = unwatched) -> Kept:
        found = self._survey(saved.manifest if saved else None)
        if saved is None:
            return self._made(found, flaw, watch)
        if saved.manifest.version == found.version:
            return Kept(_refreshed(saved, found), problems=found.problems)
        same_recipe = version_of(found.recipe, saved.manifest.files) == saved.manifest.version
        return self._made(found, "sources changed" if same_recipe else "options changed", watch)

    def _made(self, found: Survey, because: str, watch: Watch) -> Kept:
        try:
            return self._made_in(self._folder, found, because, watch)
        except IndexUnwritableError as error:
            if not error.not_permitted:
                raise
            stand_in = self._stand_in_folder()
            kept = self._made_in(stand_in, found, because, watch)
            return replace(kept, problems=(*kept.problems, self._stands_in(error)))

    def _made_in(self, folder: IndexFolder, found: Survey, because: str, watch: Watch) -> Kept:
        """Build and publish the version, unless somebody has done so meanwhile or it was the one before."""
        with folder.locked(_PATIENCE_S):
            there = _intact(folder.version(found.version))
            if there is None:
                _build(folder, found, self._options, watch)
            folder.use(found.version)
            snapshot = there or Snapshot.open(folder.version(found.version))
        return Kept(snapshot, None, found.problems, "" if there else because)

    def _stand_in_folder(self) -> IndexFolder:
        if self._stand_in is None:
            self._stand_in = tempfile.TemporaryDirectory(prefix="preceptor-index-")
        return IndexFolder(Path(self._stand_in.name))

    def _stands_in(self, error: IndexUnwritableError) -> Problem:
        message = f"{error.message} It was built among the temporary files instead, and will be at every start."
        return Problem(str(self._folder.path), message, error.fix)

    def _is_of_our_sources(self, saved: Snapshot) -> bool:
        library = {str(self._library.path)} if self._library else set()
        return {source.path for source in saved.manifest.sources} - library == set(map(str, self._sources)) - library

    def _still_on(self, saved: Snapshot, error: KnowledgeError) -> tuple[Problem, ...]:
        message = f"{error.message} The index built {saved.manifest.built_at} goes on answering."
        causes = error.problems if isinstance(error, NothingToLoadError) else ()
        return (Problem(str(self._folder.path), message, error.fix), *causes)


def _intact(folder: Path) -> Snapshot | None:
    try:
        return Snapshot.open(folder, thorough=True)
    except DamagedIndexError:
        return None


def _build(folder: IndexFolder, found: Survey, options: KnowledgeOptions, watch: Watch) -> None:
    # Parsers and sentence splitter come with it, which a start on a saved index does without.
    from knowledge.storage.building import build

    with folder.building() as empty:
        build(empty, found, options, watch)
        folder.publish(empty, found.version)


def _refreshed(saved: Snapshot, found: Survey) -> Snapshot:
    """`saved` with the files' times as they are now, so that the next start need not read the files either."""
    manifest = replace(saved.manifest, files=found.fingerprints, sources=found.sources)
    if manifest == saved.manifest:
        return saved
    with suppress(OSError):
        manifest.save(saved.folder)
    return replace(saved, manifest=manifest)


def _because(error: DamagedIndexError) -> str:
    if isinstance(error, OutdatedIndexError):
        return "written by another version"
    return f"index damaged: {error.reason}"
