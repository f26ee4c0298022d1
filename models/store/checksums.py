"""Holds a model's files against the checksums that were recorded when they arrived."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from models.store.hub_cache import recorded_checksums

Advanced = Callable[[int], None]
"""Told how many more bytes are done; fewer than none where bytes have to be fetched once more."""

_CHUNK = 1 << 20
_SHA256_DIGITS = 64
_CHECKSUM = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of holding files against their records.

    Attributes:
        verified: how many files are as they were recorded.
        damaged: those that are not, by their path in the model's folder; a missing one is damaged.
        unrecorded: those without a record.
    """

    verified: int
    damaged: tuple[str, ...]
    unrecorded: tuple[str, ...]


def checksum(file: Path, digits: int, advanced: Advanced = lambda _: None) -> str:
    """Compute a file's SHA-256 (64 digits) or git's SHA-1 of it (40 digits; "blob", size and a NUL come first).

    Raises:
        OSError: it cannot be read.
    """
    if digits == _SHA256_DIGITS:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            advanced(len(chunk))
    return digest.hexdigest()


def verified(
    folder: Path, files: Iterable[str], recorded: dict[str, str], advanced: Advanced = lambda _: None
) -> Verification:
    """Hold files of a folder against recorded checksums.

    Args:
        folder: the model's folder.
        files: paths in it, as ``tokenizer.json``.
        recorded: checksums by path.
        advanced: told of bytes that are read.

    Raises:
        OSError: a file is there and cannot be read.
    """
    right, damaged, unrecorded = 0, [], []
    for path in files:
        expected = recorded.get(path, "")
        if not (folder / path).is_file():
            damaged.append(path)
        elif not _CHECKSUM.fullmatch(expected):
            unrecorded.append(path)
        elif checksum(folder / path, len(expected), advanced) == expected:
            right += 1
        else:
            damaged.append(path)
    return Verification(right, tuple(damaged), tuple(unrecorded))


def files_of(folder: Path) -> dict[str, int]:
    """Give the files in a model's folder, links that lead nowhere among them, and their sizes in bytes."""
    found = [file for file in sorted(folder.rglob("*")) if file.is_file() or file.is_symlink()]
    return {
        file.relative_to(folder).as_posix(): file.stat().st_size if file.is_file() else 0
        for file in found
        if ".cache" not in file.relative_to(folder).parts
    }


def verify_folder(folder: Path, advanced: Advanced = lambda _: None) -> Verification:
    """Hold all files of a model's folder against what was recorded; raises what `verified` does."""
    return verified(folder, files_of(folder), recorded_checksums(folder), advanced)
