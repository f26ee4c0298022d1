"""Finds the files of a folder, reads them within a limit, and decodes many of them in bounded memory."""

import os
import re
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from models.errors import PictureError
from models.vision.decoding.contract import Decoded, View
from models.vision.decoding.decoder import Decoder

_DIGITS = re.compile(r"(\d+)")
_THREADS = 2
_AHEAD = 32


def files_in(folder: Path, but: Path | None = None) -> list[Path]:
    """Give the files of a folder and of all folders in it, in natural order (``a2`` before ``a10``).

    Hidden files and folders are left out; links are followed, and a folder is entered once, however many lead to it. A
    folder that cannot be read stands for what is in it; so does what is no file, as a pipe: reading it tells why.

    Args:
        folder: where they lie.
        but: a file, or a folder with all that is in it, to be left out.

    Raises:
        PictureError: there is no such folder.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 - that of a path raises where it may not look
        raise PictureError(f"{folder} is no folder.", "Name a folder of pictures.")
    left_out = but.resolve() if but else None
    found = [file for file in _below(folder, left_out) if left_out is None or file.resolve() != left_out]
    return sorted(found, key=lambda file: natural_order(file.relative_to(folder).as_posix()))


def natural_order(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Give what names are sorted by: numbers in them by their value, letters whatever their case."""
    pieces = _DIGITS.split(name)
    return tuple((0, int(one), "") if one.isdecimal() else (1, 0, one.casefold()) for one in pieces), name


def content_of(file: Path, megabytes: int) -> bytes:
    """Read a file of `megabytes` MiB at the most; of a larger one no more than that is read.

    Raises:
        PictureError: it cannot be read, is larger, or is no file.
    """
    try:
        # Nobody may ever write to a pipe; a device never ends.
        if not stat.S_ISREG(file.stat().st_mode) and not file.is_dir():
            raise PictureError("It is no file, but a pipe, a socket or a device.", "Save the picture as a file.")
        with file.open("rb") as stream:
            content = stream.read((megabytes << 20) + 1)
    except OSError as error:
        raise PictureError(f"It cannot be read: {error.strerror}.", "Look at the path and its rights.") from None
    if len(content) > megabytes << 20:
        raise PictureError(
            f"It is larger than {megabytes:,} MiB.", "The setting attachments.megabytes holds the limit."
        )
    return content


def decoded_files(
    decoder: Decoder, files: Sequence[Path], views: Sequence[View], preview: int = 0
) -> Iterator[Decoded | PictureError]:
    """Decode files, some ahead of who reads; what is no picture is given as the error that says why.

    Args:
        decoder: decodes them; of each file no more is read than it takes.
        files: any number.
        views: how they are laid out.
        preview: the longest edge of a preview; 0 for none.

    Returns:
        For each file what came of it, in their order.
    """

    def _decoded(file: Path) -> Decoded | PictureError:
        try:
            return decoder.decode(content_of(file, decoder.limits.megabytes), views, preview)
        except PictureError as error:
            return error

    ahead: deque[Future[Decoded | PictureError]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="decoding") as threads:
        try:
            for file in files:
                ahead.append(threads.submit(_decoded, file))
                if len(ahead) == _AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def _below(folder: Path, left_out: Path | None) -> list[Path]:
    found: list[Path] = []
    closed: list[OSError] = []
    entered: set[tuple[int, int]] = set()
    for at, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        where = Path(at)
        status = where.stat()
        if (status.st_dev, status.st_ino) in entered or (left_out is not None and where.resolve() == left_out):
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [where / name for name in names if not name.startswith(".")]
    return found + [Path(error.filename) for error in closed]
