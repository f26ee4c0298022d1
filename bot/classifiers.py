"""Makes what judges symptoms: the classifier that was chosen, or the floor."""

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec

import structlog

from bot.settings import Settings
from models.diagnosis.conditions import conditions
from models.diagnosis.contract import FLOOR, SymptomClassifier
from models.diagnosis.diagnosing import Diagnoser
from models.diagnosis.red_flags.detector import FlagDetector
from models.errors import ModelError, ModelExtraError
from models.store.model_store import ModelStore

_LIBRARIES = ("torch", "transformers", "safetensors")

log = structlog.get_logger(__name__)


def make_diagnoser(settings: Settings, name: str = "") -> Diagnoser:
    """Make what judges symptoms; nothing is loaded yet.

    Args:
        settings: which classifier was chosen.
        name: another one; it is then that one or none, while in the place of the chosen one the floor judges where
            it cannot be loaded.
    """
    store = ModelStore(settings.models_directory)
    load = partial(load_classifier, store, name) if name else partial(_chosen_or_floor, settings, store)
    detector = partial(_detector, store)
    return Diagnoser(load, languages=settings.diagnosis.languages, name=name or FLOOR, detector=detector)


def zero_shot_diagnoser(settings: Settings, name: str, labels: Sequence[str]) -> Diagnoser:
    """Make what judges by labels without examples; nothing is loaded yet.

    Args:
        settings: where models lie.
        name: an NLI or embedding model, by name or folder.
        labels: what it chooses among.
    """
    store = ModelStore(settings.models_directory)
    load, detector = partial(_zero_shot, store, name, labels), partial(_detector, store)
    return Diagnoser(load, languages=settings.diagnosis.languages, name=name, detector=detector)


def is_heavy(settings: Settings) -> bool:
    """Whether another classifier than the floor was chosen, so that it is better loaded before it is needed."""
    return chosen(settings, ModelStore(settings.models_directory)) != FLOOR


def named(settings: Settings, store: ModelStore) -> str:
    """Give the name of the classifier that was chosen, whether or not it is here; that of the floor where none was.

    Raises:
        ModelError: the file of choices cannot be read.
    """
    return settings.diagnosis.model or store.in_use("diagnosis") or FLOOR


def chosen(settings: Settings, store: ModelStore) -> str:
    """Give the same, and the floor's, with a line in the log, where nobody can say which was chosen."""
    try:
        return named(settings, store)
    except ModelError as error:
        log.warning("the floor judges symptoms", because=str(error))
        return FLOOR


def load_classifier(store: ModelStore, name: str) -> SymptomClassifier:
    """Load a classifier by its name: the floor, one that was trained here, or a folder.

    Raises:
        ModelError: it is not here, is none, or a library is missing.
    """
    if name == FLOOR:
        from models.diagnosis.floor.starter_floor import floor_of

        return floor_of(store.directory)
    found = store.find(name, task="diagnosis")
    require_libraries()
    from models.diagnosis.encoder.classifier import load_encoder

    return load_encoder(found.folder, name)


def _chosen_or_floor(settings: Settings, store: ModelStore) -> SymptomClassifier:
    name = chosen(settings, store)
    try:
        return load_classifier(store, name)
    except ModelError as error:
        if name == FLOOR:
            raise
        log.warning("the floor judges symptoms", because=str(error))
        return load_classifier(store, FLOOR)


def _detector(store: ModelStore) -> FlagDetector:
    from models.diagnosis.red_flags.starter_detector import detector_of

    return detector_of(store.directory)


def require_libraries() -> None:
    """See that encoders can be loaded.

    Raises:
        ModelExtraError: a library is not installed.
    """
    missing = [library for library in _LIBRARIES if find_spec(library) is None]
    if missing:
        raise ModelExtraError(f"Encoders need {missing[0]}, which is not installed.", "Add it with `make models`.")


def _zero_shot(store: ModelStore, name: str, labels: Sequence[str]) -> SymptomClassifier:
    require_libraries()
    from models.diagnosis.encoder.zero_shot import ZeroShotClassifier

    told = conditions()
    descriptions = {label: told[label].what for label in labels if label in told}
    return ZeroShotClassifier(store.find(name), labels, descriptions)
