"""The folder that saved indexes live in: one writer at a time, whole versions only, the newest two kept."""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from knowledge.errors import IndexBusyError, IndexUnwritableError

_CURRENT = "current"
_LOCK = "lock"
_BUILDING = "building-"
_VERSION_DIGITS = 12
_POLL_S = 0.05

Mark = tuple[int, int]
"""Differs when a file was replaced."""


class IndexFolder:
    """`path` holds a folder for each version, ``current`` (the name of the one in use) and ``lock``.

    Versions are built in a folder beside them and renamed, so that one is there whole or not at all. A process that
    reads a version which another removes keeps its maps of the files until it lets go of them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def current(self) -> str | None:
        """The version in use, or None when none was ever saved here or the note of it is unreadable."""
        try:
            version = (self.path / _CURRENT).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return version if _is_version(version) else None

    def mark(self) -> Mark:
        """What another version in use changes, found with one look at the disk."""
        return mark_of(self.path / _CURRENT)

    def version(self, version: str) -> Path:
        """Where `version` is, or would be."""
        return self.path / version

    @contextmanager
    def locked(self, patience_s: float) -> Iterator[None]:
        """Hold the folder's lock: only one process, and one thread of it, builds at a time.

        Raises:
            IndexBusyError: somebody else held it for `patience_s` seconds.
            IndexUnwritableError: the folder or its lock file cannot be made.
        """
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with self._writing():
                if not has_locked(descriptor, patience_s):
                    raise IndexBusyError(
                        f"Another process has been building the index in {self.path} for over {patience_s:g} seconds.",
                        "Wait until it has finished, or give this one another folder.",
                    )
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def building(self) -> Iterator[Path]:
        """Lend an empty folder to build a version in; what is still in it at the end goes.

        Only under `locked`: whatever a crash left behind is cleaned up first. Raises IndexUnwritableError when the
        disk does not take what is written.
        """
        self._remove_leftovers()
        with self._writing():
            folder = self.path / f"{_BUILDING}{os.getpid()}-{secrets.token_hex(4)}"
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def publish(self, built: Path, version: str) -> Path:
        """Give the folder `built` its place as `version`; a damaged one in that place makes room."""
        target = self.version(version)
        with self._writing():
            sync_tree(built)
            if target.exists():
                target.rename(built.with_name(f"{built.name}-replaced"))
            built.rename(target)
            sync(self.path)
        self._remove_leftovers()
        return target

    def use(self, version: str) -> None:
        """Make `version` the current one and remove all but it and the one before it."""
        before = self.current()
        if version == before:
            return
        with self._writing():
            write_atomically(self.path / _CURRENT, f"{version}\n")
        for folder in self.path.iterdir():
            if _is_version(folder.name) and folder.name not in {version, before}:
                shutil.rmtree(folder, ignore_errors=True)

    def _remove_leftovers(self) -> None:
        for folder in self.path.glob(f"{_BUILDING}*"):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise IndexUnwritableError(self.path, error) from error


def mark_of(path: Path) -> Mark:
    """Time and number of a file that is only ever replaced; zeros where there is none."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` such that a reader, or a crash, sees the old content or the new; raises OSError."""
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def has_locked(descriptor: int, patience_s: float) -> bool:
    """Take the lock of an open file (flock) within some seconds, if it can be had; closing the file gives it back."""
    deadline = time.monotonic() + patience_s
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_version(name: str) -> bool:
    return len(name) == _VERSION_DIGITS and all(digit in "0123456789abcdef" for digit in name)


def sync_tree(folder: Path) -> None:
    """Have a folder with all that is in it written to the disk; raises OSError."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
