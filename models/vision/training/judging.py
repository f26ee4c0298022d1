"""Judges classifiers on pictures that were held out: the trained one, and the one in use."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.errors import PictureError
from models.evaluation.classification.calibration import softmax
from models.evaluation.classification.comparison import compare
from models.evaluation.classification.figures import Figures, figures_of
from models.store.model_store import Checkpoint
from models.training.seen import unseen
from models.training.splits import Rows
from models.vision.contract import Labeller
from models.vision.decoding.decoder import Decoder
from models.vision.files import decoded_files
from models.vision.training.order import Order, Rival
from models.vision.training.parts import Parts
from models.vision.wording import PICTURES

if TYPE_CHECKING:
    from models.vision.training.phases import Judged

SEEN = "seen_pictures.txt"
"""In a trained model's folder: which pictures it was trained on and calibrated by, as hashes."""

_FEWEST = 20
"""Pictures on which two classifiers can be compared."""
_AT_ONCE = 32


def keys(parts: Parts, rows: Rows) -> list[bytes]:
    """Give what tells pictures from others whatever they are laid out for, as `unseen` takes it."""
    pictures = parts.pictures
    return [pictures.hashes[row].tobytes() + pictures.thumbnails[row].tobytes() for row in rows]


def paths(order: Order, parts: Parts, rows: Rows) -> list[Path]:
    """Give the files of some pictures."""
    return [order.pictures.files[number].path for number in parts.pictures.files[rows]]


def figures(order: Order, parts: Parts, judged: "Judged", rows: Rows, at: NDArray[np.int64] | None = None) -> Figures:
    """Give the figures of a classifier, by its logits for pictures that it has not seen.

    Args:
        order: what is trained.
        parts: the pictures.
        judged: what the classifier said.
        rows: of which pictures.
        at: which of them are counted, as numbers from 0; None: all.
    """
    chosen = np.arange(len(rows)) if at is None else at
    logits = judged.test[chosen]
    return figures_of(
        softmax(logits, judged.temperature),
        parts.labels,
        parts.truth(rows[chosen]),
        0.0,
        softmax(logits),
        names(order, parts, rows[chosen]),
    )


def names(order: Order, parts: Parts, rows: Rows) -> list[str]:
    """Give the pictures' names below their folder."""
    found = (path.relative_to(order.pictures.path) for path in paths(order, parts, rows))
    return [str(path).encode("utf-8", "backslashreplace").decode() for path in found]


def rival_of(in_use: Checkpoint, order: Order, parts: Parts, judged: "Judged", decoder: Decoder) -> Rival:
    """Judge the classifier in use beside the new one, on what neither has seen.

    Args:
        in_use: what is compared with.
        order: what is trained.
        parts: the pictures.
        judged: what the new one said of the test pictures.
        decoder: decodes them as the one in use wants them.

    Raises:
        ModelError: the classifier in use cannot be loaded.
    """
    # Imports torch: not before it is needed.
    from models.vision.labels import load_labeller

    test = parts.honest.test
    at = unseen(keys(parts, test), in_use.folder / SEEN)
    if len(at) < _FEWEST:
        left = f"only {len(at):,} of the" if len(at) else "none of the"
        return Rival(in_use.name, reason=f"{left} pictures held out are new to it.")
    labeller = load_labeller(in_use, in_use.name, order.options.threads)
    try:
        if not set(parts.labels) <= set(labeller.labels):
            return Rival(in_use.name, reason="it tells other classes apart.")
        probabilities = _probabilities(labeller, paths(order, parts, test[at]), decoder)
        # A file that has gone in the meantime has no row.
        read = np.flatnonzero(np.isfinite(probabilities[:, 0]))
        rows = test[at[read]]
        old = figures_of(
            probabilities[read], labeller.labels, parts.truth(rows), 0.0, examples=names(order, parts, rows)
        )
        new = figures(order, parts, judged, test, at[read])
        return Rival(in_use.name, old, compare(new, old, order.name, in_use.name, wording=PICTURES))
    finally:
        labeller.close()


def _probabilities(labeller: Labeller, files: Sequence[Path], decoder: Decoder) -> NDArray[np.float64]:
    """What a classifier says of files, shaped [files, labels]; not a number where one cannot be read."""
    found = np.full((len(files), len(labeller.labels)), np.nan)
    waiting: list[int] = []
    pixels: list[NDArray[np.uint8]] = []
    for number, result in enumerate(decoded_files(decoder, files, (labeller.view,))):
        if not isinstance(result, PictureError):
            waiting.append(number)
            pixels.append(result.views[0])
        if waiting and (len(waiting) == _AT_ONCE or number == len(files) - 1):
            found[waiting] = labeller.probabilities(np.stack(pixels))[0]
            waiting, pixels = [], []
    return found
