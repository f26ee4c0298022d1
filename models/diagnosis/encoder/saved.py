"""The folder of a fine-tuned encoder: what transformers writes of encoder and tokenizer, a head, and diagnosis.json."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from models.diagnosis.encoder.network import EncoderNetwork, save_head
from models.errors import ModelUnusableError
from models.evaluation.classification.calibration import Calibration
from models.store.model_store import Checkpoint
from models.store.weight_files import DIAGNOSIS_FILE, HEAD
from models.training.trained_model import write_json, write_model

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Saved:
    """What ``diagnosis.json`` says.

    Attributes:
        labels: the conditions, in the order of the columns.
        knows_no_match: whether the last column stands for texts that match nothing.
        calibration: temperature and threshold.
        longest: tokens of a text that are read.
    """

    labels: tuple[str, ...]
    knows_no_match: bool
    calibration: Calibration
    longest: int


def write_encoder(
    network: EncoderNetwork, base: Checkpoint, saved: Saved, folder: Path, facts: Mapping[str, object]
) -> None:
    """Write a fine-tuned encoder to a folder that exists.

    Args:
        network: what is written.
        base: whose tokenizer is copied.
        saved: what ``diagnosis.json`` is to say.
        folder: where.
        facts: what else it is to say, as JSON values.

    Raises:
        OSError: it cannot be written.
        SafetensorError: the same.
    """
    write_model(network.encoder, base, folder)
    save_head(network, folder)
    # The weights come readable for their owner alone, while the bot may run as somebody else.
    shutil.copymode(folder / "config.json", folder / HEAD)
    own = {
        "version": _VERSION,
        "labels": list(saved.labels),
        "no_match": saved.knows_no_match,
        "pooling": "mean",
        "longest": saved.longest,
        **saved.calibration.as_json(),
    }
    write_json({**facts, **own}, folder / DIAGNOSIS_FILE)


def read_saved(folder: Path, name: str) -> Saved | None:
    """Read what ``diagnosis.json`` says; None where there is none.

    Raises:
        ModelUnusableError: it is damaged, or of a later version.
    """
    try:
        document = json.loads((folder / DIAGNOSIS_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(name) from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise _damaged(name)
    labels: Any = document.get("labels")
    longest, no_match = document.get("longest"), document.get("no_match")
    if not _are_labels(labels) or not _is_length(longest) or not isinstance(no_match, bool):
        raise _damaged(name)
    return Saved(tuple(labels), no_match, Calibration.from_json(document), longest)


def _are_labels(labels: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(labels, list) or not all(isinstance(one, str) and one for one in labels):
        return False
    return len(labels) > 1 and len(set(labels)) == len(labels)


def _is_length(tokens: object) -> TypeGuard[int]:
    """Whether so many tokens of a text can be read: at least one from its beginning and one from its end."""
    return isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 1


def _damaged(name: str) -> ModelUnusableError:
    return ModelUnusableError(f"{name} is damaged: {DIAGNOSIS_FILE} cannot be used.", "Train it again under that name.")
