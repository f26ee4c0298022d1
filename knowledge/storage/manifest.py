"""The page that says what a saved index holds, what it was built from and how to tell that it is whole."""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from knowledge.errors import DamagedIndexError, OutdatedIndexError
from knowledge.passages import Problem
from knowledge.storage.fingerprints import Fingerprint
from knowledge.storage.index_folder import write_atomically

# Rises with every change to what is written or to how passages are made.
FORMAT = 1
MANIFEST = "manifest.json"
_BLOCK = 1 << 16
_SAMPLES = 16


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a saved index: its name within the folder, its bytes, and two CRC-32 over them.

    `sampled` covers 16 blocks of 64 KiB spread evenly from first to last (so all of a file up to 1 MiB);
    `whole` covers every byte.
    """

    name: str
    size: int
    sampled: int
    whole: int


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A source (a folder or a single file), and how many files lie in it.

    Attributes:
        name: what it is called; empty where an earlier version of Preceptor wrote this.
        own: how many of the manifest's files it gave: those of no source before it.
    """

    path: str
    files: int
    name: str = ""
    own: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a saved index holds.

    Attributes:
        version: 12 hexadecimal digits, see `version_of`.
        recipe: format and options it was built with; JSON values only.
        sources: what was configured.
        files: the files that were read.
        passages: how many it holds.
        duplicates: how many were left out because another says the same.
        terms: how many different ones are indexed.
        postings: pairs of term and passage.
        problems: those met while loading.
        built_at: ISO 8601, UTC.
        parts: the files of the index itself.
    """

    version: str
    recipe: Mapping[str, Any]
    sources: tuple[SourceFolder, ...]
    files: tuple[Fingerprint, ...]
    passages: int
    duplicates: int
    terms: int
    postings: int
    problems: tuple[Problem, ...]
    built_at: str
    parts: tuple[Part, ...] = ()

    def save(self, folder: Path) -> None:
        """Write it into `folder` as one atomic step; raises OSError."""
        page = asdict(self)
        text = json.dumps({"format": FORMAT, "checksum": _checksum(page), **page}, indent=1)
        write_atomically(folder / MANIFEST, text)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read it from `folder`; raises DamagedIndexError when it is not what was written."""
        try:
            page = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if page.pop("format") != FORMAT:
                raise OutdatedIndexError
            if page.pop("checksum") != _checksum(page):
                raise DamagedIndexError(f"{MANIFEST} was altered")
            return _from_page(page)
        except OSError as error:
            raise DamagedIndexError(f"{MANIFEST} cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedIndexError(f"{MANIFEST} is not what was written") from error

    def with_parts_of(self, folder: Path) -> "Manifest":
        """The same, with every other file in `folder` measured."""
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return replace(self, parts=tuple(_measure(folder, name) for name in names if name != MANIFEST))

    def verify(self, folder: Path, *, thorough: bool) -> None:
        """Raise DamagedIndexError unless every part is there in its size and with its checksum.

        `thorough` reads every byte; otherwise at most 1 MiB of each part is read, which keeps opening a matter of
        milliseconds whatever the size.
        """
        for part in self.parts:
            _verify(folder, part, thorough)


def version_of(recipe: Mapping[str, Any], files: Iterable[Fingerprint]) -> str:
    """12 hexadecimal digits that name what an index is built from: format, options, file names and contents."""
    text = json.dumps([FORMAT, recipe, [[file.name, file.sha256] for file in files]], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:12]


def _from_page(page: dict[str, Any]) -> Manifest:
    return Manifest(
        **page
        | {
            "sources": tuple(SourceFolder(**source) for source in page["sources"]),
            "files": tuple(Fingerprint(**file) for file in page["files"]),
            "problems": tuple(Problem(**problem) for problem in page["problems"]),
            "parts": tuple(Part(**part) for part in page["parts"]),
        }
    )


def _checksum(page: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(page, sort_keys=True).encode())


def _measure(folder: Path, name: str) -> Part:
    path = folder / name
    return Part(name, path.stat().st_size, _sampled_crc(path), _whole_crc(path))


def _verify(folder: Path, part: Part, thorough: bool) -> None:
    path = folder / part.name
    try:
        if path.stat().st_size != part.size:
            raise DamagedIndexError(f"{part.name} has {path.stat().st_size} bytes instead of {part.size}")
        intact = _whole_crc(path) == part.whole if thorough else _sampled_crc(path) == part.sampled
    except OSError as error:
        raise DamagedIndexError(f"{part.name} cannot be read ({error.strerror})") from error
    if not intact:
        raise DamagedIndexError(f"{part.name} was altered")


def _sampled_crc(path: Path) -> int:
    size = path.stat().st_size
    if size <= _SAMPLES * _BLOCK:
        return _whole_crc(path)
    checksum = 0
    with path.open("rb", buffering=0) as file:
        for sample in range(_SAMPLES):
            file.seek(sample * (size - _BLOCK) // (_SAMPLES - 1))
            checksum = zlib.crc32(file.read(_BLOCK), checksum)
    return checksum


def _whole_crc(path: Path) -> int:
    checksum = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            checksum = zlib.crc32(block, checksum)
    return checksum
