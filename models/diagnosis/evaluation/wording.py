"""What diagnosis calls what it classifies, in the words of its reports and in the names of their JSON."""

from collections.abc import Mapping
from typing import Any

from models.evaluation.classification.wording import Wording, renamed

SYMPTOMS = Wording("text", "texts", "descriptions answered", "condition", "conditions")

_NAMES = {
    "example": "text",
    "examples": "texts",
    "no_match_examples": "no_match_texts",
    "ece_classes": "ece_conditions",
}


def told(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the JSON of figures or of a comparison with the names that diagnosis has for them."""
    return renamed(document, _NAMES, left_out=("top5",))
