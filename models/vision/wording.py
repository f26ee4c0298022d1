"""What reports about pictures call what was classified, in their words and in the names of their JSON."""

from collections.abc import Mapping
from typing import Any

from models.evaluation.classification.wording import Wording, renamed

PICTURES = Wording("picture", "pictures", "pictures told without doubt", "class", "classes")

_NAMES = {"example": "picture", "examples": "pictures"}
# Every picture is told something: there is none that matches nothing.
_LEFT_OUT = ("no_match_examples", "no_match_answered", "abstention_auroc", "ece_classes")


def told(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the JSON of figures or of a comparison with the names that hold for pictures."""
    return renamed(document, _NAMES, _LEFT_OUT)
