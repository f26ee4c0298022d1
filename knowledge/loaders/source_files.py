"""Finding the files of the sources: folders are walked, nothing outside them or unfit to open is touched."""

import errno
import os
import stat
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from knowledge.loaders.escaping import shown
from knowledge.loaders.suffixes import SUFFIXES, suffix_of
from knowledge.passages import Problem

_SUPPORTED = ", ".join(sorted(SUFFIXES))
_NAME_SHOWN = 1000
_SPECIAL = {
    stat.S_IFIFO: "a pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to load.

    Attributes:
        path: where it is: absolute, symbolic links resolved.
        name: how it is shown to people: relative to its source, with forward slashes, what is unprintable
            escaped; the source's own name comes first where there are several sources.
    """

    path: Path
    name: str


LIBRARY = "library"
"""What the library's source is called, and how the names of its files begin."""


@dataclass(frozen=True, slots=True)
class Found:
    """What sources hold.

    Attributes:
        files: in the order of the sources.
        problems: what could not be followed or used.
        counts: what each source is called, and how many of the files are its own, in the same order.
    """

    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]
    counts: tuple[tuple[str, int], ...]


def find_files(sources: Sequence[Path]) -> tuple[list[SourceFile], list[Problem]]:
    """Find every file that can be loaded, each once, in the sources' order and sorted by name within.

    In a folder, hidden files and files with other suffixes are passed over. Symbolic links are followed
    as far as they stay inside their source. A file named directly is taken whatever it links to.

    Args:
        sources: files and folders.

    Returns:
        The files, and what could not be followed or used.
    """
    found = look_through(sources)
    return list(found.files), list(found.problems)


def look_through(sources: Sequence[Path], library: Path | None = None) -> Found:
    """Find the same, source by source.

    Args:
        sources: files and folders.
        library: a folder read besides, under a name of its own, so that the others' files keep theirs.
    """
    walk = _Walk()
    names = labels(sources)
    for source, name in zip(sources, names, strict=True):
        walk.visit(source, name if len(sources) > 1 else "")
    if library is not None:
        names.append(_free(LIBRARY, {*names, *(file.name.partition("/")[0] for file in walk.files)}))
        walk.visit(library, names[-1])
    return Found(tuple(walk.files), tuple(walk.problems), tuple(zip(names, walk.counts, strict=True)))


def _free(name: str, taken: Collection[str]) -> str:
    """Give a name that is not taken: the one wanted, or that with a number."""
    others = (f"{name} ({number})" for number in count(2))
    return next(one for one in chain([name], others) if one not in taken)


def labels(sources: Sequence[Path]) -> list[str]:
    """Name each source by as many of its last path parts as tell it from the others."""
    paths = list(dict.fromkeys(source.absolute() for source in sources))
    depth = 1
    while len({_tail(path, depth) for path in paths}) < len(paths):
        depth += 1
    return [_tail(source.absolute(), depth) for source in sources]


def _tail(path: Path, depth: int) -> str:
    return "/".join(path.parts[-depth:])


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


class _Walk:
    """One pass over all sources, which remembers what it has seen."""

    def __init__(self) -> None:
        self.files: list[SourceFile] = []
        self.counts: list[int] = []
        self.problems: list[Problem] = []
        self._seen: set[tuple[int, int]] = set()

    def visit(self, source: Path, label: str) -> None:
        """Add the files of one source, and count them."""
        first = len(self.files)
        self._visit(source, label, first)
        self.counts.append(len(self.files) - first)

    def _visit(self, source: Path, label: str, first: int) -> None:
        try:
            path = source.resolve(strict=True)
            mode = path.stat().st_mode
        except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
            self._problem(str(source), f"The source cannot be opened: {_reason(error)}.", _fix(error))
            return
        if stat.S_ISDIR(mode):
            self._folder(path, label)
            if len(self.files) == first:
                self._nothing_new(source)
        else:
            self._named_file(path, label or source.name, mode)
        self.files[first:] = sorted(self.files[first:], key=lambda file: file.name)

    def _nothing_new(self, source: Path) -> None:
        message = "The folder holds no file that can be loaded, or only files already found."
        self._problem(str(source), message, f"Put files ending in {_SUPPORTED} into it.")

    def _named_file(self, path: Path, name: str, mode: int) -> None:
        if stat.S_ISREG(mode) and suffix_of(name) not in SUFFIXES:
            self._problem(name, "Files of this kind cannot be loaded.", f"Use one of {_SUPPORTED}.")
        else:
            self._entry(path, name, mode)

    def _folder(self, root: Path, label: str) -> None:
        found = deque([(root, label)])
        links: deque[tuple[Path, str]] = deque()
        # Links come last, so that a file with two ways to it is named by its real place.
        while found or links:
            path, name = found.popleft() if found else links.popleft()
            try:
                target = _followed(path, root)
                children = [(child, child.is_symlink()) for child in self._entry(target, name, target.lstat().st_mode)]
            except _LeadsOutError:
                self._problem(name, "The link leads out of its source folder.", "Put the file itself there.")
            except (OSError, RuntimeError) as error:
                self._problem(name, f"It cannot be opened: {_reason(error)}.", _fix(error))
            else:
                for child, is_link in children:
                    (links if is_link else found).append((child, _joined(name, child.name)))

    def _entry(self, path: Path, name: str, mode: int) -> list[Path]:
        """Add the file at `path`, or return what is in it where it is a folder."""
        if stat.S_ISDIR(mode):
            return _visible(path) if self._is_new(path) else []
        if not stat.S_ISREG(mode):
            what = _SPECIAL.get(stat.S_IFMT(mode), "not a regular file")
            self._problem(name, f"This is {what}; it was not opened.", "Move it out of the source folder.")
        elif suffix_of(name) in SUFFIXES and self._is_new(path):
            self.files.append(SourceFile(path, shown(name, _NAME_SHOWN)))
        return []

    def _is_new(self, path: Path) -> bool:
        status = path.lstat()
        key = (status.st_dev, status.st_ino)
        new = key not in self._seen
        self._seen.add(key)
        return new

    def _problem(self, name: str, message: str, fix: str) -> None:
        self.problems.append(Problem(shown(name, _NAME_SHOWN), message, fix))


class _LeadsOutError(Exception):
    """A symbolic link's target is outside the source folder."""


def _followed(path: Path, root: Path) -> Path:
    """Return `path`, or what it links to where that is inside `root`."""
    if not path.is_symlink():
        return path
    target = path.resolve(strict=True)
    if not target.is_relative_to(root):
        raise _LeadsOutError
    return target


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _reason(error: OSError | RuntimeError) -> str:
    if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
        return "its links go round in a circle"
    return os.strerror(error.errno).lower() if error.errno else "the system gives no reason"


def _fix(error: OSError | RuntimeError) -> str:
    if isinstance(error, PermissionError):
        return "Let the account that runs Preceptor read it."
    return "Check that it is there and can be read, or remove it."
