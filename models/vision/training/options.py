"""How a classifier of pictures is trained, and what that needs of base and machine; imports nothing heavy."""

from dataclasses import dataclass
from importlib.util import find_spec

from models.errors import ModelExtraError, ModelTooLargeError, TrainingError
from models.machine import free_memory
from models.store.model_store import Checkpoint
from models.store.sizes import in_words

_LIBRARIES = ("torch", "transformers", "accelerate", "safetensors", "imagehash", "matplotlib")
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")

# Bytes for a parameter: its weight, and what training keeps of it besides (gradient, two moments of AdamW).
_WEIGHT = 4
_TRAINED = 12
_OVERHEAD = 1.4
_LIBRARIES_BYTES = 900_000_000
_FEW = 1_000
_COPIES = 2


FEWEST_TO_CALIBRATE = 100
"""Validation pictures from which on a temperature is fitted; with fewer it stays 1."""


@dataclass(frozen=True, slots=True)
class ImageTrainingOptions:
    """How a classifier of pictures is trained.

    Attributes:
        unfreeze: how many of the encoder's last blocks are fine-tuned after the head was fitted; 0: none.
        epochs: of the fine-tuning: how often each picture is seen at most, from 1.
        batch: pictures in a step, from 1.
        learning_rate: of the fine-tuning, the highest; 0: the usual one for the encoder's width.
        seed: the same one, on the same machine, gives the same split and the same weights.
        patience: epochs without a lower loss on the validation pictures after which the fine-tuning ends, from 1.
        augmentation: whether pictures are also shown cut, resized, lighter and darker, never the same way twice.
        flip: whether they are then mirrored, too; not for digits, letters and signs.
        threads: that compute; 0: one for each core this process may use.
    """

    unfreeze: int = 0
    epochs: int = 10
    batch: int = 32
    learning_rate: float = 0.0
    seed: int = 0
    patience: int = 3
    augmentation: bool = True
    flip: bool = False
    threads: int = 0

    def copies(self, pictures: int) -> int:
        """Give how many augmented copies of so many pictures the head is fitted to, besides the pictures themselves.

        Two where they are few. From about a thousand on they cost as much time again each, and teach a head on an
        encoder that stays as it is nothing more.
        """
        return _COPIES if self.augmentation and pictures <= _FEW else 0


def require_image_encoder(checkpoint: Checkpoint, options: ImageTrainingOptions, free: int | None = None) -> None:
    """See, before anything is loaded, that a model can be trained here.

    Args:
        checkpoint: the base.
        options: how.
        free: bytes of memory that are free; None asks the machine.

    Raises:
        TrainingError: it looks at no pictures.
        ModelExtraError: a library is not installed.
        ModelTooLargeError: there is not memory enough; the message has both figures.
    """
    missing = [one for one in _LIBRARIES if find_spec(one) is None]
    if missing:
        raise ModelExtraError(f"Training needs {missing[0]}, which is not installed.", "Add it with `make models`.")
    if checkpoint.kind != "other" or not any((checkpoint.folder / file).is_file() for file in _PROCESSORS):
        raise TrainingError(
            f"{checkpoint.name} ({checkpoint.model_type}) does not look at pictures.",
            "Give --base an encoder of pictures, such as google/vit-base-patch16-224.",
        )
    free = free_memory() if free is None else free
    each = _WEIGHT + _TRAINED * (options.unfreeze > 0)
    needed = int(checkpoint.parameters * each * _OVERHEAD) + _LIBRARIES_BYTES
    if free is not None and needed > free:
        raise ModelTooLargeError(
            f"{checkpoint.name} needs {in_words(needed)} of memory to be trained, and {in_words(free)} are free.",
            "Leave --unfreeze out, or choose a smaller --base." if options.unfreeze else "Choose a smaller --base.",
        )
