"""What the reports of classifiers call what was classified, so that each speaks of its own things."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Wording:
    """Nouns for what is classified and for what it is classified as.

    Attributes:
        example, examples: what is classified, one and several.
        answered: those of one of the classes that something is said about.
        label, labels: what it may be of, one and several.
    """

    example: str
    examples: str
    answered: str
    label: str
    labels: str


EXAMPLES = Wording("example", "examples", "examples answered", "class", "classes")


def renamed(document: Mapping[str, Any], names: Mapping[str, str], left_out: Collection[str]) -> dict[str, Any]:
    """Give the JSON of figures, or of a comparison, with other names for some of its keys, at all depths.

    Args:
        document: what is given.
        names: the new names by the old ones; other keys keep theirs.
        left_out: keys that are not given at all.
    """

    def _renamed(value: object) -> object:
        if isinstance(value, dict):
            return renamed(value, names, left_out)
        return list(map(_renamed, value)) if isinstance(value, list) else value

    return {names.get(key, key): _renamed(value) for key, value in document.items() if key not in left_out}
