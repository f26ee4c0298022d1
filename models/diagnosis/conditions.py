"""What is to be said of a condition: what it is, its usual course, when it is urgent, and what tells it from others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from models.diagnosis.starter import CONDITIONS
from models.errors import ModelUnusableError

_SENTENCES = ("what", "course", "ask")


@dataclass(frozen=True, slots=True)
class Condition:
    """What is to be said of a condition.

    Attributes:
        label: its name, as classifiers give it.
        what: what it is, one sentence.
        course: how it usually goes, one to three sentences.
        urgent: when to see a doctor, and how soon, a sentence each.
        ask: what to add to a description so that it is told from its neighbours, one sentence.
    """

    label: str
    what: str
    course: str
    urgent: tuple[str, ...]
    ask: str


@cache
def conditions(path: Path = CONDITIONS) -> Mapping[str, Condition]:
    """Give the conditions of a file by label; a label that users trained themselves has none.

    Args:
        path: JSON; an object of objects with ``what``, ``course``, ``urgent`` (a list) and ``ask``.

    Raises:
        ModelUnusableError: it is missing, is no JSON, or an entry lacks something; the message says where.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path, f"it cannot be read ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise _unusable(path, "it holds no object of conditions")
    return MappingProxyType({label: _condition(path, label, entry) for label, entry in document.items()})


def _condition(path: Path, label: str, entry: object) -> Condition:
    fields: dict[str, object] = entry if isinstance(entry, dict) else {}
    if unknown := fields.keys() - {*_SENTENCES, "urgent"}:
        raise _unusable(path, f"“{label}” has a field “{min(unknown)}” that means nothing")
    what, course, ask = (_sentence(path, label, name, fields.get(name)) for name in _SENTENCES)
    urgent = fields.get("urgent")
    if not isinstance(urgent, list) or not urgent:
        raise _unusable(path, f"“{label}” lacks the list “urgent”")
    signs = tuple(_sentence(path, label, "urgent", sign) for sign in urgent)
    return Condition(label, what, course, signs, ask)


def _sentence(path: Path, label: str, name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _unusable(path, f"“{label}” lacks the text “{name}”")
    return value.strip()


def _unusable(path: Path, wrong: str) -> ModelUnusableError:
    return ModelUnusableError(
        f"{path} does not tell about conditions: {wrong}.", "Restore the file, or install preceptor anew."
    )
