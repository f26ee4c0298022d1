"""Keeps a trained floor in one file of arrays without pickle, its labels and calibration in it as JSON."""

import json
import os
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.floor.classifier import FloorClassifier
from models.diagnosis.floor.weighting import KINDS, TermWeights, Vocabulary
from models.errors import ModelUnusableError
from models.evaluation.classification.calibration import Calibration

FILE = "floor.npz"


def save_floor(classifier: FloorClassifier, folder: Path, fingerprint: str = "") -> None:
    """Write a floor, whole or not at all; whoever loads it meanwhile sees the old one or the new one.

    Args:
        classifier: what to write.
        folder: is made where it is missing; a floor that lies there is replaced.
        fingerprint: says what it was made of.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f".{FILE}.{os.getpid()}-{threading.get_ident()}"
    try:
        with written.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **_arrays(classifier, fingerprint))
            stream.flush()
            os.fsync(stream.fileno())
        written.replace(folder / FILE)
    finally:
        written.unlink(missing_ok=True)


def load_floor(folder: Path, fingerprint: str = "") -> FloorClassifier:
    """Read what `save_floor` wrote; the archive's own checksums tell whether a bit of it has changed.

    Args:
        folder: where it lies.
        fingerprint: what it must have been made of; empty where that does not matter.

    Raises:
        ModelUnusableError: it is not there, cannot be read, is damaged, or was made of something else.
    """
    file = folder / FILE
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.testzip():
                raise _unusable(file, "is damaged")
        with np.load(file, allow_pickle=False) as found:
            arrays = dict(found)
        notes = json.loads(_text_of(arrays["notes"]))
        if fingerprint not in ("", notes["fingerprint"]):
            raise _unusable(file, "was made of other data or by another version")
        return _classifier(arrays, notes)
    except FileNotFoundError as error:
        raise _unusable(file, "is missing") from error
    except OSError as error:
        raise _unusable(file, f"cannot be read: {error.strerror}") from error
    # What zipfile, numpy and json raise for an archive that is not whole, or for one of somebody else's.
    except (ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise _unusable(file, "is damaged") from error


def _arrays(classifier: FloorClassifier, fingerprint: str) -> dict[str, NDArray[Any]]:
    notes = {
        "labels": classifier.labels,
        "calibration": classifier.calibration.as_json(),
        "fingerprint": fingerprint,
    }
    arrays: dict[str, NDArray[Any]] = {
        "notes": _bytes_of(json.dumps(notes, ensure_ascii=False)),
        "coefficients": classifier.coefficients,
        "constants": classifier.constants,
    }
    for name, kind in zip(KINDS, classifier.vocabulary.kinds, strict=True):
        arrays |= {name: _bytes_of("\n".join(kind.terms)), f"{name}_rarity": kind.rarity}
    return arrays


def _classifier(arrays: dict[str, NDArray[Any]], notes: dict[str, Any]) -> FloorClassifier:
    return FloorClassifier(
        labels=tuple(notes["labels"]),
        vocabulary=Vocabulary(tuple(TermWeights(_terms(arrays[name]), arrays[f"{name}_rarity"]) for name in KINDS)),
        coefficients=arrays["coefficients"],
        constants=arrays["constants"],
        calibration=Calibration.from_json(notes["calibration"]),
    )


def _unusable(file: Path, flaw: str) -> ModelUnusableError:
    return ModelUnusableError(f"The floor of diagnosis in {file} {flaw}.", "Train it again.")


def _bytes_of(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _text_of(array: NDArray[Any]) -> str:
    return bytes(array).decode()


def _terms(array: NDArray[Any]) -> tuple[str, ...]:
    text = _text_of(array)
    return tuple(text.split("\n")) if text else ()
