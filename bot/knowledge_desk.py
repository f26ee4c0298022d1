"""What can be asked about the knowledge base itself: what is in it, and what a reload changed."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from bot.errors import KnowledgeUnavailableError
from bot.messages import Reply
from bot.settings import Settings
from bot.settings.tree import KnowledgeSettings
from knowledge import KnowledgeBase, KnowledgeError, KnowledgeOptions, LoadLimits, Problem, ReloadReport, starter

Result = TypeVar("Result")

_PROBLEMS_SHOWN = 10


def knowledge_base(settings: Settings) -> KnowledgeBase:
    """Make the knowledge base that the settings describe; nothing is read yet."""
    sources, options = what_is_read(settings.knowledge)
    return KnowledgeBase(sources, settings.index_directory, options)


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
        return await self._off_the_loop(self._knowledge.open)

    async def reload(self) -> Reply:
        """Read the sources again and say what changed.

        Raises:
            KnowledgeUnavailableError: the old knowledge stays in use.
        """
        report = await self._off_the_loop(self._knowledge.reload)
        return Reply(report_in_words(report), ephemeral=True, data=asdict(report))

    async def describe(self) -> Reply:
        """Say what is in the knowledge base."""
        statistics = await self._off_the_loop(self._knowledge.statistics)
        text = f"I answer from {counted(statistics.passages, 'passage')} of {counted(statistics.files, 'file')}."
        # Where the sources lie on this machine is nobody's business who may only ask.
        names = {"sources": [Path(source).name for source in statistics.sources]}
        return Reply(text, ephemeral=True, data=asdict(statistics) | names)

    async def _off_the_loop(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except KnowledgeError as error:
            raise KnowledgeUnavailableError(error.message, error.fix) from error


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
