"""Finds the files of a folder, in the order in which a person counts them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from models.errors import PictureError

_DIGITS = re.compile(r"(\d+)")


def files_in(folder: Path, but: Path | None = None) -> list[Path]:
    """Give the files of a folder and of all folders in it, in natural order (``a2`` before ``a10``).

    Hidden files and folders are left out; links are followed, and a folder is entered once, however many lead to it.

    Args:
        folder: where they lie.
        but: a file, or a folder with all that is in it, to be left out.

    Raises:
        PictureError: there is no such folder, or it cannot be read.
    """
    if not folder.is_dir():
        raise PictureError(f"{folder} is no folder.", "Name a folder of pictures.")
    left_out = but.resolve() if but else None
    found = [file for file in _files(folder, left_out) if file.resolve() != left_out]
    return sorted(found, key=lambda file: natural_order(file.relative_to(folder).as_posix()))


def natural_order(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Give what names are sorted by: numbers in them by their value, letters whatever their case."""
    pieces = _DIGITS.split(name)
    return tuple((0, int(one), "") if one.isdecimal() else (1, 0, one.casefold()) for one in pieces), name


def _files(folder: Path, left_out: Path | None) -> Iterator[Path]:
    entered: set[tuple[int, int]] = set()
    for at, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        where = Path(at)
        status = where.stat()
        if where.resolve() == left_out or (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (where / name for name in names if not name.startswith(".") and _may_be_read(where / name))


def _may_be_read(file: Path) -> bool:
    """Whether it is a file, or a link to nowhere, which is to be told; a pipe or a socket would be waited for."""
    return file.is_file() or not file.exists()


def _refuse(error: OSError) -> None:
    raise PictureError(
        f"{error.filename} cannot be read: {error.strerror}.", "Let this user read the folder and those in it."
    ) from error
