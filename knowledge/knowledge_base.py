"""The knowledge base: opened, reloaded and searched as one whole, from any number of threads."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path

import numpy as np

from knowledge import starter
from knowledge.confidence import Calibration, Evidence, evidence, read_question
from knowledge.errors import CalibrationError, IndexUnwritableError, NotOpenError
from knowledge.hits import Hit
from knowledge.library import Library
from knowledge.passages import Problem
from knowledge.reports import (
    CalibrationStatistics,
    FileReport,
    KnowledgeStatistics,
    ReloadReport,
    Watch,
    unwatched,
)
from knowledge.storage.file_reports import file_report
from knowledge.storage.index_folder import Mark, mark_of
from knowledge.storage.index_keeper import IndexKeeper, Kept
from knowledge.storage.snapshot import Snapshot
from knowledge.storage.source_rows import SourceRows
from knowledge.storage.survey import KnowledgeOptions

_CALIBRATION = "calibration.json"


@dataclass(frozen=True, slots=True)
class _State:
    """What a search sees: replaced as a whole, never changed. `met` are the problems that no manifest holds."""

    snapshot: Snapshot
    calibration: Calibration
    own_calibration: bool
    problems: tuple[Problem, ...]
    sources: SourceRows
    met: tuple[Problem, ...] = ()


class KnowledgeBase:
    """Passages made from `sources`, with their index in `directory`; nothing is read before `open`.

    Every method may be called from any thread. A search during a reload sees the old or the new version, whole.

    Args:
        sources: files and folders.
        directory: where the index is kept; made when it is not there.
        options: how passages are made and indexed.
        tell: is told, each time that the sources were read, how many seconds that took and whether it failed.
        library: what admins handed in, read besides the sources.
    """

    def __init__(
        self,
        sources: Sequence[Path],
        directory: Path,
        options: KnowledgeOptions | None = None,
        tell: Callable[[float, bool], None] = lambda seconds, failed: None,
        library: Library | None = None,
    ) -> None:
        self._tell = tell
        self._library = library
        self._keeper = IndexKeeper(sources, directory, options or KnowledgeOptions(), library)
        self._calibration_file = directory.absolute() / _CALIBRATION
        self._one_at_a_time = threading.Lock()
        self._state: _State | None = None
        self._seen: tuple[Mark, Mark] | None = None

    @property
    def threshold(self) -> float:
        """The confidence below which the bot declines, 0 to 1; raises NotOpenError."""
        return self._opened().calibration.threshold

    def open(self) -> ReloadReport:
        """Open the saved index if it fits the sources and options, else build it.

        Where it can be neither opened nor built, but the last one saved was made from the same sources, that one
        answers on, and a problem in the report says why.

        Raises:
            KnowledgeError: there is nothing to answer from; the subclass says what stands in the way.
        """
        with self._one_at_a_time, self._told() as started:
            return self._adopt(self._keeper.open(), started)

    def reload(self, watch: Watch = unwatched) -> ReloadReport:
        """Read the sources again, and check every byte of the index.

        Args:
            watch: is told how far it is, in this thread.

        Raises:
            NotOpenError: it was not open.
            KnowledgeError: a source is missing, nothing would be left, the index cannot be written …; the old
                version goes on answering.
        """
        with self._one_at_a_time, self._told() as started:
            return self._adopt(self._keeper.reload(self._opened().snapshot, watch), started)

    def follow(self) -> ReloadReport | None:
        """Take up the index or the calibration that another process has put in use; None where none has.

        Two looks at the disk, as long as nothing changes.

        Raises:
            NotOpenError: it is not open.
            DamagedIndexError: the other index is not whole; what answers goes on, and the next call looks again.
        """
        self._opened()
        marks = self._marks()
        if marks == self._seen:
            return None
        with self._one_at_a_time:
            started, state = time.perf_counter(), self._opened()
            ours = state.snapshot
            taken_up = self._adopt(self._keeper.others(ours) or Kept(ours, ours, state.met), started)
            self._seen = marks
            return taken_up if taken_up.changed else None

    def files(self) -> list[FileReport]:
        """Every file that is read, with what came of it; raises NotOpenError, DamagedIndexError."""
        state = self._opened()
        manifest = state.snapshot.manifest
        library = str(self._library.path) if self._library else ""
        sources = chain.from_iterable(repeat(source, source.own) for source in manifest.sources)
        problems = _by_file(state.problems)
        return [
            file_report(file, source, source.path == library, len(rows), problems.get(file.name, ()))
            for file, source, rows in zip(manifest.files, sources, state.sources.by_file, strict=False)
        ]

    def problems(self) -> tuple[Problem, ...]:
        """What was met at the last load, of files and else; raises NotOpenError."""
        return self._opened().problems

    @property
    def passages(self) -> int:
        """How many passages it holds; 0 where it is not open."""
        state = self._state
        return state.snapshot.manifest.passages if state else 0

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources that hold anything, in their order; raises NotOpenError, DamagedIndexError."""
        return tuple(self._opened().sources.by_name)

    def search(self, query: str, limit: int = 5, context: Sequence[str] = (), source: str = "") -> list[Hit]:
        """The passages that match best, best first; none for a question without a word that is known.

        The ready answer to just this question, whatever its case and punctuation, comes first and for certain.

        Args:
            query: any text.
            limit: most hits.
            context: earlier questions of the conversation, oldest first; their words count less.
            source: one of `sources`, to look at what came from it alone; empty for all. How rare a word is, and so
                confidence and threshold, are still those of the whole: a word that stands everywhere in this source
                and nowhere else counts as a rare one, and confidence may be higher than it would be if the source
                were all there is.

        Raises:
            NotOpenError: it is not open.
            DamagedIndexError: the index was damaged while in use; a reload rebuilds it.
        """
        state = self._opened()
        index, passages = state.snapshot.index, state.snapshot.passages
        among = state.sources.by_name.get(source, range(0)) if source else None
        matches = index.search(query, limit, context, among)
        if not matches:
            return []
        row = state.snapshot.ready.row(query)
        ready = index.search(query, 1, context, range(row, row + 1)) if row is not None else []
        is_ready = bool(ready) and (among is None or row in among)
        if is_ready:
            matches = [*ready, *(match for match in matches if match.document != row)][:limit]
        best = max(match.score for match in matches)
        asked = read_question(query, context)
        sure = [state.calibration.confidence(evidence(asked, match, len(index))) for match in matches]
        hits = [
            Hit(passages[match.document], match.score, match.coverage, confidence, match.terms)
            for match, confidence in zip(matches, sure, strict=True)
        ]
        return [replace(hits[0], score=best, confidence=1.0), *hits[1:]] if is_ready else hits

    def has_ready_answer(self, question: str) -> bool:
        """Whether there is a ready answer to just this question, whatever its case; none where it is not open."""
        state = self._state
        return state is not None and state.snapshot.ready.row(question) is not None

    def evidence(self, question: str) -> Evidence | None:
        """What the confidence in the best hit rests on; None without a hit. Raises NotOpenError."""
        index = self._opened().snapshot.index
        matches = index.search(question, 1)
        return evidence(read_question(question), matches[0], len(index)) if matches else None

    def titles(self, prefix: str = "", limit: int = 25) -> list[str]:
        """Titles, and questions that have a ready answer, for completion.

        First those that begin with `prefix`, in alphabetical order and whatever the case; then those in which a
        later word does. Raises NotOpenError.
        """
        return self._opened().snapshot.titles.beginning_with(prefix, limit)

    def drawn_titles(self, seed: str, limit: int) -> list[str]:
        """At most `limit` of what `titles` gives, by lot; the same ones for the same seed. Raises NotOpenError."""
        return self._opened().snapshot.titles.drawn(seed, limit)

    def statistics(self) -> KnowledgeStatistics:
        """What it holds; raises NotOpenError."""
        state = self._opened()
        snapshot, manifest = state.snapshot, state.snapshot.manifest
        return KnowledgeStatistics(
            version=manifest.version,
            files=len(manifest.files),
            passages=manifest.passages,
            duplicates=manifest.duplicates,
            titles=len(snapshot.titles),
            terms=manifest.terms,
            postings=manifest.postings,
            bytes_on_disk=snapshot.bytes_on_disk(),
            built_at=manifest.built_at,
            sources=tuple(source.path for source in manifest.sources),
            problems=len(state.problems),
            calibration=_calibration_statistics(state),
        )

    def keep_calibration(self, calibration: Calibration) -> None:
        """Use `calibration` from now on, and at every later start.

        Raises:
            NotOpenError: it is not open.
            IndexUnwritableError: it cannot be saved; the old one stays in use.
        """
        with self._one_at_a_time:
            state = self._opened()
            try:
                calibration.save(self._calibration_file)
            except OSError as error:
                raise IndexUnwritableError(self._calibration_file.parent, error) from error
            self._state = _State(state.snapshot, calibration, True, state.problems, state.sources, state.met)

    def close(self) -> None:
        """Let go of the index; `open` takes it up again."""
        with self._one_at_a_time:
            self._state = None
            self._keeper.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[float]:
        """Tell whoever counts it how long the body took, and whether it failed; give when it began."""
        started, failed = time.perf_counter(), True
        try:
            yield started
            failed = False
        finally:
            self._tell(time.perf_counter() - started, failed)

    def _marks(self) -> tuple[Mark, Mark]:
        """What differs when any process put another index, or another calibration, in use."""
        return self._keeper.mark(), mark_of(self._calibration_file)

    def _opened(self) -> _State:
        state = self._state
        if state is None:
            raise NotOpenError
        return state

    def _adopt(self, kept: Kept, started: float) -> ReloadReport:
        """Answer from `kept` from now on, and tell what that changes."""
        before, manifest = kept.before, kept.snapshot.manifest
        calibration, own, flaws = self._calibration()
        problems = (*kept.problems, *manifest.problems, *flaws)
        self._state = _State(kept.snapshot, calibration, own, problems, SourceRows(kept.snapshot), kept.problems)
        common = _common(before, kept.snapshot) if before else 0
        return ReloadReport(
            version=manifest.version,
            files=len(manifest.files),
            passages=manifest.passages,
            added=manifest.passages - common,
            removed=before.manifest.passages - common if before else 0,
            duplicates=manifest.duplicates,
            problems=problems,
            changed=before is None or before.manifest.version != manifest.version,
            rebuilt_because=kept.rebuilt_because,
            elapsed_ms=(time.perf_counter() - started) * 1000,
        )

    def _calibration(self) -> tuple[Calibration, bool, tuple[Problem, ...]]:
        """The calibration to use, whether it is this knowledge base's own, and what is wrong with it."""
        try:
            return Calibration.read(self._calibration_file), True, ()
        except FileNotFoundError:
            flaws: tuple[Problem, ...] = ()
        except CalibrationError as error:
            flaws = (Problem(str(self._calibration_file), error.message, error.fix),)
        return Calibration.read(starter.calibration()), False, flaws


def _by_file(problems: Sequence[Problem]) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.source, []).append(problem)
    return found


def _common(before: Snapshot, now: Snapshot) -> int:
    """How many passages are in both."""
    if before.manifest.version == now.manifest.version:
        return now.manifest.passages
    places = np.searchsorted(before.digests, now.digests).clip(max=len(before.digests) - 1)
    return int(np.count_nonzero(before.digests[places] == now.digests))


def _calibration_statistics(state: _State) -> CalibrationStatistics:
    calibration = state.calibration
    return CalibrationStatistics(
        threshold=calibration.threshold,
        auroc=calibration.auroc,
        false_answers=calibration.false_answers,
        false_declines=calibration.false_declines,
        made_at=calibration.made_at,
        of_this_version=calibration.version == state.snapshot.manifest.version,
        own=state.own_calibration,
    )
