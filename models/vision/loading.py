"""What loading a model of pictures has in common: memory, silence, and one error for all that libraries raise."""

from collections.abc import Iterator

import torch
from safetensors import SafetensorError
from transformers.utils import logging

from models.errors import ModelTooLargeError, ModelUnusableError
from models.machine import free_memory, usable_cores
from models.store.checkpoints import Checkpoint
from models.store.sizes import in_words
from models.store.weight_files import read_json_object

# What loading a damaged or odd checkpoint raises, besides the libraries' own.
UNLOADABLE = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    ArithmeticError,
    SafetensorError,
)

_LONGEST_REASON = 300
_BYTES = 4  # of a number in float32
_OVERHEAD = 1.2  # what is computed, on top of the weights
_LIBRARIES_BYTES = 300_000_000
_MOST_LAYERS = 1_000
"""Those in use have some dozens. Layers are made before any weight is read, each of a few kilobytes."""
_MEND = "Get or train it once more, or choose another."


def make_ready(found: Checkpoint, name: str, threads: int, free: int | None = None) -> None:
    """See that there is memory enough, let transformers print nothing while it loads, and set torch's threads.

    Args:
        found: what is to be loaded.
        name: what it is called.
        threads: that compute; 0: one for each core this process may use.
        free: bytes of memory that are free; None asks the machine.

    Raises:
        ModelTooLargeError: there is not memory enough; the message has both figures.
        ModelUnusableError: its config speaks of more layers than any model has.
    """
    _require_possible(found, name)
    needed = int(found.parameters * _BYTES * _OVERHEAD) + _LIBRARIES_BYTES
    free = free_memory() if free is None else free
    if free is not None and needed > free:
        raise ModelTooLargeError(
            f"{name} needs {in_words(needed)} of memory, and {in_words(free)} are free.",
            "Choose a smaller model, or give the bot more memory.",
        )
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads or usable_cores())


def unloadable(name: str, error: Exception) -> ModelUnusableError:
    """Make the error that says that a model cannot be loaded, and why."""
    reason = " ".join(str(error).split())[:_LONGEST_REASON].rstrip(".")
    return ModelUnusableError(f"{name} cannot be loaded: {reason}.", _MEND)


def _require_possible(found: Checkpoint, name: str) -> None:
    try:
        config = read_json_object(found.folder / "config.json", name, _MEND)
    except OSError as error:
        raise unloadable(name, error) from error
    most = max(_layers(config), default=0)
    if most > _MOST_LAYERS:
        raise ModelUnusableError(f"{name} is damaged: its config.json speaks of {most:,} layers.", _MEND)


def _layers(config: object, key: str = "") -> Iterator[int]:
    """Find how many layers a config speaks of, at whatever depth."""
    if isinstance(config, dict):
        for inner, value in config.items():
            yield from _layers(value, inner)
    elif isinstance(config, list):
        for value in config:
            yield from _layers(value, key)
    elif isinstance(config, int) and ("layer" in key or key == "depths"):
        yield config
