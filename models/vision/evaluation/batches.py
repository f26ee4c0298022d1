"""Gives the pictures of an evaluation to a model, a batch after the other, and keeps what could not be looked at."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.errors import EvaluationError, PictureError
from models.vision.contract import Pixels
from models.vision.decoding.contract import View
from models.vision.decoding.decoder import Decoder
from models.vision.files import decoded_files

BATCH = 16
"""Pictures that a model is given at once."""

Told = Callable[[], None]
"""Told of each file that was decoded or refused."""

Item = TypeVar("Item")


def unwatched() -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not looked at: its name, and why, one sentence."""

    name: str
    reason: str


def in_batches(
    decoder: Decoder, files: Sequence[Path], view: View, told: Told = unwatched
) -> Iterator[tuple[list[int], NDArray[np.uint8], list[tuple[int, str]]]]:
    """Decode files, as many as a model is given at once.

    Args:
        decoder: decodes them.
        files: any number.
        view: how they are laid out for the model.
        told: told of each file.

    Returns:
        For each batch the numbers of its pictures, their pixels, shaped [pictures, height, width, 3], and the numbers
        of the files met on the way that cannot be looked at, with the reasons. A batch may hold no picture.
    """
    numbers: list[int] = []
    pixels: list[Pixels] = []
    refused: list[tuple[int, str]] = []
    for number, decoded in enumerate(decoded_files(decoder, files, (view,))):
        if isinstance(decoded, PictureError):
            refused.append((number, decoded.message))
        else:
            numbers.append(number)
            pixels.append(decoded.views[0])
        told()
        if len(numbers) == BATCH or number + 1 == len(files):
            yield numbers, np.stack(pixels) if pixels else np.zeros((0, 0, 0, 3), np.uint8), refused
            numbers, pixels, refused = [], [], []


def require_some(looked_at: int, refused: Sequence[Refused]) -> None:
    """See that there is something to evaluate.

    Raises:
        EvaluationError: none of the files could be looked at; the message names the first and says why.
    """
    if looked_at:
        return
    if not refused:
        raise EvaluationError("There is no picture to evaluate.", "Give at least one.")
    first = refused[0]
    reason = first.reason[:1].lower() + first.reason[1:].rstrip(".")
    raise EvaluationError(
        f"None of the {len(refused):,} files could be looked at; of {first.name}: {reason}.",
        "Give pictures that can be read.",
    )


def by_reason(refused: Sequence[Refused]) -> list[tuple[str, int, str]]:
    """Give each reason, how many files it holds for, and the name of the first one; the most frequent first."""
    first: dict[str, str] = {}
    for one in refused:
        first.setdefault(one.reason, one.name)
    counts = Counter(one.reason for one in refused)
    return [(reason, count, first[reason]) for reason, count in counts.most_common()]


def drawn(items: Sequence[Item], limit: int | None, seed: int) -> Sequence[Item]:
    """Give as many items as are to be looked at, in their order; the same seed draws the same ones."""
    if limit is None or limit >= len(items):
        return items
    chosen = np.random.default_rng(seed).choice(len(items), limit, replace=False)
    return [items[at] for at in sorted(chosen)]
