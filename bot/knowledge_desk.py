"""What can be asked about the knowledge base itself: what is in it, and what a reload changed."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from bot.errors import KnowledgeUnavailableError, LibraryRefusedError, NotInLibraryError, PreceptorError
from bot.messages import Reply
from bot.reload_progress import watching
from bot.settings import Settings
from bot.settings.tree import KnowledgeSettings
from knowledge import (
    KnowledgeBase,
    KnowledgeError,
    KnowledgeOptions,
    Library,
    LoadLimits,
    Problem,
    ReloadReport,
    starter,
)
from knowledge.errors import LibraryMissingError
from knowledge.errors import LibraryRefusedError as Refused

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_FOLLOW_SECONDS = 3.0
"""Between two looks for an index that another process built."""

_PROBLEMS_SHOWN = 10


def knowledge_base(
    settings: Settings, tell: Callable[[float, bool], None] = lambda seconds, failed: None
) -> KnowledgeBase:
    """Make the knowledge base that the settings describe; nothing is read yet. `tell` is as `KnowledgeBase` has it."""
    sources, options = what_is_read(settings.knowledge)
    return KnowledgeBase(sources, settings.index_directory, options, tell, library(settings))


def library(settings: Settings) -> Library:
    """Make the library that the settings describe; nothing is read yet."""
    return Library(settings.library_directory, load_limits(settings.knowledge))


def what_is_read(settings: KnowledgeSettings) -> tuple[list[Path], KnowledgeOptions]:
    """Give the files and folders that the settings name, and how they are read."""
    sources = [starter.folder() if name == "starter" else Path(name) for name in settings.sources]
    limits = load_limits(settings)
    return sources, KnowledgeOptions(longest=settings.passage_length, overlap=settings.passage_overlap, limits=limits)


def load_limits(settings: KnowledgeSettings) -> LoadLimits:
    """Give the bounds within which files are read."""
    return LoadLimits(file_bytes=settings.file_megabytes << 20, line_bytes=settings.line_megabytes << 20)


class KnowledgeDesk:
    """Opens, reloads and describes the knowledge base; reading happens in a thread, beside those that answer."""

    def __init__(self, knowledge: KnowledgeBase, thread: Executor) -> None:
        self._knowledge = knowledge
        self._thread = thread

    async def open(self) -> ReloadReport:
        """Open the index, building it where it does not fit its sources.

        Raises:
            KnowledgeUnavailableError: nothing could be loaded.
        """
        return await self.off_the_loop(self._knowledge.open)

    async def reload(self) -> Reply:
        """Read the sources again and say what changed.

        Raises:
            KnowledgeUnavailableError: the old knowledge stays in use.
        """
        report = await self.off_the_loop(partial(self._knowledge.reload, watching()))
        return Reply(report_in_words(report), ephemeral=True, data=asdict(report))

    async def follow(self) -> None:
        """Take up what other processes build, every few seconds, so that all on one index agree; until cancelled."""
        failed = False
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            try:
                report = await self.off_the_loop(self._knowledge.follow)
            except KnowledgeUnavailableError as error:
                if not failed:
                    log.warning("index of another process not taken up", reason=error.sentence)
                failed = True
                continue
            failed = False
            if report is not None:
                log.info("index of another process taken up", passages=report.passages, files=report.files)

    async def describe(self) -> Reply:
        """Say what is in the knowledge base."""
        statistics = await self.off_the_loop(self._knowledge.statistics)
        text = f"I answer from {counted(statistics.passages, 'passage')} of {counted(statistics.files, 'file')}."
        # Where the sources lie on this machine is nobody's business who may only ask.
        names = {"sources": [Path(source).name for source in statistics.sources]}
        return Reply(text, ephemeral=True, data=asdict(statistics) | names)

    async def off_the_loop(self, work: Callable[[], Result]) -> Result:
        """Do something with the knowledge base or the library where it holds up nobody, one at a time.

        Raises:
            LibraryRefusedError, NotInLibraryError: whoever asked for it can mend it.
            KnowledgeUnavailableError: else.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except KnowledgeError as error:
            raise _ours(error) from error


def _ours(error: KnowledgeError) -> PreceptorError:
    if isinstance(error, LibraryMissingError):
        return NotInLibraryError(error.message, error.fix)
    kind = LibraryRefusedError if isinstance(error, Refused) else KnowledgeUnavailableError
    return kind(error.message, error.fix)


def report_in_words(report: ReloadReport) -> str:
    """Say what a load or reload did, as CommonMark."""
    changed = f"{report.added:,} added, {report.removed:,} removed" if report.changed else "nothing changed"
    text = (
        f"The knowledge base is loaded: {counted(report.passages, 'passage')} of {counted(report.files, 'file')}"
        f" ({changed}; {counted(report.duplicates, 'duplicate')} left out), in {report.elapsed_ms:,.0f} ms."
    )
    return text + _problems_in_words(report.problems)


def counted(number: int, noun: str) -> str:
    """Give a number with its noun: ``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _problems_in_words(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    lines = [f"- {problem}" for problem in problems[:_PROBLEMS_SHOWN]]
    if len(problems) > _PROBLEMS_SHOWN:
        lines.append(f"- … and {len(problems) - _PROBLEMS_SHOWN:,} more: `preceptor knowledge check` lists them all")
    return f"\n\nProblems ({len(problems):,}):\n\n" + "\n".join(lines)
