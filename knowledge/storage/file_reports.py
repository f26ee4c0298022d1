"""What is told of a file that was read: from its fingerprint, its source and the rows it gave."""

from collections.abc import Sequence
from datetime import UTC, datetime

from knowledge.passages import Problem
from knowledge.reports import FileReport
from knowledge.storage.fingerprints import Fingerprint
from knowledge.storage.manifest import SourceFolder


def file_report(
    file: Fingerprint, source: SourceFolder, is_managed: bool, passages: int, problems: Sequence[Problem]
) -> FileReport:
    """Describe a file; one of the library is called what it is called there."""
    name = file.name.removeprefix(f"{source.name}/") if is_managed else file.name
    at = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC).isoformat(timespec="seconds") if file.mtime_ns else ""
    return FileReport(name, source.name, is_managed, passages, file.size, at, tuple(problems))
