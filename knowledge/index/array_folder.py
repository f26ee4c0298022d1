"""A folder of named arrays and a manifest, written once and mapped into memory when opened."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import DamagedIndexError

MANIFEST = "manifest.json"
_SAMPLE = 256 * 1024


def save_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> None:
    """Write each array as ``<name>.npy`` and, last, the manifest with their checksums and the notes.

    Args:
        folder: exists and is empty.
        notes: what JSON can hold.

    Raises:
        OSError: a file could not be written; then there is no manifest.
    """
    files = {}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        np.save(path, array, allow_pickle=False)
        files[name] = _seal(path)
    text = json.dumps({"notes": dict(notes), "files": files}, indent=1)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def open_arrays(folder: Path, names: tuple[str, ...]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays, memory-mapped and read-only, and the notes.

    Of each file the size and the first and last 256 KiB are checked, so that opening takes milliseconds whatever
    the size.

    Raises:
        DamagedIndexError: a file is missing, cut short, changed or unreadable.
    """
    files, notes = _read_manifest(folder / MANIFEST)
    return {name: _open(folder / f"{name}.npy", files.get(name)) for name in names}, notes


def damaged(path: Path, flaw: str) -> DamagedIndexError:
    """Return the error that names the file at `path` within its folder."""
    return DamagedIndexError(f"{path.parent.name}/{path.name} {flaw}")


def _read_manifest(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        files, notes = manifest["files"], manifest["notes"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(path, "cannot be read") from error
    if not isinstance(files, dict) or not isinstance(notes, dict):
        raise damaged(path, "is not one of ours")
    return files, notes


def _open(path: Path, sealed: object) -> NDArray[Any]:
    try:
        if _seal(path) != sealed:
            raise damaged(path, "is not the file that was saved")
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise damaged(path, "cannot be read") from error
    # A plain array over the same mapping: np.memmap's own slicing costs microseconds a time.
    return np.asarray(mapped)


def _seal(path: Path) -> list[int]:
    """Return the size of a file and the CRC-32 of its beginning and end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        checksum = zlib.crc32(file.read(_SAMPLE))
        if size > _SAMPLE:
            file.seek(max(_SAMPLE, size - _SAMPLE))
            checksum = zlib.crc32(file.read(_SAMPLE), checksum)
    return [size, checksum]
