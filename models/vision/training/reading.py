"""Reads the pictures of a folder once: laid out for the model on disk, and their signatures in memory."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO

import numpy as np
from numpy.typing import NDArray

from models.errors import PictureError
from models.training.options import StoppedError
from models.vision.contract import Pixels
from models.vision.decoding.contract import Decoded, View
from models.vision.decoding.decoder import Decoder
from models.vision.files import decoded_files
from models.vision.training.folders import PictureFolder
from models.vision.training.near_duplicates import SMALL, signature_of

_PIXELS = "pixels.raw"
_KNOWN = "known.npz"
_REFUSED = "refused.json"
_GO_ON = "Go on with --resume."

Told = Callable[[int, int], None]
"""Told how many files were read, and how many there are."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is not looked at: its path below the folder, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadPictures:
    """The files that can be looked at.

    Attributes:
        files: their numbers among those of the folder, ascending, shaped [pictures].
        pixels: laid out for the model, on disk, shaped [pictures, height, width, 3].
        digests: of these pixels, shaped [pictures, 16]: the same one is the same picture to the model.
        hashes, thumbnails: their signatures, as `Likeness` takes them.
        refused: the files that cannot be looked at.
    """

    files: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    digests: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    thumbnails: NDArray[np.uint8]
    refused: tuple[Refusal, ...]


def bytes_needed(folder: PictureFolder, view: View) -> int:
    """Give how many bytes of disk reading a folder takes at the most."""
    height, width = shape_of(view)
    return len(folder.files) * height * width * 3


def shape_of(view: View) -> tuple[int, int]:
    """Give height and width of a picture that is laid out for a model."""
    return view.crop or (view.height, view.width)


def read_pictures(
    folder: PictureFolder, view: View, decoder: Decoder, workspace: Path, told: Told, stopping: Event
) -> ReadPictures:
    """Read the pictures of a folder, or what was kept of them where they were read before.

    Args:
        folder: its files.
        view: how they are laid out for the model.
        decoder: decodes them.
        workspace: where what was read is kept; holds nothing that was read of another folder or for another view.
        told: told how far it is.
        stopping: when set, the reading ends.

    Raises:
        StoppedError: `stopping` was set.
        OSError: what was read cannot be written.
    """
    if not (workspace / _KNOWN).is_file():
        workspace.mkdir(parents=True, exist_ok=True)
        with (workspace / _PIXELS).open("wb") as stream:
            reading = _Reading(folder, stream)
            for result in decoded_files(decoder, [one.path for one in folder.files], (view, SMALL)):
                if stopping.is_set():
                    raise StoppedError("The training was stopped while the pictures were read.", _GO_ON)
                reading.add(result)
                told(reading.done, len(folder.files))
        reading.keep(workspace)
    return _kept(workspace, view)


class _Reading:
    """What was read so far."""

    def __init__(self, folder: PictureFolder, stream: IO[bytes]) -> None:
        self.done = 0
        self._folder = folder
        self._stream = stream
        self._files: list[int] = []
        self._digests: list[bytes] = []
        self._hashes: list[int] = []
        self._thumbnails: list[Pixels] = []
        self._refused: list[tuple[str, str]] = []

    def add(self, result: Decoded | PictureError) -> None:
        """Take in what came of the next file."""
        number, self.done = self.done, self.done + 1
        if isinstance(result, PictureError):
            path = self._folder.files[number].path.relative_to(self._folder.path)
            self._refused.append((_printable(str(path)), result.message))
            return
        pixels, small = result.views
        content = pixels.tobytes()
        self._stream.write(content)
        self._digests.append(hashlib.sha256(content).digest()[:16])
        signature = signature_of(small)
        self._hashes.append(signature.hash)
        self._thumbnails.append(signature.thumbnail)
        self._files.append(number)

    def keep(self, workspace: Path) -> None:
        """Write it down; the file that says that all was read comes last."""
        (workspace / _REFUSED).write_text(json.dumps(self._refused), encoding="utf-8")
        making = workspace / f"making-{_KNOWN}"
        np.savez(
            making,
            files=np.array(self._files, dtype=np.int64),
            digests=np.frombuffer(b"".join(self._digests), dtype=np.uint8).reshape(-1, 16),
            hashes=np.array(self._hashes, dtype=np.uint64),
            thumbnails=np.array(self._thumbnails, dtype=np.uint8).reshape(-1, 16, 16, 3),
        )
        making.replace(workspace / _KNOWN)


def _kept(workspace: Path, view: View) -> ReadPictures:
    refused = json.loads((workspace / _REFUSED).read_bytes())
    with np.load(workspace / _KNOWN, allow_pickle=False) as known:
        shape = (len(known["files"]), *shape_of(view), 3)
        # Nothing can be mapped of a file that is empty.
        is_empty = not len(known["files"])
        pixels = np.zeros(shape, np.uint8) if is_empty else np.memmap(workspace / _PIXELS, np.uint8, "r", shape=shape)
        return ReadPictures(
            files=known["files"],
            pixels=pixels,
            digests=known["digests"],
            hashes=known["hashes"],
            thumbnails=known["thumbnails"],
            refused=tuple(Refusal(path, reason) for path, reason in refused),
        )


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()
