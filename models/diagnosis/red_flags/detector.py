"""Detects descriptions of emergencies as learned from examples: what the rules did not think of."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.floor.classifier import FloorClassifier
from models.diagnosis.red_flags.context import Context
from models.diagnosis.red_flags.mentions import Mentions
from models.diagnosis.red_flags.rules import Rules, read_rules
from models.diagnosis.red_flags.tokens import Words, words_of

LONGEST = 4_000
"""Characters of a text that are looked at; the rules look at more."""

SURE = 0.3
"""The log-odds of an emergency from which on a whole text is taken for one.

Chosen on the examples, each judged by what was trained on others (`benchmarks/red_flags.py`), so that with the rules at
most 5 % of texts that look like emergencies and are none, and at most 2 % of ordinary descriptions, raise a flag.
"""

SURE_OF_SENTENCE = 2.3
"""The same for one sentence of several, which says less about what is meant by it."""

_WITHOUT_DOUBTS = 1.0
"""How much lower the log-odds may be when all that does not count, such as what is past, is left out."""

_LONGEST_WHOLE = 600
_MOST_SENTENCES = 30
_MOST_READ_CLOSELY = 8
_MOST_CANDIDATES = 3
_FEWEST_LETTERS = 12
_SENTENCE_END = re.compile(r"(?<=[.!?\n])\s+")
_CONCEPTS_SHARE = 0.7


_CHILD = (
    r"bab(?:y|ies)|bub|newborn|infant|toddler|child|kid|son|daughter|boy|girl|twin|niece|nephew|grand|little|week|month"
)
_SPEAKS_OF = {
    flag: re.compile(rf"\b(?:{words})", re.IGNORECASE)
    for flag, words in {
        "Warning sign in pregnancy": r"pregnan|pre?ggo|weeks|wks|months|trimester|expect|midwi|bump|birth|labou?r|baby"
        r"|bub|contract|waters|placenta|due|gave|deliver|c.section|miscarr|kick|moving",
        "Fever in a very young baby": _CHILD,
        "Seriously ill baby or child": _CHILD,
        "Very high blood pressure with warning signs": r"bp|pressure|blood|systol|reading|cuff|hypertens|\d{2,3}",
    }.items()
}
"""What a text has to speak of for the flag to be told: the wrong name under an alarm frightens for nothing."""


@dataclass(frozen=True, slots=True)
class FlagDetector:
    """A linear classifier over the terms of the floor and the concepts of the rules; may serve several threads at once.

    Attributes:
        classifier: its labels are the names of flags and its last class is that there is none; its coefficients are
            those of its vocabulary's terms and, after them, of the concepts as `concept_numbers` numbers them.
    """

    classifier: FloorClassifier
    _rules: Rules = field(default_factory=read_rules, repr=False, compare=False)

    def of(self, text: str) -> str:
        """Give the name of the flag that a text most likely deserves; empty where it seems to be no emergency.

        Looks at the whole text, of a long one at its first 600 characters, and at each of its sentences.

        Args:
            text: anything; of what is longer than `LONGEST` the beginning is looked at, and 30 sentences of it.
        """
        parts = self._promising(parts_of(text))
        if not parts:
            return ""
        said = self.logits(parts)
        odds = -said[:, -1]
        needed = np.array([SURE, *[SURE_OF_SENTENCE] * (len(parts) - 1)])
        # The surest few: each costs as much again.
        for place in np.argsort(needed - odds, kind="stable")[:_MOST_CANDIDATES].tolist():
            if odds[place] < needed[place]:
                break
            (without_doubts,) = -self.logits([counted(parts[place])])[:, -1]
            flag = self.classifier.labels[int(said[place, :-1].argmax())]
            if without_doubts >= needed[place] - _WITHOUT_DOUBTS and _may_be(flag, text):
                return flag
        return ""

    def _promising(self, parts: list[str]) -> list[str]:
        """Give the whole text and the sentences whose terms say most; to find concepts in all would take long."""
        if len(parts) <= 1 + _MOST_READ_CLOSELY:
            return parts
        said = self.classifier.logits(parts[1:])[:, -1]
        return [parts[0], *(parts[1 + place] for place in np.argsort(said, kind="stable")[:_MOST_READ_CLOSELY])]

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give what is said for each flag and for none, shaped [texts, flags + 1]."""
        first = len(self.classifier.vocabulary)
        said = self.classifier.logits(texts)
        for place, text in enumerate(texts):
            numbers, weight = concepts_of(text, self._rules)
            said[place] += weight * self.classifier.coefficients[np.array(numbers, np.int64) + first].sum(axis=0)
        return said


def _may_be(flag: str, text: str) -> bool:
    """Whether a text speaks of whom or what a flag is about at all."""
    return flag not in _SPEAKS_OF or bool(_SPEAKS_OF[flag].search(text))


def parts_of(text: str) -> list[str]:
    """Give a text, and after it its sentences where there are several."""
    text = text[:LONGEST].strip()
    if not text:
        return []
    sentences = [one for one in _SENTENCE_END.split(text) if len(one) >= _FEWEST_LETTERS]
    return [text[:_LONGEST_WHOLE], *sentences[:_MOST_SENTENCES]] if len(sentences) > 1 else [text]


def counted(text: str) -> str:
    """Give the words of a text that are not asked about, past, told of a film, or said of an animal or a thing.

    What is denied stays, since the terms of the floor tell that themselves.
    """
    words = words_of(text)
    context = Context(words)
    return " ".join(_with_commas(words, (place for place in range(len(words.words)) if _counts(context, place))))


def _counts(context: Context, place: int) -> bool:
    return context.counts((place, place), despite=("negation",))


def _with_commas(words: Words, places: Iterable[int]) -> Iterable[str]:
    before = 0
    for place in places:
        if words.clauses[place] != before:
            yield ","
            before = words.clauses[place]
        yield words.words[place]


def concept_count(rules: Rules) -> int:
    """Give how many numbers `concepts_of` gives: two for each concept."""
    return 2 * len(rules.concepts)


def concepts_of(text: str, rules: Rules) -> tuple[list[int], float]:
    """Give the numbers of the concepts that a text mentions, and the weight of each.

    A concept has two numbers: one for mentions that count, one for those that are denied, past or the like. The weights
    of a text have a length of .7 together, as the floor's concepts have.
    """
    found = dict(Mentions(words_of(text), rules).concepts())
    numbers = [2 * number + found[name] for number, name in enumerate(rules.concepts) if name in found]
    return numbers, _CONCEPTS_SHARE / max(1, len(numbers)) ** 0.5
