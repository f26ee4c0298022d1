"""Finds where a text mentions the concepts of the rules, which mentions count, and which of them are together."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from models.diagnosis.red_flags.context import Context
from models.diagnosis.red_flags.cues import NEGATORS
from models.diagnosis.red_flags.patterns import Places, Span
from models.diagnosis.red_flags.rules import Rule, Rules, Way
from models.diagnosis.red_flags.tokens import Words

_MOST_MENTIONS = 100
"""So many mentions of a concept are looked at."""


class Mentions:
    """Where a text mentions the concepts of the rules."""

    def __init__(self, words: Words, rules: Rules) -> None:
        self._rules = rules
        self._context = Context(words)
        places = Places(words, rules.vocabulary, frozenset())
        inert = frozenset(
            place
            for pattern in rules.ignored
            for start, end in places.find(pattern)
            if not NEGATORS.intersection(words.words[max(0, start - 2) : start])
            for place in range(start, end + 1)
        )
        self._places = Places(words, rules.vocabulary, inert) if inert else places
        self._counted: dict[str, list[Span]] = {}
        self._all: dict[str, list[Span]] = {}

    def raises(self, way: Way, rule: Rule) -> bool:
        """Whether all concepts of a way are mentioned near each other, with none that excludes it."""
        # What is mentioned is soon found; whether it counts takes longer, and is asked of few.
        if not all(map(self._mentioned, way.needed)):
            return False
        first, *others = sorted(map(self._count, way.needed), key=len)
        return any(
            all(_near(span, other, rule.window) for other in others)
            and not any(_near(span, self._count(name), rule.window) for name in way.excluded)
            for span in first
        )

    def concepts(self) -> Iterator[tuple[str, bool]]:
        """Yield the name of each concept that the text mentions, and whether a mention of it counts."""
        for name in self._rules.concepts:
            if self._mentioned(name):
                yield name, bool(self._count(name))

    def _count(self, name: str) -> list[Span]:
        """Give the mentions of a concept that count."""
        if name not in self._counted:
            despite = self._rules.concepts[name].despite
            self._counted[name] = [span for span in self._mentioned(name) if self._context.counts(span, despite)]
        return self._counted[name]

    def _mentioned(self, name: str) -> list[Span]:
        if name not in self._all:
            concept = self._rules.concepts[name]
            # Most concepts have no word in common with a text.
            patterns = () if self._places.lack(concept.hints) else concept.patterns
            spans = {span for pattern in patterns for span in self._places.find(pattern)}
            self._all[name] = sorted(spans)[:_MOST_MENTIONS]
        return self._all[name]


def _near(span: Span, others: Sequence[Span], window: int) -> bool:
    """Whether one of the others begins within so many words of a span."""
    starts = [start for start, _ in others]
    return bisect_left(starts, span[0] - window) < bisect_right(starts, span[1] + window)
