"""The versions of the library on disk: each a whole folder; the highest number is the one that is read."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from knowledge.errors import LibraryBusyError, meaning
from knowledge.storage.index_folder import has_locked, sync, sync_tree, write_atomically

KEPT = 20
"""How many versions are kept, the one in use among them."""

_VERSIONS, _FILES, _MANIFEST, _LOCK = "versions", "files", "manifest.json", "lock"
_ASIDE = "aside-"


@dataclass(frozen=True, slots=True)
class Version:
    """What the library held from some moment on.

    Attributes:
        id: counts up from 1.
        at: when it was made (ISO 8601, UTC); empty where its page cannot be read, as `action` says then.
        by: the person who made it, as ``http:key-…``; empty where they were forgotten.
        action: what was done, in words, with names of files and ids of answers.
        files: the names of the files in it, sorted.
    """

    id: int
    at: str
    by: str
    action: str
    files: tuple[str, ...] = ()


class Versions:
    """`folder` holds ``versions/<number>/`` with ``files`` and ``manifest.json`` each, and ``lock``.

    A version is made in a folder beside the others and renamed to its number, which is the one step that puts it in
    use: after a crash the old one is there, or the new one whole. Files that did not change are hard links.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._versions = folder / _VERSIONS

    def numbers(self) -> list[int]:
        """Give the numbers of those that are kept, ascending; raises LibraryBusyError."""
        try:
            names = [path.name for path in self._versions.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self._unusable(error) from error
        return sorted(int(name) for name in names if name.isascii() and name.isdecimal() and not name.startswith("0"))

    def current(self) -> int:
        """Give the number of the one in use; 0 where nothing was ever handed in. Raises LibraryBusyError."""
        return max(self.numbers(), default=0)

    def files_folder(self, number: int) -> Path:
        """Say where the files of a version lie, or would."""
        return self._versions / str(number) / _FILES

    def files(self, number: int) -> dict[str, Path]:
        """Give the files of a version by name; none of version 0. Raises LibraryBusyError."""
        if number == 0:
            return {}
        try:
            return {path.name: path for path in sorted(self.files_folder(number).iterdir())}
        except OSError as error:
            raise self._unusable(error) from error

    def manifest(self, number: int) -> Version:
        """Read what a version says of itself; of one whose page is unreadable the number alone is known."""
        try:
            page = json.loads((self._versions / str(number) / _MANIFEST).read_text(encoding="utf-8"))
            at, by, action = (str(page[name]) for name in ("at", "by", "action"))
            return Version(number, at, by, action, tuple(map(str, page["files"])))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return Version(number, "", "", f"its {_MANIFEST} cannot be read")

    def forget(self, person: str) -> None:
        """Take a person's id out of all versions; only under `locked`. Raises LibraryBusyError."""
        with self._writing():
            for version in map(self.manifest, self.numbers()):
                if version.by == person:
                    self._write_manifest(self._versions / str(version.id), replace(version, by=""))

    @contextmanager
    def locked(self, patience_s: float) -> Iterator[None]:
        """Hold the lock: one process, and one thread of it, changes the library at a time; a crash gives it back.

        Raises:
            LibraryBusyError: somebody else held it for `patience_s` seconds, or the folder cannot be made.
        """
        with self._writing():
            self._versions.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with self._writing():
                if not has_locked(descriptor, patience_s):
                    raise LibraryBusyError("Somebody else is changing the library.", "Try again in a minute.")
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """Lend an empty folder on the same disk; what is in it at the end goes. Only under `locked`.

        What a crash left behind goes first. Raises LibraryBusyError when the disk does not take what is written.
        """
        self._sweep()
        with self._writing():
            folder = self._versions / f"{_ASIDE}{secrets.token_hex(4)}"
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def publish(self, version: Version, files: Mapping[str, Path], aside: Path) -> None:
        """Put a version in use that holds copies of `files`; `aside` is where it is made. Raises LibraryBusyError."""
        with self._writing():
            built = aside / "built"
            (built / _FILES).mkdir(parents=True)
            for name, path in files.items():
                # A file from elsewhere may be written to where it is: only our own are shared.
                (_linked if path.is_relative_to(self._versions) else shutil.copy2)(path, built / _FILES / name)
            self._write_manifest(built, version)
            sync_tree(built)
            built.rename(self._versions / str(version.id))
            sync(self._versions)

    def withdraw(self, number: int) -> None:
        """Take the newest version out of use again, in one step; the one before it is back. Raises LibraryBusyError."""
        with self._writing():
            self._put_aside(number)
            sync(self._versions)
        self._sweep()

    def prune(self) -> None:
        """Remove all but the newest; one that cannot be removed now is at the next change."""
        for number in self.numbers()[:-KEPT]:
            with suppress(OSError):
                self._put_aside(number)
        self._sweep()

    def _write_manifest(self, folder: Path, version: Version) -> None:
        write_atomically(folder / _MANIFEST, json.dumps(asdict(version), ensure_ascii=False, indent=1) + "\n")

    def _put_aside(self, number: int) -> None:
        # Renamed first: half a version is never under its number.
        (self._versions / str(number)).rename(self._versions / f"{_ASIDE}{secrets.token_hex(4)}")

    def _sweep(self) -> None:
        for folder in self._versions.glob(f"{_ASIDE}*"):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> LibraryBusyError:
        message = f"The library in {self._folder} cannot be changed: {meaning(error)}."
        return LibraryBusyError(message, "Mend that on the machine, then try again.")


def _linked(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
