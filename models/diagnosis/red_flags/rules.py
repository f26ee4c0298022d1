"""Reads the rules of red flags: groups of words, concepts made of patterns, and flags that concepts raise together."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

from models.diagnosis.contract import RedFlag
from models.diagnosis.red_flags.context import Doubt
from models.diagnosis.red_flags.patterns import Pattern, read_pattern, words_in
from models.diagnosis.red_flags.vocabulary import Vocabulary

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that a text may mention, in one of several ways.

    Attributes:
        patterns: the ways.
        despite: doubts in spite of which a mention counts.
        hints: stems of which a text that mentions it has at least one; empty where numbers alone may mention it.
    """

    patterns: tuple[Pattern, ...]
    despite: tuple[Doubt, ...]
    hints: frozenset[str]


@dataclass(frozen=True, slots=True)
class Way:
    """Concepts that raise a flag when all are mentioned near each other, and those that keep it from being raised."""

    needed: tuple[str, ...]
    excluded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A flag and what raises it: one of several ways, all of a way's concepts within so many words."""

    flag: RedFlag
    ways: tuple[Way, ...]
    window: int


@dataclass(frozen=True, slots=True)
class Rules:
    """All that is known of red flags; `ignored` are turns of phrase whose words count for nothing."""

    vocabulary: Vocabulary
    concepts: Mapping[str, Concept]
    rules: tuple[Rule, ...]
    ignored: tuple[Pattern, ...]


@cache
def read_rules() -> Rules:
    """Read the rules that come with the package.

    Raises:
        ValueError: a way names a concept that there is not, or a pattern a group; a test keeps both from happening.
    """
    words = tomllib.loads((_FOLDER / "words.toml").read_text(encoding="utf-8"))
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((_FOLDER / "rules").glob("*.toml"))]
    groups = {name: tuple(group.split()) for name, group in words["groups"].items()}
    sources = {name: concept for file in files for name, concept in file["concepts"].items()}
    ignored = words["ignored"]["phrases"]
    patterns = [*ignored, *(pattern for concept in sources.values() for pattern in _patterns(concept))]
    vocabulary = Vocabulary(
        {word for pattern in patterns for word in words_in(pattern, groups)}, words["ignored"]["real_words"].split()
    )
    concepts = {name: _concept(concept, groups) for name, concept in sources.items()}
    rules = tuple(_rule(flag, concepts) for file in files for flag in file["flags"])
    return Rules(vocabulary, concepts, rules, tuple(read_pattern(pattern, groups) for pattern in ignored))


class _DespiteDoubts(TypedDict):
    """How a concept is written that counts in spite of a doubt."""

    patterns: list[str]
    despite: list[Doubt]


_Source = list[str] | _DespiteDoubts


def _patterns(concept: _Source) -> Sequence[str]:
    return concept if isinstance(concept, list) else concept["patterns"]


def _concept(concept: _Source, groups: Mapping[str, Sequence[str]]) -> Concept:
    despite: Sequence[Doubt] = () if isinstance(concept, list) else concept["despite"]
    patterns = tuple(read_pattern(pattern, groups) for pattern in _patterns(concept))
    hints = [pattern.hint for pattern in patterns]
    return Concept(patterns, tuple(despite), frozenset().union(*hints) if all(hints) else frozenset())


def _rule(flag: Mapping[str, Any], concepts: Mapping[str, Concept]) -> Rule:
    return Rule(
        RedFlag(flag["name"], flag["advice"]), tuple(_way(way, concepts) for way in flag["ways"]), flag["window"]
    )


def _way(source: str, concepts: Mapping[str, Concept]) -> Way:
    names = [name.strip() for name in source.split("+")]
    if unknown := {name.removeprefix("!") for name in names} - concepts.keys():
        raise ValueError(f"no concept {min(unknown)}")
    excluded = tuple(name[1:] for name in names if name.startswith("!"))
    return Way(tuple(name for name in names if not name.startswith("!")), excluded)
