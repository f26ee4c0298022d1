"""How a question is read against an index: which terms are looked up, and with what weight."""

from collections.abc import Iterable, Sequence
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from knowledge.index.analysis import FUNCTION_TERMS, FUNCTION_WORDS, QueryWord, query_words
from knowledge.index.spelling import SpellingIndex, edit_distance
from knowledge.index.vocabulary import Vocabulary
from knowledge.index.weighting import TfidfOptions

_LONGEST_TEXT = 10_000
_MOST_TERMS = 64
_MOST_MISSPELT = 8
_CORRECTIONS = 2
_TURNS = 4
# Function words with two neighbouring letters swapped: "waht", "teh".
_SWAPPED = frozenset(
    word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    for word in FUNCTION_WORDS
    if len(word) > 2
    for i in range(len(word) - 1)
)
_LONG_FUNCTION_WORDS = tuple(word for word in sorted(FUNCTION_WORDS) if len(word) > 5)


class AskedTerm(NamedTuple):
    """A term of the index that a question asks for.

    Attributes:
        written: the word as the asker wrote it.
        term: the index term it stands for.
        number: the term's number in the vocabulary.
        weight: what its impacts are multiplied with, above 0.
        mass: its part of the question's mass; 0 for function words and for words of earlier turns.
        word: number of the word it stands for, which two terms share where a misspelt word has two readings.
    """

    written: str
    term: str
    number: int
    weight: float
    mass: float
    word: int


class Question(NamedTuple):
    """A question as it is looked up.

    Attributes:
        terms: distinct, in the order of the question; none where nothing in it is known.
        mass: the inverse document frequencies of all its words together, known or not, above 0.
        slips: how many of its words no document holds and are taken for mistyped function words.
    """

    terms: list[AskedTerm]
    mass: float
    slips: int

    def share(self, terms: Iterable[AskedTerm]) -> float:
        """Return the share of the mass that `terms` make up, 0 to 1; of two readings of a word the better counts."""
        masses: dict[int, float] = {}
        for term in terms:
            masses[term.word] = max(term.mass, masses.get(term.word, 0.0))
        return min(sum(masses.values()) / self.mass, 1.0)


class QuestionReader:
    """Reads questions against one vocabulary; safe for any number of threads."""

    __slots__ = ("_highest_idf", "_idf", "_options", "_spelling", "_vocabulary")

    def __init__(
        self, vocabulary: Vocabulary, idf: NDArray[np.float32], spelling: SpellingIndex, options: TfidfOptions
    ) -> None:
        self._vocabulary = vocabulary
        self._idf = idf.data
        self._spelling = spelling
        self._options = options
        self._highest_idf = float(idf.max(initial=0.0))

    def read(self, text: str, context: Sequence[str] = ()) -> Question:
        """Return the terms to look up, at most 64: the weightiest where there are more.

        Args:
            text: the question; its first 10,000 characters count.
            context: earlier turns of the conversation, oldest first; the last four count.
        """
        asked, mass, slips = self._read_question(text)
        for back, turn in enumerate(reversed(context[-_TURNS:]), 1):
            asked += self._read_turn(turn, self._options.context_weight**back, len(asked))
        asked = _distinct(asked)
        if len(asked) > _MOST_TERMS:
            asked.sort(key=lambda term: -term.weight * self._idf[term.number])
        return Question(asked[:_MOST_TERMS], mass or 1.0, slips)

    def _read_question(self, text: str) -> tuple[list[AskedTerm], float, int]:
        tally = _tally(text)
        # A question of function words alone ("what is it?") is looked up as it stands.
        light = frozenset() if tally.keys() <= FUNCTION_TERMS else FUNCTION_TERMS
        asked: list[AskedTerm] = []
        total, misspelt, slips = 0.0, 0, 0
        for place, (term, (word, count)) in enumerate(tally.items()):
            number = self._vocabulary.find(term)
            if number < 0 and term not in FUNCTION_TERMS and _is_slip(word.normal):
                slips += 1
                continue
            weight = 1.0 if count == 1 else 1 + log(count)
            mass = self._highest_idf if number < 0 else self._idf[number]
            if term in light:
                weight, mass = weight * self._options.function_word_weight, 0.0
            total += mass
            if number >= 0:
                asked.append(AskedTerm(word.written, term, number, weight, mass, place))
            elif term not in light and misspelt < _MOST_MISSPELT:
                misspelt += 1
                asked += self._correct(word, weight, mass, place)
        return asked, total, slips

    def _correct(self, word: QueryWord, weight: float, mass: float, place: int) -> list[AskedTerm]:
        found = []
        for near in self._spelling.nearest(word.normal, _CORRECTIONS):
            trust = self._options.spelling_weight**near.edits
            term = self._vocabulary.word(near.term)
            found.append(AskedTerm(word.written, term, near.term, weight * trust, mass * trust, place))
        return found

    def _read_turn(self, turn: str, weight: float, first: int) -> list[AskedTerm]:
        content = [(term, word) for term, (word, _) in _tally(turn).items() if term not in FUNCTION_TERMS]
        return [
            AskedTerm(word.written, term, number, weight, 0.0, first + place)
            for place, (term, word) in enumerate(content)
            if (number := self._vocabulary.find(term)) >= 0
        ]


def _is_slip(word: str) -> bool:
    """Whether an unknown word is most likely a function word mistyped, such as *waht*, *teh* or *desribe*."""
    if word in _SWAPPED:
        return True
    return any(word[0] == meant[0] and edit_distance(word, meant, 1) == 1 for meant in _LONG_FUNCTION_WORDS)


def _distinct(asked: Iterable[AskedTerm]) -> list[AskedTerm]:
    """Return each term once, where it is first asked for, with the highest weight it is asked for with."""
    heaviest: dict[int, AskedTerm] = {}
    for term in asked:
        if term.number not in heaviest or heaviest[term.number].weight < term.weight:
            heaviest[term.number] = term
    return [term for term in heaviest.values() if term.weight > 0]


def _tally(text: str) -> dict[str, tuple[QueryWord, int]]:
    """Return the distinct terms of `text` in order, each with the first word it stands for and its count."""
    tally: dict[str, tuple[QueryWord, int]] = {}
    for word in query_words(text[:_LONGEST_TEXT]):
        first = tally.get(word.term)
        tally[word.term] = (word, 1) if first is None else (first[0], first[1] + 1)
    return tally
