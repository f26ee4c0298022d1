"""Chooses the engine that runs a checkpoint, and looks before loading whether the machine can bear it."""

import json
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from models.errors import ModelExtraError, ModelTooLargeError, ModelUnusableError
from models.generation.engines.contract import Engine, EngineOptions
from models.machine import free_memory
from models.store.model_store import Checkpoint
from models.store.sizes import in_words

Execution = Literal["auto", "ctranslate2", "torch"]
Precision = Literal["auto", "float32", "bfloat16", "int8"]

T5_FAMILY = frozenset({"t5", "mt5", "umt5"})
"""Model types that CTranslate2 runs here."""

BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}
"""Bytes of one parameter."""

# Of the weights: what is allocated besides them while they are loaded.
_OVERHEAD = 1.2
# Bytes of the libraries and of a batch of sixteen, measured on Linux.
_LIBRARIES = {"ctranslate2": 300_000_000, "torch": 700_000_000}


def chosen(checkpoint: Checkpoint, execution: Execution, precision: Precision) -> tuple[str, str]:
    """Give engine and precision for a checkpoint.

    Args:
        checkpoint: what is to be run.
        execution: as in the settings; ``auto`` takes CTranslate2 for the T5 family where it is installed.
        precision: as in the settings; ``auto`` is int8 with CTranslate2, float32 with torch.

    Raises:
        ModelUnusableError: the model writes no text, or the engine does not run it, or not so.
        ModelExtraError: the engine is not installed.
    """
    if checkpoint.kind == "other":
        raise ModelUnusableError(
            f"{checkpoint.name} ({checkpoint.model_type}) does not write text.",
            "Set local.model to a text-to-text or causal language model, such as google/flan-t5-small.",
        )
    engine = _engine(checkpoint, execution, precision)
    _require_library(engine)
    if precision == "auto":
        return engine, "int8" if engine == "ctranslate2" else "float32"
    if precision == ("bfloat16" if engine == "ctranslate2" else "int8"):
        raise ModelUnusableError(
            f"{checkpoint.name} is run by {engine}, which has no {precision} here.",
            "Set local.precision to auto; bfloat16 is torch's, int8 is ctranslate2's.",
        )
    return engine, precision


def opened(
    checkpoint: Checkpoint, engine: str, options: EngineOptions, converted: Path, stopping: threading.Event
) -> Engine:
    """Load a checkpoint.

    Args:
        checkpoint: what is loaded.
        engine: ``ctranslate2`` or ``torch``.
        options: how it computes.
        converted: the folder for what CTranslate2 needs to have converted.
        stopping: when it is set, nobody wants it any more.

    Raises:
        ModelTooLargeError: memory or disk would not suffice.
        ModelUnusableError: it cannot be loaded.
        ModelExtraError: a library is missing.
    """
    require_memory(checkpoint.name, memory_to_run(checkpoint, engine, options.precision), "run")
    if engine == "ctranslate2":
        from models.generation.engines.ctranslate2_engine import CTranslate2Engine

        return CTranslate2Engine(checkpoint, options, converted, stopping)
    from models.generation.engines.torch_engine import TorchEngine

    return TorchEngine(checkpoint, options)


def memory_to_run(checkpoint: Checkpoint, engine: str, precision: str) -> float:
    """Give the bytes that a checkpoint takes, the library that runs it among them."""
    return checkpoint.parameters * BYTES[precision] * _OVERHEAD + _LIBRARIES[engine]


def require_memory(name: str, needed: float, purpose: str, free: int | None = None) -> None:
    """See that there is memory enough; where nobody knows how much there is, nothing is refused.

    Args:
        name: what messages call the model.
        needed: bytes.
        purpose: what for, as a verb.
        free: bytes that are free; None asks the machine.

    Raises:
        ModelTooLargeError: there is not.
    """
    free = free_memory() if free is None else free
    if free is not None and needed > free:
        raise ModelTooLargeError(
            f"{name} needs {in_words(int(needed))} of memory to {purpose}, and {in_words(free)} are free.",
            "Choose a smaller model, a lower local.precision, or give the bot more memory.",
        )


def read_config(checkpoint: Checkpoint, file: str) -> Mapping[str, object]:
    """Read one of the checkpoint's JSON files; an empty one where it has none.

    Raises:
        ModelUnusableError: it is damaged.
    """
    try:
        document = json.loads((checkpoint.folder / file).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelUnusableError(
            f"{checkpoint.name} is damaged: {file} cannot be read ({error}).", "Get the model once more."
        ) from None
    return document if isinstance(document, dict) else {}


def _engine(checkpoint: Checkpoint, execution: Execution, precision: Precision) -> str:
    runs = checkpoint.kind == "seq2seq" and checkpoint.model_type in T5_FAMILY
    if execution == "ctranslate2" and not runs:
        raise ModelUnusableError(
            f"{checkpoint.name} ({checkpoint.model_type}) is not run by CTranslate2 here; the T5 family is.",
            "Set local.execution to auto.",
        )
    if execution != "auto":
        return execution
    return "ctranslate2" if runs and precision != "bfloat16" and find_spec("ctranslate2") else "torch"


def _require_library(engine: str) -> None:
    libraries = ("ctranslate2", "tokenizers") if engine == "ctranslate2" else ("torch", "transformers", "tokenizers")
    missing = [library for library in libraries if find_spec(library) is None]
    if missing:
        raise missing_extra(missing[0])


def missing_extra(library: str) -> ModelExtraError:
    """Say that a library of the models extra is not there."""
    return ModelExtraError(
        f"Local models need {library}, which is not installed.", "Run `make models`, then start the bot again."
    )
