"""What ranking needs to know of a question: its weighted terms and the kinds of answer it asks for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import Stemmer

from models.generation.answer_types import AnswerType, expected_types
from models.generation.contract import Turn

_WORD = re.compile(r"[^\W_]+")
# Of a very long question its beginning and its end are read: that is where people ask.
_LONGEST_END = 2_000
# Questions with so few terms of their own are read with the one before.
_SHORT = 2
_EARLIER_WEIGHT = 0.4
_GENERIC_WEIGHT = 0.3
_FUNCTION_WORDS = """
a an the of in on at to for by with from as is are was were be been being am do does did done doing what
which who whom whose when where why how and or nor but if then than that this these those it its they them
their theirs he him his she her hers we us our ours you your yours i me my mine has have had having can
could will would shall should may might must not no so such some any each every here there also just very
too into onto about one ones s t d ll re ve m tell explain please give show
"""
# Words that say what kind of answer is wanted more than what about.
_GENERIC_WORDS = """
kind type sort name term word called known use used happen mean thing many much number amount people person
place part group say said describe example percentage year formula equation expression unit value law
"""
_ASKS_DEFINITION = re.compile(
    r"\s*(?:(?:please |can you |could you )*(?:define|explain|describe|tell me (?:about|what))\b"
    r"|what(?:['’]s| is| are| was| were)\b|who (?:is|was|are|were)\b"
    r"|what (?:do|does|did)\b.{1,80}\b(?:mean|say|state)s?\b"
    r"|(?!(?:how|why|when|where|which|who|what|can|could|do|does|did|is|are|was|were|will|would|should|and)\b)"
    r"\S+(?: \S+){0,5}\s*$)",
    re.IGNORECASE,
)
# The verb that closes such a question is no term of it: "What does inertia mean?"
_FRAME = re.compile(r"\b(?:mean|say|state)\W*$", re.IGNORECASE)
_REFERS_BACK = re.compile(
    r"\b(?:it|its|this|that|these|those|they|them|their|he|she|his|her|one|ones)\b|^\s*and\b", re.IGNORECASE
)

_KEPT = 8_192
"""Texts whose stems a reader remembers."""


@dataclass(frozen=True, slots=True)
class QuestionTerms:
    """What a question says.

    Attributes:
        weights: how much each stemmed term counts, above 0, at most 1.
        function_words: its stemmed words without a meaning of their own.
        pairs: its neighbouring stems, in order.
        words: all its words, lower-case.
        expected: the kinds of answer it asks for.
        asks_definition: whether it asks what something is.
    """

    weights: dict[str, float]
    function_words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    words: frozenset[str]
    expected: tuple[AnswerType, ...]
    asks_definition: bool


class TermReader:
    """Reads terms off texts; holds the stemmer, which is not to be shared between threads.

    Attributes:
        function_words: the stems of words without a meaning of their own.
        known_stems: gives what `stems` gives, and remembers it; for texts that come again and again. Not to be changed.
    """

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english")
        self.known_stems = lru_cache(_KEPT)(self.stems)
        self.function_words = frozenset(self._stemmer.stemWords(_FUNCTION_WORDS.split()))
        self._generic_stems = frozenset(self._stemmer.stemWords(_GENERIC_WORDS.split()))

    def stems(self, text: str) -> list[str]:
        """The stems of a text's words, in order."""
        stems: list[str] = self._stemmer.stemWords(_WORD.findall(_encodable(text).lower()))
        return stems

    def question_terms(self, question: str, history: Sequence[Turn] = ()) -> QuestionTerms:
        """Read a question; where it is short or refers back, the one before lends it terms at less weight."""
        if len(question) > 2 * _LONGEST_END:
            question = f"{question[:_LONGEST_END]} {question[-_LONGEST_END:]}"
        asks_definition = _ASKS_DEFINITION.match(question) is not None
        if asks_definition:
            question = _FRAME.sub("", question)
        stems = self.stems(question)
        weights = self._weights(stems)
        if history and (len(weights) <= _SHORT or _REFERS_BACK.search(question)):
            earlier = self._weights(self.stems(history[-1].question[:_LONGEST_END]))
            weights = {stem: _EARLIER_WEIGHT * weight for stem, weight in earlier.items()} | weights
        return QuestionTerms(
            weights=weights or dict.fromkeys(stems, 1.0),
            function_words=self.function_words.intersection(stems),
            pairs=frozenset(pairwise(stems)),
            words=frozenset(_WORD.findall(question.lower())),
            expected=expected_types(question),
            asks_definition=asks_definition,
        )

    def _weights(self, stems: Sequence[str]) -> dict[str, float]:
        meaningful = (stem for stem in stems if stem not in self.function_words)
        return {stem: _GENERIC_WEIGHT if stem in self._generic_stems else 1.0 for stem in meaningful}


def _encodable(text: str) -> str:
    """A text without lone surrogates, which the stemmer refuses."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
