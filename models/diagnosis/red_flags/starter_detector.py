"""Gives the detector of red flags of the starter data: the one that was kept, or one trained anew where none fits."""

import csv
import hashlib
from pathlib import Path

from models.diagnosis import starter
from models.diagnosis.contract import NO_MATCH, LabelledTexts
from models.diagnosis.floor import starter_floor
from models.diagnosis.floor.classifier import FloorClassifier
from models.diagnosis.red_flags import RedFlags
from models.diagnosis.red_flags.detector import FlagDetector

URGENT = starter.FOLDER / "urgent.csv"
"""Descriptions of emergencies: columns ``label``, the name of a flag, and ``text``."""

NOT_URGENT = starter.FOLDER / "not_urgent.csv"
"""Texts that look like emergencies and are none: columns ``kind`` and ``text``."""

WHAT = "detector of red flags"


def detector_of(directory: Path) -> FlagDetector:
    """Give the detector of the starter data, loaded in milliseconds where it was trained before, else in seconds.

    As with `floor_of`, the one that was made when Preceptor was installed serves all.

    Args:
        directory: where the models of this installation lie (``data/models``).
    """
    folder = directory / "diagnosis" / ".red_flags"
    fingerprint = _fingerprint()
    return FlagDetector(starter_floor.installed_or_kept(_installed(), folder, fingerprint, examples, _trained, WHAT))


def install() -> None:
    """Train the detector for all of this installation, unless it is there; for set-up.

    Raises:
        OSError: it cannot be written.
    """
    starter_floor.install_in(_installed(), _fingerprint(), lambda: _trained(examples()))


def examples() -> LabelledTexts:
    """Give what the detector is trained on: emergencies, labelled with their flags, and what is none.

    Descriptions of conditions among the starter data are none, unless the rules say so; every other one is enough, and
    saves seconds.
    """
    urgent = [(row["text"], row["label"]) for row in _rows(URGENT)]
    rules = RedFlags()
    rows = (*_rows(starter.SYMPTOMS)[::2], *_rows(starter.NOT_A_MATCH))
    ordinary = [row["text"] for row in rows if not rules.of(row["text"])]
    harmless = [row["text"] for row in _rows(NOT_URGENT)] + ordinary
    texts, labels = zip(*urgent, *((text, NO_MATCH) for text in harmless), strict=True)
    return LabelledTexts(texts, labels)


def _installed() -> Path:
    return starter_floor.INSTALLED / "red_flags"


def _trained(texts: LabelledTexts) -> FloorClassifier:
    # Imports scikit-learn: not before it is needed.
    from models.diagnosis.red_flags.detector_training import train_detector

    return train_detector(texts).classifier


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _fingerprint() -> str:
    """Sum up the examples, the rules, whose concepts it uses, and all the code that makes it."""
    here = Path(__file__).parent
    folders = (here, here / "rules", Path(starter_floor.__file__).parent)
    own = sorted(file for folder in folders for file in folder.iterdir() if file.suffix in (".py", ".toml", ".txt"))
    digest = hashlib.sha256()
    for file in (URGENT, NOT_URGENT, starter.SYMPTOMS, starter.NOT_A_MATCH, *own):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
