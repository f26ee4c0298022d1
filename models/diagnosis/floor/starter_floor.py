"""Gives the floor of the starter data: the one that was kept, or one trained anew where none fits."""

import csv
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from models.diagnosis import starter
from models.diagnosis.contract import NO_MATCH, LabelledTexts
from models.diagnosis.floor.classifier import FloorClassifier
from models.diagnosis.floor.storage import load_floor, save_floor
from models.errors import ModelUnusableError
from models.evaluation.classification import calibration

log = structlog.get_logger(__name__)

INSTALLED = Path(sys.prefix) / "share" / "preceptor" / "diagnosis"
"""Where the floor of this installation lies."""

Training = Callable[[LabelledTexts], FloorClassifier]

_WHAT = "floor of diagnosis"


def floor_of(directory: Path) -> FloorClassifier:
    """Give the floor of the starter data, loaded in milliseconds where it was trained before, else in seconds.

    The one that was made when Preceptor was installed (`install`) serves all; it is trained anew where that is missing
    or damaged, or where the starter data or the code that makes it have changed. Several processes may do so at once;
    each then has its own, and what the last one wrote stays.

    Args:
        directory: where the models of this installation lie (``data/models``); where nothing can be written there, the
            floor is trained whenever it is asked for.
    """
    return installed_or_kept(INSTALLED, directory / "diagnosis" / ".floor", _fingerprint(), starter_texts)


def installed_or_kept(
    installed: Path,
    folder: Path,
    fingerprint: str,
    texts: Callable[[], LabelledTexts],
    train: Training | None = None,
    what: str = _WHAT,
) -> FloorClassifier:
    """Give what was made when Preceptor was installed or, where that does not fit, what `kept_floor` gives.

    Args:
        installed: where it was put then; the others are those of `kept_floor`.
    """
    try:
        return load_floor(installed, fingerprint)
    except ModelUnusableError:
        return kept_floor(folder, fingerprint, texts, train, what)


def kept_floor(
    folder: Path,
    fingerprint: str,
    texts: Callable[[], LabelledTexts],
    train: Training | None = None,
    what: str = _WHAT,
) -> FloorClassifier:
    """Give the floor in a folder; where there is none of that fingerprint that is whole, train it and keep it there.

    Args:
        folder: where it lies; where nothing can be written there, what was trained is given nevertheless.
        fingerprint: sums up what it is to be made of.
        texts: gives what it is trained on.
        train: trains it; None is the training of the floor.
        what: what it is called in the log.

    Raises:
        TrainingError: the texts cannot train it.
    """
    try:
        return load_floor(folder, fingerprint)
    except ModelUnusableError as error:
        log.info(f"{what} is trained", reason=error.message)
    classifier = (train or _trained)(texts())
    try:
        save_floor(classifier, folder, fingerprint)
    except OSError as error:
        log.warning(f"{what} cannot be kept, is trained at each start", folder=str(folder), reason=error.strerror)
    return classifier


def install() -> None:
    """Train the floor for all of this installation, unless it is there; for set-up.

    Raises:
        OSError: it cannot be written.
    """
    install_in(INSTALLED, _fingerprint(), lambda: _trained(starter_texts()))


def install_in(installed: Path, fingerprint: str, make: Callable[[], FloorClassifier]) -> None:
    """Make what is to lie in a folder, unless it is there, whole and of that fingerprint.

    Raises:
        OSError: it cannot be written.
    """
    try:
        load_floor(installed, fingerprint)
    except ModelUnusableError:
        save_floor(make(), installed, fingerprint)


def _trained(texts: LabelledTexts) -> FloorClassifier:
    # Imports scikit-learn: not before it is needed.
    from models.diagnosis.floor.training import train_floor

    return train_floor(texts)


def starter_texts() -> LabelledTexts:
    """Give the starter data: descriptions of conditions, and texts that describe none, labelled `NO_MATCH`."""
    described = [(row["text"], row["label"]) for row in _rows(starter.SYMPTOMS)]
    others = [(row["text"], NO_MATCH) for row in _rows(starter.NOT_A_MATCH)]
    texts, labels = zip(*described, *others, strict=True)
    return LabelledTexts(texts, labels)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _fingerprint() -> str:
    """Sum up the starter data and all that makes a floor of it."""
    own = sorted(file for file in Path(__file__).parent.iterdir() if file.suffix in (".py", ".txt"))
    digest = hashlib.sha256()
    for file in (starter.SYMPTOMS, starter.NOT_A_MATCH, Path(calibration.__file__), *own):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
