"""What can go wrong with a knowledge base: each error carries the sentence its reader sees, and the fix.

KnowledgeError
├── OptionsError            the options cannot be kept together
├── NotOpenError            it was asked before it was opened, or after it was closed
├── SourceMissingError      a configured source is not there, or holds nothing any more
├── NothingToLoadError      the sources hold not one usable passage; carries the problems found
├── IndexUnwritableError    the index could not be written: disk full, read-only folder …
├── IndexBusyError          another process has been building for too long
├── DamagedIndexError       a saved index does not hold what was written into it
│   └── OutdatedIndexError  it was saved by a version of Preceptor that wrote it differently
├── LibraryError            the library stays as it is
│   ├── LibraryRefusedError what was handed in cannot be taken
│   ├── LibraryMissingError it has no such file, answer or version
│   └── LibraryBusyError    another process has been changing it for too long, or it cannot be written
├── CalibrationError        the questions given cannot calibrate anything, or the file is unusable
├── EvaluationDataError     a test collection does not read; names file and line
└── MissingExtraError       a library of an optional extra is not installed
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from knowledge.passages import Problem

_NOT_PERMITTED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class KnowledgeError(Exception):
    """Root of everything this package raises on purpose.

    Attributes:
        message: what is wrong, one sentence for the person who reads it.
        fix: what to do about it, one sentence.
    """

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message, fix)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}"


class OptionsError(KnowledgeError):
    """The options cannot be kept together; the message says which."""


class NotOpenError(KnowledgeError):
    """It was asked before `KnowledgeBase.open` or after `KnowledgeBase.close`."""

    def __init__(self) -> None:
        super().__init__("The knowledge base is not open.", "Open it before asking it anything.")


class SourceMissingError(KnowledgeError):
    """A configured source is not there; `source` is its path."""

    def __init__(self, source: Path, message: str, fix: str) -> None:
        super().__init__(message, fix)
        self.source = source


class NothingToLoadError(KnowledgeError):
    """The sources hold not one usable passage; `problems` says why, file by file."""

    def __init__(self, message: str, fix: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, fix)
        self.problems = tuple(problems)


class IndexUnwritableError(KnowledgeError):
    """The index could not be written; `folder` is where, `code` the errno (None where the library gave none)."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(f"The index cannot be saved in {folder}: {meaning(error)}.", _remedy(error))
        self.folder = folder
        self.code = error.errno

    @property
    def not_permitted(self) -> bool:
        """Whether the folder may be read but not written, as opposed to being full, missing or broken."""
        return self.code in _NOT_PERMITTED


class IndexBusyError(KnowledgeError):
    """Another process has held the index folder's lock for longer than we wait."""


class DamagedIndexError(KnowledgeError):
    """A saved index does not hold what was written into it; `reason` names the file at fault."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The saved index is damaged: {reason}.", "Reload the knowledge base to rebuild it.")
        self.reason = reason


class OutdatedIndexError(DamagedIndexError):
    """A saved index was written by a version of Preceptor that laid it out differently."""

    def __init__(self) -> None:
        super().__init__("it was written by another version of Preceptor")


class LibraryError(KnowledgeError):
    """The library stays as it is; the subclass says whose doing that is."""


class LibraryRefusedError(LibraryError):
    """What was handed in cannot be taken: its name, its content, or what would be left without it."""


class LibraryMissingError(LibraryError):
    """The library has no such file, answer or version."""


class LibraryBusyError(LibraryError):
    """Another process has been changing the library for too long, or its folder cannot be written."""


class CalibrationError(KnowledgeError):
    """The questions given cannot calibrate anything, or a saved calibration is unusable."""


class EvaluationDataError(KnowledgeError):
    """A test collection does not read; the message names file and line."""


class MissingExtraError(KnowledgeError):
    """A library that belongs to an optional extra is not installed."""


def meaning(error: OSError) -> str:
    """The plain meaning of an errno; numpy reports a short write, which is a full disk, without one."""
    if error.errno is None or error.errno in _NO_SPACE:
        return "there is no space left on the disk"
    if error.errno == errno.EROFS:
        return "the file system is read-only"
    if error.errno in _NOT_PERMITTED:
        return "this account may not write there"
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return "part of the path is a file, not a folder"
    return os.strerror(error.errno).lower()


def _remedy(error: OSError) -> str:
    if error.errno is None or error.errno in _NO_SPACE:
        return "Free some space, then reload."
    if error.errno in _NOT_PERMITTED:
        return "Give the account write permission, or choose another folder for the index."
    return "Choose another folder for the index."
