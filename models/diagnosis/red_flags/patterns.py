"""Reads the patterns of rules, and finds them in words.

A pattern is words in their order, with at most two others between one and the next, within one sentence:

- ``a|b`` either; ``=fits`` in this very form alone, where other words count in any; ``<pain>`` any word of the group
  of that name; ``#0-12`` a number from 0 to 12;
- ``~5`` between two words: at most five others there; ``~0``: none; a comma counts as three;
- ``one & other`` both, in any order, with at most eight words between.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from models.diagnosis.red_flags.cues import NEGATORS
from models.diagnosis.red_flags.tokens import Words, spelt_out
from models.diagnosis.red_flags.vocabulary import EXACT, Vocabulary, stem

_NO_NEGATION = frozenset(["only", "just", "even", "sure"])


_MOST_PLACES = 250
"""So many occurrences of a word are looked at: who writes "pain" more often means what the first ones mean."""

_GAP = 2
_COMMA = 3
_APART = 8

Span = tuple[int, int]
"""The places of a match's first and last word."""


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a pattern: the stems that may stand there, or the numbers, and how many words may go before it."""

    stems: frozenset[str]
    numbers: tuple[float, float] | None
    gap: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """Sequences that must all occur near each other; `denies` is whether a "not" is one of their words."""

    sequences: tuple[tuple[Element, ...], ...]
    denies: bool

    @property
    def hint(self) -> frozenset[str]:
        """The fewest stems of which one must stand in a text; empty where numbers alone make the pattern."""
        stems = [element.stems for sequence in self.sequences for element in sequence if not element.numbers]
        return min(stems, key=len, default=frozenset())


def read_pattern(source: str, groups: Mapping[str, Sequence[str]]) -> Pattern:
    """Read a pattern.

    Raises:
        ValueError: it names a group that there is not, or is empty.
    """
    sequences = tuple(tuple(_elements(part, groups)) for part in source.split("&"))
    return Pattern(sequences, bool(words_in(source, groups) & NEGATORS))


def words_in(source: str, groups: Mapping[str, Sequence[str]]) -> set[str]:
    """Give the words that a pattern looks for."""
    return {
        word
        for element in source.replace("&", " ").split()
        if not element.startswith("~")
        for word in _alternatives(element, groups)
        if not word.startswith("#")
    }


class Places:
    """Where in a text each stem and each number stands."""

    def __init__(self, words: Words, vocabulary: Vocabulary, inert: frozenset[int]) -> None:
        self.words = words
        self._stems: dict[str, list[int]] = {}
        self._numbers: list[tuple[int, float]] = []
        for place, word in enumerate(words.words):
            if place in inert:
                continue
            for found in vocabulary.stems_of(word):
                places = self._stems.setdefault(found, [])
                if len(places) < _MOST_PLACES:
                    places.append(place)
            if word[0].isdecimal() and len(self._numbers) < _MOST_PLACES and word.replace(".", "", 1).isdecimal():
                self._numbers.append((place, float(word)))
        self._present = frozenset(self._stems)

    def lack(self, hints: frozenset[str]) -> bool:
        """Say whether a text has none of these stems; of no stems it lacks none."""
        return bool(hints) and hints.isdisjoint(self._present)

    def find(self, pattern: Pattern) -> list[Span]:
        """Give where a pattern stands."""
        # Most patterns have a word that the text lacks.
        for sequence in pattern.sequences:
            for element in sequence:
                if not element.numbers and element.stems.isdisjoint(self._present):
                    return []
        found = [self._sequence(sequence) for sequence in pattern.sequences]
        spans = found[0]
        for others in found[1:]:
            spans = list(self._beside(spans, others))
        return spans if pattern.denies else [span for span in spans if not self._is_denied_within(span)]

    def _is_denied_within(self, span: Span) -> bool:
        """Whether a "not" stands within: "my face is not drooping"."""
        words = self.words.words[span[0] : span[1] + 2]
        return any(word in NEGATORS and after not in _NO_NEGATION for word, after in pairwise(words))

    def _of(self, element: Element) -> list[int]:
        lists = [self._stems[one] for one in element.stems if one in self._stems]
        if element.numbers:
            low, high = element.numbers
            lists.append([place for place, number in self._numbers if low <= number <= high])
        return lists[0] if len(lists) == 1 else sorted({place for one in lists for place in one})

    def _sequence(self, elements: Sequence[Element]) -> list[Span]:
        spans = [(place, place) for place in self._of(elements[0])]
        for element in elements[1:]:
            if not spans:
                return []
            spans = list(self._followed(spans, self._of(element), element.gap))
        return spans

    def _followed(self, spans: Sequence[Span], places: Sequence[int], gap: int) -> Iterator[Span]:
        """Yield the spans that are followed soon, up to the first word that follows."""
        sentences = self.words.sentences
        clauses = self.words.clauses
        for start, end in spans:
            at = bisect_right(places, end)
            if at == len(places) or sentences[places[at]] != sentences[start]:
                continue
            if places[at] - end - 1 + _COMMA * (clauses[places[at]] - clauses[end]) <= gap:
                yield start, places[at]

    def _beside(self, spans: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
        starts = [start for start, _ in others]
        sentences = self.words.sentences
        for start, end in spans:
            for other in others[max(0, bisect_left(starts, start) - 2) : bisect_right(starts, end + _APART) + 1]:
                is_near = other[0] - end <= _APART + 1 and start - other[1] <= _APART + 1
                is_apart = other[0] > end or other[1] < start or (start < other[0] and other[1] < end)
                if is_near and is_apart and sentences[other[0]] == sentences[start]:
                    yield min(start, other[0]), max(end, other[1])
                    break


def _elements(part: str, groups: Mapping[str, Sequence[str]]) -> Iterator[Element]:
    gap = _GAP
    for source in part.split():
        if source.startswith("~"):
            gap = int(source[1:])
            continue
        alternatives = set(_alternatives(source, groups))
        ranges = {word for word in alternatives if word.startswith("#")}
        stems = frozenset(word if word.startswith(EXACT) else stem(word) for word in alternatives - ranges)
        yield Element(stems, _range(ranges.pop()) if ranges else None, gap)
        gap = _GAP


def _range(source: str) -> tuple[float, float]:
    low, high = source[1:].split("-")
    return float(low), float(high)


def _alternatives(source: str, groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for word in source.split("|"):
        if not word:
            raise ValueError(f"an empty word in “{source}”")
        if not word.startswith("<"):
            yield spelt_out(word)
        elif word[1:-1] in groups:
            yield from map(spelt_out, groups[word[1:-1]])
        else:
            raise ValueError(f"no group {word}")
