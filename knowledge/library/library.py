"""The library: what it holds, and every change of it as a version that can be taken back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from knowledge.errors import LibraryBusyError, LibraryMissingError, LibraryRefusedError, meaning
from knowledge.library.answers import TAUGHT, TaughtAnswer, read_answers, taught, write_answers
from knowledge.library.names import checked_name, spelling_key
from knowledge.library.preview import refusal
from knowledge.library.versions import Version, Versions
from knowledge.loaders import LoadLimits, SourceFile, load_file
from knowledge.passages import Problem

_PATIENCE_S = 30.0
_NAMED = 5

_LOST = "The library's file is gone from the disk."
_LOST_FIX = "Hand it in again, or go back to an earlier version with `preceptor knowledge undo`."

_Make = Callable[[Mapping[str, Path], Path], Mapping[str, Path]]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the library.

    Attributes:
        action: what it does, in words.
        make: gives the files that there are afterwards, by name, from those before; a folder that is empty, and gone
            afterwards, is lent for new ones.
        new: the names of files that must load.
    """

    action: str
    make: _Make
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """A file of the library: its name, where it lies, its size in bytes and when it was changed (ISO 8601, UTC)."""

    name: str
    path: Path
    bytes: int
    changed_at: str


class Library:
    """Files and taught answers in `folder`, which need not be there; every method may be called from any thread.

    Args:
        folder: where its versions lie.
        limits: the bounds within which its files are read.
    """

    def __init__(self, folder: Path, limits: LoadLimits | None = None) -> None:
        self.path = folder.absolute()
        self._versions = Versions(self.path)
        self._limits = limits or LoadLimits()

    def folder(self) -> Path | None:
        """Say where the files in use lie; None where there are none. Raises LibraryBusyError."""
        current = self._versions.current()
        return self._versions.files_folder(current) if self._versions.files(current) else None

    def version(self) -> int:
        """Give the number of the version in use, 0 where nothing was ever handed in; raises LibraryBusyError."""
        return self._versions.current()

    def files(self) -> list[LibraryFile]:
        """Give the files in use, by name; raises LibraryBusyError."""
        return [_described(path) for path in self._versions.files(self._versions.current()).values()]

    def problems(self) -> list[Problem]:
        """Name the files that the version in use should hold and does not; raises LibraryBusyError."""
        current = self._versions.current()
        there = self._versions.files(current)
        lost = [name for name in (self._versions.manifest(current).files if current else ()) if name not in there]
        return [Problem(f"library/{name}", _LOST, _LOST_FIX) for name in lost]

    def versions(self) -> list[Version]:
        """Give what was done, newest first; raises LibraryBusyError."""
        return [self._versions.manifest(number) for number in reversed(self._versions.numbers())]

    def answers(self) -> list[TaughtAnswer]:
        """Give the answers that were taught, oldest first; raises LibraryBusyError."""
        path = self._versions.files(self._versions.current()).get(TAUGHT)
        return _answers_in(path)

    def adding(self, files: Sequence[tuple[str, Path]]) -> Edit:
        """Make an edit that adds files, or replaces those of the same name.

        Args:
            files: the name of each as it was handed in, and where it lies now.

        Raises:
            LibraryRefusedError: a name cannot be used, or comes twice.
        """
        new: dict[str, Path] = {}
        for handed_in, path in files:
            name = checked_name(handed_in)
            _refuse_likeness(name, new, "Two files")
            if name in new:
                raise LibraryRefusedError(f"Two files are called {name}.", "Give them names of their own.")
            new[name] = path
        if not new:
            raise LibraryRefusedError("No file came.", "Send one at least.")
        return Edit(f"added {_listed(sorted(new))}", lambda before, _: _with(before, new), tuple(new))

    def deleting(self, name: str) -> Edit:
        """Make an edit that deletes a file; the taught answers too, by their file's name."""

        def _without(before: Mapping[str, Path], _: Path) -> Mapping[str, Path]:
            if name not in before:
                raise LibraryMissingError("There is no such file in the library.", "Look at the list of files.")
            return {kept: path for kept, path in before.items() if kept != name}

        return Edit(f"deleted {name}", _without)

    def teaching(self, question: str, answer: str, title: str = "") -> Edit:
        """Make an edit that teaches the answer to a question, in place of an earlier answer to the same.

        Raises:
            LibraryRefusedError: question or answer is empty or too long.
        """
        new = taught(question, answer, title)

        def _taught(answers: list[TaughtAnswer]) -> list[TaughtAnswer]:
            return [*(one for one in answers if one.id != new.id), new]

        return Edit(f"taught answer {new.id}", _rewriting(_taught), (TAUGHT,))

    def untaught(self, number: str) -> Edit:
        """Make an edit that deletes a taught answer, by its id."""

        def _without(answers: list[TaughtAnswer]) -> list[TaughtAnswer]:
            kept = [one for one in answers if one.id != number]
            if len(kept) == len(answers):
                raise LibraryMissingError("There is no such taught answer.", "Look at the list of them.")
            return kept

        return Edit(f"deleted answer {number}", _rewriting(_without))

    def going_back(self, to: int | None = None) -> Edit:
        """Make an edit that brings back what a version held, of itself the one before that in use.

        Raises:
            LibraryMissingError: nothing was changed yet, or that version is not kept.
            LibraryRefusedError: it is the one in use.
        """
        current = self._versions.current()
        if not current:
            raise LibraryMissingError("Nothing was changed in the library yet.", "There is nothing to take back.")
        target = current - 1 if to is None else to
        if target == current:
            raise LibraryRefusedError(f"Version {target} is the one in use.", "Choose an earlier one.")
        if target and target not in self._versions.numbers():
            raise LibraryMissingError(f"There is no version {target}.", "Look at the list of versions.")

        def _as_it_was(*_: object) -> Mapping[str, Path]:
            # "The last change" is the one that was seen: not one that another process made meanwhile.
            if to is None and self._versions.current() != current:
                raise LibraryBusyError("Somebody else changed the library just now.", "Look at it, then try again.")
            return self._versions.files(target)

        return Edit(f"went back to version {target}", _as_it_was)

    @contextmanager
    def changed(self, edit: Edit, by: str) -> Iterator[Version]:
        """Make a version by an edit and have it in use; where the body raises, it is taken back.

        Args:
            edit: made by one of the methods above, just before.
            by: the id of the person whose edit it is.

        Raises:
            LibraryRefusedError: a file holds nothing that can be used, or two names differ by case alone.
            LibraryMissingError: there is no such file or answer.
            LibraryBusyError: somebody else is changing the library, or its folder cannot be written.
        """
        with self._versions.locked(_PATIENCE_S):
            before = self._versions.current()
            with self._versions.aside() as aside:
                files = edit.make(self._versions.files(before), aside)
                self._require_loadable(files, edit.new)
                at = datetime.now(UTC).isoformat(timespec="seconds")
                version = Version(before + 1, at, by, edit.action, tuple(sorted(files)))
                self._versions.publish(version, files, aside)
            try:
                yield version
            # Whatever kept the change from coming into use, even the process's end, it must not be there half.
            except BaseException:
                self._versions.withdraw(version.id)
                raise
            self._versions.prune()

    def forget(self, person: str) -> None:
        """Take a person's id out of all versions. Raises LibraryBusyError."""
        if any(version.by == person for version in self.versions()):
            with self._versions.locked(_PATIENCE_S):
                self._versions.forget(person)

    def _require_loadable(self, files: Mapping[str, Path], new: Sequence[str]) -> None:
        for name in new:
            refused = refusal(name, load_file(SourceFile(files[name], name), self._limits))
            if refused:
                raise refused


def _described(path: Path) -> LibraryFile:
    try:
        status = path.stat()
    except OSError as error:
        raise LibraryBusyError(f"{path.name} cannot be looked at: {meaning(error)}.", "Try again.") from error
    at = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
    return LibraryFile(path.name, path, status.st_size, at)


def _answers_in(path: Path | None) -> list[TaughtAnswer]:
    try:
        return read_answers(path) if path else []
    except OSError as error:
        raise LibraryBusyError(f"The taught answers cannot be read: {meaning(error)}.", "Try again.") from error


def _rewriting(change: Callable[[list[TaughtAnswer]], list[TaughtAnswer]]) -> _Make:
    """Give what writes the file of taught answers anew; without any it goes."""

    def _make(before: Mapping[str, Path], folder: Path) -> Mapping[str, Path]:
        answers = change(_answers_in(before.get(TAUGHT)))
        others = {name: path for name, path in before.items() if name != TAUGHT}
        if not answers:
            return others
        write_answers(folder / TAUGHT, answers)
        return others | {TAUGHT: folder / TAUGHT}

    return _make


def _with(before: Mapping[str, Path], new: Mapping[str, Path]) -> Mapping[str, Path]:
    for name in new:
        _refuse_likeness(name, before, "A file there and this one")
    return {**before, **new}


def _refuse_likeness(name: str, others: Mapping[str, Path], which: str) -> None:
    like = next((other for other in others if other != name and spelling_key(other) == spelling_key(name)), None)
    if like is not None:
        raise LibraryRefusedError(
            f"{which} differ by case alone: {like} and {name}.", "Give it the same name, to replace it, or another one."
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
