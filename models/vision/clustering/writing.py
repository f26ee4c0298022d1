"""Writes what was found: the contact sheet as PNG and as HTML, and the groups as JSON; whole or not at all."""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from models.errors import PictureError
from models.vision.clustering.clusters import Clusters
from models.vision.clustering.contact_page import contact_page
from models.vision.clustering.contact_sheet import draw_contact_sheet

_WRITTEN = ("utf-8", "replace")
"""A file's name may hold bytes that are no UTF-8; they become question marks."""

_Made = Callable[[Clusters, str], bytes]


def _as_json(clusters: Clusters, title: str) -> bytes:
    return (json.dumps({"title": title} | clusters.as_json(), ensure_ascii=False, indent=1) + "\n").encode(*_WRITTEN)


def _as_page(clusters: Clusters, title: str) -> bytes:
    return contact_page(clusters, title).encode(*_WRITTEN)


_MADE: Mapping[str, _Made] = {".png": draw_contact_sheet, ".html": _as_page, ".json": _as_json}
_NAMES = ("contact-sheet.png", "contact-sheet.html", "groups.json")


def files_to_write(output: Path, force: bool) -> tuple[Path, ...]:
    """Give the files that will be written, before anything is looked at.

    Args:
        output: a folder, which gets all three; or a file, whose ending says which one it is.
        force: whether files that are there already may be replaced.

    Raises:
        PictureError: one is there already, or nothing can be written there.
    """
    is_file = output.suffix.lower() in _MADE and not output.is_dir()
    files = (output,) if is_file else tuple(output / name for name in _NAMES)
    for file in files:
        if file.is_dir() or (file.exists() and not force):
            raise PictureError(f"{file} is there already.", "Choose another --output, or give --force to replace it.")
    folder = files[0].parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / f".{files[0].name}.{os.getpid()}"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise _not_written(folder, error) from error
    return files


def write(clusters: Clusters, title: str, files: tuple[Path, ...]) -> None:
    """Write the files; all are complete on the disk before the first takes its place.

    Raises:
        PictureError: they cannot be written; those that were there are as they were.
    """
    drafts = {file: file.with_name(f".{file.name}.{os.getpid()}") for file in files}
    try:
        for file, draft in drafts.items():
            _write_through(draft, _MADE[file.suffix.lower()](clusters, title))
        for file, draft in drafts.items():
            draft.replace(file)
    except OSError as error:
        raise _not_written(files[0].parent, error) from error
    finally:
        for draft in drafts.values():
            with contextlib.suppress(OSError):
                draft.unlink()


def _write_through(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _not_written(folder: Path, error: OSError) -> PictureError:
    return PictureError(f"{folder} cannot be written: {error.strerror}.", "Make room, or let this user write there.")
