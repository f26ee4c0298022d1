"""Looks at many pictures, one batch after another: an embedding, the likeliest label and a thumbnail of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.errors import PictureError
from models.vision.contract import Labeller
from models.vision.decoding.contract import Decoded
from models.vision.files import decoded_files

if TYPE_CHECKING:
    from models.vision.decoding.decoder import Decoder

_BATCH = 16
THUMBNAIL = 128
"""The longest edge of a thumbnail, in pixels."""

Told = Callable[[], None]
"""Told of each file that was looked at or refused."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was looked at: its path below the folder, its likeliest label, and a thumbnail as JPEG."""

    path: str
    label: str
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not looked at: its path below the folder, and why, one sentence."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Album:
    """The pictures of a folder; some 10 KiB of memory for each.

    Attributes:
        pictures: in the order of the files.
        embeddings: L2-normalised, shaped [pictures, width], float32.
        refused: the files that were not looked at.
        model: what looked.
    """

    pictures: tuple[Picture, ...]
    embeddings: NDArray[np.float32]
    refused: tuple[Refused, ...]
    model: str


def look_at(folder: Path, files: Sequence[Path], decoder: "Decoder", labeller: Labeller, told: Told) -> Album:
    """Look at files of a folder. Blocking; a few of the pictures are held decoded at a time, however many there are.

    Args:
        folder: where all of the files lie.
        files: what is looked at, in this order.
        decoder: reads them, two at a time.
        labeller: gives labels and embeddings.
        told: told of each file.

    Raises:
        ModelError: the labeller broke off.
    """
    pictures: list[Picture] = []
    embeddings: list[NDArray[np.float32]] = []
    refused: list[Refused] = []
    waiting: list[tuple[str, Decoded]] = []

    def _label() -> None:
        if waiting:
            probabilities, found = labeller.probabilities(np.stack([decoded.views[0] for _, decoded in waiting]))
            likeliest = [labeller.labels[at] for at in probabilities.argmax(axis=1)]
            pictures.extend(
                Picture(path, label, decoded.preview) for (path, decoded), label in zip(waiting, likeliest, strict=True)
            )
            embeddings.append(found)
            waiting.clear()

    for file, outcome in zip(files, decoded_files(decoder, files, (labeller.view,), THUMBNAIL), strict=True):
        path = file.relative_to(folder).as_posix()
        if isinstance(outcome, PictureError):
            refused.append(Refused(path, outcome.message))
        else:
            waiting.append((path, outcome))
        told()
        if len(waiting) == _BATCH:
            _label()
    _label()
    together = np.concatenate(embeddings) if embeddings else np.zeros((0, 1), dtype=np.float32)
    return Album(tuple(pictures), together, tuple(refused), labeller.name)
