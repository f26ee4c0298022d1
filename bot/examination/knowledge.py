"""Examines the knowledge base: whether its sources are there, whether the saved index fits them, what was unusable."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.examination.findings import Examined, Finding
from bot.knowledge_desk import counted, library, what_is_read
from bot.settings import Settings
from knowledge import KnowledgeError, Library, Problem
from knowledge.storage.index_folder import IndexFolder
from knowledge.storage.snapshot import Snapshot
from knowledge.storage.survey import Survey, survey

_NAME = "knowledge base"


def examine(examined: Examined) -> Iterator[Finding]:
    """Look at sources and index without building anything; problems are those met when the index was built."""
    settings: Settings = examined.settings
    saved, flaw = _saved(settings.index_directory)
    try:
        found = _survey(settings, saved)
    except KnowledgeError as error:
        yield Finding(_NAME, "failed", error.message, error.fix)
        return
    yield flaw or _of_index(saved, found)
    yield _of_library(library(settings))
    problems = (*found.problems, *(saved.manifest.problems if saved else ()))
    if problems:
        yield _of_problems(problems, settings.knowledge.sources)


def _survey(settings: Settings, saved: Snapshot | None) -> Survey:
    sources, options = what_is_read(settings.knowledge)
    return survey(sources, options, saved.manifest if saved else None, library(settings))


def _saved(directory: Path) -> tuple[Snapshot | None, Finding | None]:
    """Give the index in use, or what is wrong with it."""
    folder = IndexFolder(directory)
    version = folder.current()
    if version is None:
        return None, None
    try:
        return Snapshot.open(folder.version(version)), None
    except KnowledgeError as error:
        fix = "Nothing need be done: the next start builds it anew; so does `preceptor knowledge build`."
        return None, Finding(_NAME, "warning", error.message, fix)


def _of_index(saved: Snapshot | None, found: Survey) -> Finding:
    files = counted(len(found.files), "file")
    if not found.files:
        return Finding(
            _NAME, "failed", "The sources hold no file that can be read.", "Put one there, or mend knowledge.sources."
        )
    if saved is None:
        return Finding(_NAME, "ok", f"{files} to read; the index is not built yet: the first start builds it.")
    held = f"{counted(saved.manifest.passages, 'passage')} of {counted(len(saved.manifest.files), 'file')}"
    if saved.manifest.version != found.version:
        return Finding(
            _NAME,
            "warning",
            f"The index ({held}) is out of date: sources or settings changed after it was built.",
            "Say /reload to the bot as an admin, or start it anew; `preceptor knowledge build` does it beforehand.",
        )
    return Finding(_NAME, "ok", f"{held}; the index fits its sources.")


def _of_library(handed_in: Library) -> Finding:
    versions, lost = handed_in.versions(), handed_in.problems()
    if not versions:
        return Finding("library", "ok", "Nothing was uploaded or taught yet.")
    held = f"Version {versions[0].id}, {counted(len(handed_in.files()), 'file')}"
    if lost:
        names = ", ".join(problem.source for problem in lost)
        return Finding("library", "warning", f"{held}; gone from the disk: {names}.", lost[0].fix)
    unreadable = [str(version.id) for version in versions if not version.at]
    if unreadable:
        told = f"{held}; what is noted of version {', '.join(unreadable)} cannot be read (manifest.json)."
        return Finding("library", "warning", told, "Its files answer all the same; the next change notes them anew.")
    return Finding("library", "ok", f"{held}.")


def _of_problems(problems: Sequence[Problem], sources: Sequence[str]) -> Finding:
    paths = " ".join(source for source in sources if source != "starter")
    return Finding(
        f"{_NAME}: problems",
        "warning",
        f"{counted(len(problems), 'problem')}; what could not be used the bot does not know. The first: {problems[0]}",
        f"`preceptor knowledge check {paths or 'PATH'}` lists them all.",
    )
