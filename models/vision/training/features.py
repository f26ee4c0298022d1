"""Shows pictures to an encoder that stays as it is, and keeps what it makes of them, so that nothing is done twice."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.options import StoppedError
from models.training.splits import Rows
from models.vision.contract import Pixels
from models.vision.image_processors import Preparation
from models.vision.training.augmentation import augmented
from models.vision.training.network import PictureNetwork

Told = Callable[[int], None]
"""Told how many pictures are done."""

_AT_ONCE = 32
_KEPT_AT_ONCE = 512

_GO_ON = "Go on with --resume."


class Shown:
    """Pictures, as a network is shown them.

    Args:
        pixels: of all pictures, shaped [pictures, height, width, 3].
        preparation: makes them ready for the network.
        seed: of the augmentation.
        flip: whether it mirrors.
    """

    def __init__(self, pixels: NDArray[np.uint8], preparation: Preparation, seed: int, flip: bool) -> None:
        self._pixels = pixels
        self._preparation = preparation
        self._seed = seed
        self._flip = flip

    def values(self, rows: Sequence[int] | Rows, turn: int = 0) -> NDArray[np.float32]:
        """Give ``pixel_values`` of some pictures, shaped [pictures, 3, height, width].

        Args:
            rows: numbers of the pictures.
            turn: 0 as they are; else augmented, by the seed, the turn and the picture alone.
        """
        return self._preparation.values(np.stack([self._picture(int(row), turn) for row in rows]))

    def _picture(self, row: int, turn: int) -> Pixels:
        pixels: Pixels = np.asarray(self._pixels[row])
        if not turn:
            return pixels
        return augmented(pixels, np.random.default_rng((self._seed, turn, row)), self._flip)


def vectors(
    network: PictureNetwork, shown: Shown, rows: Rows, turn: int, workspace: Path, told: Told, stopping: Event
) -> NDArray[np.float32]:
    """Give what the head is shown of some pictures, shaped [pictures, width]; what was kept is not computed again.

    Args:
        network: as it is.
        shown: the pictures.
        rows: which ones.
        turn: as in `Shown.values`.
        workspace: where it is kept, for these rows and this turn alone.
        told: told how far it is.
        stopping: when set, what is computed is kept and the training ends.

    Raises:
        StoppedError: `stopping` was set.
        OSError: it cannot be written.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(rows), _KEPT_AT_ONCE):
        file = workspace / f"{turn}-{start}.npy"
        if not file.is_file():
            part = computed(network, shown, rows[start : start + _KEPT_AT_ONCE], turn, stopping, told, start)
            making = file.with_name(f"making-{file.name}")
            np.save(making, part)
            making.replace(file)
        parts.append(np.load(file, allow_pickle=False))
        told(start + len(parts[-1]))
    return np.concatenate(parts)


def computed(
    network: PictureNetwork,
    shown: Shown,
    rows: Rows,
    turn: int,
    stopping: Event,
    told: Told = lambda done: None,
    before: int = 0,
) -> NDArray[np.float32]:
    """Compute what the head is shown of some pictures, shaped [pictures, width]; see `vectors`."""
    found = []
    for at in range(0, len(rows), _AT_ONCE):
        if stopping.is_set():
            raise StoppedError("The training was stopped while the encoder looked at the pictures.", _GO_ON)
        with torch.inference_mode():
            values = torch.from_numpy(shown.values(rows[at : at + _AT_ONCE], turn))
            found.append(network.vectors(values).float().numpy())
        told(before + min(len(rows), at + _AT_ONCE))
    return np.concatenate(found)
