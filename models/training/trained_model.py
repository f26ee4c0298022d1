"""Writes a trained model to its folder, whole or not at all: weights, tokenizer, model card, figures and loss plot."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import TrainingError
from models.store.model_store import Checkpoint
from models.training.options import Curve

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "spiece.model",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "source.spm",
    "target.spm",
)


@contextmanager
def whole_or_not_at_all(folder: Path) -> Iterator[Path]:
    """Give a folder to write a model to; when all went well it takes the place of `folder`, else it is removed.

    Raises:
        TrainingError: it cannot be written, as where the disk is full; `folder` is then as it was.
    """
    from safetensors import SafetensorError

    making = folder.with_name(f".{folder.name}.making")
    _remove(making)
    try:
        making.mkdir(parents=True)
        yield making
        for file in making.iterdir():
            _flush(file)
        _flush(making)
        _replace(folder, making)
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"The trained model cannot be written to {folder}: {_reason(error)}.",
            "Make room, or let this user write there; then train again with --resume.",
        ) from error
    finally:
        _remove(making)


def write_model(model: "PreTrainedModel", base: Checkpoint, folder: Path) -> None:
    """Write weights (safetensors), configs, and the base's tokenizer as it is.

    Raises:
        OSError: it cannot be written.
        SafetensorError: the same, for the weights.
    """
    write_weights(model, folder)
    for name in _TOKENIZER_FILES:
        if (base.folder / name).is_file():
            shutil.copyfile(base.folder / name, folder / name)
    if not (folder / "tokenizer.json").exists():
        from transformers import AutoTokenizer

        own = AutoTokenizer.from_pretrained(str(base.folder), local_files_only=True, trust_remote_code=False)
        own.save_pretrained(str(folder))


def write_weights(model: "PreTrainedModel", folder: Path) -> None:
    """Write weights (safetensors, one file) and configs; raises what `write_model` does."""
    model.save_pretrained(folder, max_shard_size="1TB")
    # The weights come readable for their owner alone, while the bot may run as somebody else.
    shutil.copymode(folder / "config.json", folder / "model.safetensors")


def write_plot(curve: Curve, file: Path) -> None:
    """Draw the losses of the training and of what was held out over the epochs, as PNG.

    Raises:
        OSError: it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(*zip(*curve.training, strict=True), color="#9aa5b1", linewidth=1, label="trained on")
    axes.plot(*zip(*curve.held_out, strict=True), color="#1f6feb", marker="o", markersize=3, label="held out")
    epoch, lowest = min(curve.held_out, key=lambda point: point[1])
    axes.annotate(f"kept: {lowest:.3f}", (epoch, lowest), textcoords="offset points", xytext=(0, 8), ha="right")
    axes.set(xlabel="epoch", ylabel="loss (nats per token)", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(file, dpi=120)


def write_json(document: dict[str, Any], file: Path) -> None:
    """Write what is known of the training.

    Raises:
        OSError: it cannot be written.
    """
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _reason(error: Exception) -> str:
    if isinstance(error, shutil.Error):  # of a folder that was copied: (from, to, why) of each file
        return str(error.args[0][0][2])
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _flush(path: Path) -> None:
    """Have the disk hold what was written, so that a power cut after the move finds it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(folder: Path, made: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    _remove(old)
    if folder.exists() or folder.is_symlink():
        folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        with contextlib.suppress(OSError):
            old.rename(folder)
        raise
    _flush(folder.parent)
    _remove(old)


def _remove(folder: Path) -> None:
    """Remove a folder, or what somebody put in its place, as a link; where that fails, what is written next tells."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            folder.unlink()
