"""How a model is trained, what that needs of the machine, and what it left behind; imports nothing heavy."""

from dataclasses import dataclass
from importlib.util import find_spec

from models.errors import ModelExtraError, ModelTooLargeError, TrainingError
from models.machine import free_memory
from models.store.model_store import Checkpoint
from models.store.sizes import in_words

_LIBRARIES = ("torch", "transformers", "accelerate", "peft", "safetensors", "matplotlib")

# Bytes for a parameter: its weight, and what training keeps of it besides (gradient, two moments of AdamW).
_WEIGHT = 4
_TRAINED_WHOLE = 12
# Of those bytes: what a batch takes, and what scoring takes where LoRA trains; and bytes of the libraries.
_OVERHEAD = 1.4
_LIBRARIES_BYTES = 600_000_000


class StoppedError(TrainingError):
    """Somebody stopped the training; it can go on."""


@dataclass(frozen=True, slots=True)
class LoraOptions:
    """LoRA (Hu et al., 2021): small matrices are trained beside the frozen layers, and merged in the end.

    Attributes:
        rank: of the matrices, from 1.
        alpha: their weight is alpha / rank.
        targets: names of the layers; empty: those usual for the kind of model; ``all-linear``: every linear one.
    """

    rank: int = 16
    alpha: int = 32
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How a model is trained.

    Attributes:
        lora: None trains every weight.
        epochs: how often each example is seen at most, from 1.
        batch: examples in a step, from 1.
        learning_rate: the highest; it rises at first and falls to 0 in a line.
        seed: the same one, on the same machine, gives the same weights.
        patience: epochs without a lower loss on what is held out after which the training ends, from 1.
        longest_answer: tokens; longer ones are not trained on.
        threads: that compute; 0: one for each core this process may use.
    """

    lora: LoraOptions | None = None
    epochs: int = 10
    batch: int = 8
    learning_rate: float = 3e-4
    seed: int = 0
    patience: int = 3
    longest_answer: int = 160
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Curve:
    """How the losses went: (epoch, nats per token) of the training and of what was held out."""

    training: tuple[tuple[float, float], ...]
    held_out: tuple[tuple[float, float], ...]


def require_trainable(checkpoint: Checkpoint, options: TrainingOptions, free: int | None = None) -> None:
    """See, before anything is loaded, that a model can be trained here.

    Args:
        checkpoint: what is to be trained.
        options: how.
        free: bytes of memory that are free; None asks the machine.

    Raises:
        TrainingError: it writes no text.
        ModelExtraError: a library is not installed.
        ModelTooLargeError: there is not memory enough; the message has both figures.
    """
    if checkpoint.kind == "other":
        raise TrainingError(
            f"{checkpoint.name} ({checkpoint.model_type}) does not write text.",
            "Give --base a text-to-text or causal language model, such as google/flan-t5-small.",
        )
    missing = [library for library in _LIBRARIES if find_spec(library) is None]
    if missing:
        raise ModelExtraError(f"Training needs {missing[0]}, which is not installed.", "Add it with `make models`.")
    each = _WEIGHT if options.lora else _WEIGHT + _TRAINED_WHOLE
    needed = int(checkpoint.parameters * each * _OVERHEAD) + _LIBRARIES_BYTES
    free = free_memory() if free is None else free
    if free is not None and needed > free:
        way = "Choose a smaller --base." if options.lora else "Train with --lora, or choose a smaller --base."
        raise ModelTooLargeError(
            f"{checkpoint.name} needs {in_words(needed)} of memory to be trained, and {in_words(free)} are free.", way
        )
