"""Examines who judges symptoms: whether the chosen classifier can be loaded."""

from collections.abc import Iterator

from bot.classifiers import chosen, load_classifier
from bot.examination.findings import Examined, Finding
from bot.settings import Settings
from models.diagnosis.contract import FLOOR
from models.errors import ModelError
from models.store.model_store import ModelStore

_NAME = "diagnosis"


def examine(examined: Examined) -> Iterator[Finding]:
    """Load the classifier that judges symptoms."""
    settings: Settings = examined.settings
    if not settings.diagnosis.enabled:
        yield Finding(_NAME, "ok", "Judging symptoms is switched off.")
        return
    store = ModelStore(settings.models_directory)
    name = chosen(settings, store)
    try:
        classifier = load_classifier(store, name)
    except ModelError as error:
        instead = "" if name == FLOOR else " Meanwhile the floor judges symptoms."
        yield Finding(_NAME, "failed", f"{error.message}{instead}", error.fix)
        return
    told = f"Symptoms are judged by {classifier.name}, which knows {len(classifier.labels)} conditions."
    classifier.close()
    yield Finding(_NAME, "ok", told)
