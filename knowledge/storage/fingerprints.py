"""What the source files were when they were read, and whether they still are that."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from knowledge.loaders.reading import FileRefusedError, open_regular

_BLOCK = 1 << 20
# Some file systems keep times to two seconds only: a file changed a moment ago may change again and look the same.
_UNSETTLED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One source file as it was.

    Attributes:
        name: as people see it, relative to its source.
        size: bytes.
        mtime_ns: when it was last changed; 0 when that was too shortly before to be relied on.
        sha256: of its content in hexadecimal digits; for a file that cannot or need not be read, why not.
    """

    name: str
    size: int
    mtime_ns: int
    sha256: str


def fingerprints(
    files: Iterable[tuple[str, Path]], known: Mapping[str, Fingerprint], largest: int
) -> tuple[Fingerprint, ...]:
    """The files' fingerprints, in the order given.

    A file whose size and time are those in `known` (by name) is taken to hold what it held; others are read.

    Args:
        files: name and path of each.
        known: earlier fingerprints by name.
        largest: bytes; a larger file is not read, since no loader would read it either.
    """
    return tuple(_fingerprint(name, path, known.get(name), largest) for name, path in files)


def _fingerprint(name: str, path: Path, known: Fingerprint | None, largest: int) -> Fingerprint:
    try:
        status = path.stat()
    except OSError as error:
        return Fingerprint(name, 0, 0, f"unreadable: {error.strerror}")
    if known and known.mtime_ns and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
        return known
    settled = time.time_ns() - status.st_mtime_ns > _UNSETTLED_NS
    mtime_ns = status.st_mtime_ns if settled else 0
    if status.st_size > largest:
        return Fingerprint(name, status.st_size, mtime_ns, f"too large: {status.st_size}")
    return Fingerprint(name, status.st_size, mtime_ns, _content_hash(path))


def _content_hash(path: Path) -> str:
    digest = sha256()
    try:
        with open_regular(path) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except FileRefusedError:
        return "unreadable: not a file"
    except OSError as error:
        return f"unreadable: {error.strerror}"
    return digest.hexdigest()
