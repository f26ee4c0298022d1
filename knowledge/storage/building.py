"""How a version is built: documents are read file by file, cut into passages, freed of duplicates, indexed."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import numpy as np

from knowledge.cutting import cut
from knowledge.errors import NothingToLoadError
from knowledge.index.array_folder import open_arrays
from knowledge.index.tfidf import Fields, TfidfIndex
from knowledge.loaders import SourceFile, load_file
from knowledge.passages import Passage, Problem
from knowledge.reports import Progress, Watch, unwatched
from knowledge.storage.duplicates import content_digest, likeness, question_digest
from knowledge.storage.manifest import Manifest
from knowledge.storage.passage_store import passage_writer
from knowledge.storage.ready_answers import write_ready_answers
from knowledge.storage.snapshot import DIGESTS, TERMS
from knowledge.storage.survey import KnowledgeOptions, Survey
from knowledge.storage.title_list import write_titles


@dataclass(slots=True)
class _Tally:
    """What comes up while passages stream by; of a passage nothing but its title and a few numbers is kept."""

    problems: list[Problem] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    digests: "array[int]" = field(default_factory=lambda: array("Q"))
    ready: dict[int, int] = field(default_factory=dict)
    duplicates: int = 0

    def admits(self, passage: Passage) -> bool:
        """Take note of `passage`; False when an earlier one says the same."""
        key = likeness(passage)
        if key in self.seen:
            self.duplicates += 1
            return False
        self.seen.add(key)
        if passage.question:
            # Of two answers to one question the later holds: the library, where they are taught, is read last.
            self.ready[question_digest(passage.question)] = len(self.digests)
        self.digests.append(content_digest(passage))
        if title := heading(passage):
            self.titles.add(title)
        return True


def build(folder: Path, found: Survey, options: KnowledgeOptions, watch: Watch = unwatched) -> Manifest:
    """Build the version that `found` describes in `folder`, which is empty.

    A file that changes while it is read has another size or time than `found` has noted of it, so that the next
    reload reads it again.

    Raises:
        NothingToLoadError: there is not one usable passage.
        OSError: the disk does not take what is written.
    """
    tally = _Tally()
    index = _stored_and_fitted(folder, found, options, tally, watch)
    watch(Progress("saving"))
    (folder / TERMS).mkdir()
    index.save(folder / TERMS)
    write_titles(folder, tally.titles)
    write_ready_answers(folder, tally.ready)
    np.save(folder / DIGESTS, np.sort(np.frombuffer(tally.digests, dtype=np.uint64)), allow_pickle=False)
    return _signed(folder, found, tally)


def _stored_and_fitted(
    folder: Path, found: Survey, options: KnowledgeOptions, tally: _Tally, watch: Watch
) -> TfidfIndex:
    with passage_writer(folder) as store:
        fields = _written(store, _passages(found.files, options, tally, watch), tally)
        first = next(fields, None)
        if first is None:
            raise _nothing(found, tally)
        return TfidfIndex.fit(chain([first], fields), options.tfidf)


def heading(passage: Passage) -> str:
    """What a passage is found and offered by: the question of a ready answer, else its title; may be empty."""
    return passage.question or passage.title


def _written(store: Callable[[Passage], None], passages: Iterable[Passage], tally: _Tally) -> Iterator[Fields]:
    """Store every passage that says something new, and yield what of it is indexed."""
    for passage in passages:
        if tally.admits(passage):
            store(passage)
            yield Fields(_title(passage), passage.text, passage.tags)


def _passages(
    files: tuple[SourceFile, ...], options: KnowledgeOptions, tally: _Tally, watch: Watch
) -> Iterator[Passage]:
    for number, file in enumerate(files):
        watch(Progress("reading", number, len(files)))
        loaded = load_file(file, options.limits)
        tally.problems += loaded.problems
        for document in loaded.documents:
            yield from cut(document, options.longest, options.overlap)
    watch(Progress("indexing"))


def _title(passage: Passage) -> str:
    return f"{passage.question} {passage.title}".strip()


def _nothing(found: Survey, tally: _Tally) -> NothingToLoadError:
    where = ", ".join(source.path for source in found.sources)
    return NothingToLoadError(
        f"There is nothing to load in {where}: {len(found.files)} files, not one usable passage.",
        "Add a file with texts (JSON, JSONL, CSV, Markdown or plain text), or mend those that are there.",
        (*found.problems, *tally.problems),
    )


def _signed(folder: Path, found: Survey, tally: _Tally) -> Manifest:
    sizes, _ = open_arrays(folder / TERMS, ("idf", "posting_documents"))
    manifest = Manifest(
        version=found.version,
        recipe=found.recipe,
        sources=found.sources,
        files=found.fingerprints,
        passages=len(tally.digests),
        duplicates=tally.duplicates,
        terms=len(sizes["idf"]),
        postings=len(sizes["posting_documents"]),
        problems=tuple(tally.problems),
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
    ).with_parts_of(folder)
    manifest.save(folder)
    return manifest
