"""How a question is read against an index: which terms are looked up, and with what weight."""

from collections.abc import Sequence
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from knowledge.analysis import FUNCTION_WORDS, QueryWord, query_words, stems
from knowledge.spelling import SpellingIndex
from knowledge.vocabulary import Vocabulary
from knowledge.weighting import TfidfOptions

_LONGEST_TEXT = 10_000
_MOST_TERMS = 64
_MOST_MISSPELT = 8
_CORRECTIONS = 2
_TURNS = 4
_FUNCTION_TERMS = frozenset(stems(sorted(FUNCTION_WORDS)))


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
    """

    terms: list[AskedTerm]
    mass: float


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
        asked, mass = self._read_question(text)
        for back, turn in enumerate(reversed(context[-_TURNS:]), 1):
            asked += self._read_turn(turn, self._options.context_weight**back, len(asked))
        firsts = {term.number: term for term in reversed(asked) if term.weight > 0}
        asked = list(reversed(firsts.values()))
        if len(asked) > _MOST_TERMS:
            asked.sort(key=lambda term: -term.weight * self._idf[term.number])
        return Question(asked[:_MOST_TERMS], mass or 1.0)

    def _read_question(self, text: str) -> tuple[list[AskedTerm], float]:
        tally = _tally(text)
        # A question of function words alone ("what is it?") is looked up as it stands.
        light = frozenset() if tally.keys() <= _FUNCTION_TERMS else _FUNCTION_TERMS
        asked: list[AskedTerm] = []
        total, misspelt = 0.0, 0
        for place, (term, (word, count)) in enumerate(tally.items()):
            number = self._vocabulary.find(term)
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
        return asked, total

    def _correct(self, word: QueryWord, weight: float, mass: float, place: int) -> list[AskedTerm]:
        found = []
        for near in self._spelling.nearest(word.normal, _CORRECTIONS):
            trust = self._options.spelling_weight**near.edits
            term = self._vocabulary.word(near.term)
            found.append(AskedTerm(word.written, term, near.term, weight * trust, mass * trust, place))
        return found

    def _read_turn(self, turn: str, weight: float, first: int) -> list[AskedTerm]:
        content = [(term, word) for term, (word, _) in _tally(turn).items() if term not in _FUNCTION_TERMS]
        return [
            AskedTerm(word.written, term, number, weight, 0.0, first + place)
            for place, (term, word) in enumerate(content)
            if (number := self._vocabulary.find(term)) >= 0
        ]


def _tally(text: str) -> dict[str, tuple[QueryWord, int]]:
    """Return the distinct terms of `text` in order, each with the first word it stands for and its count."""
    tally: dict[str, tuple[QueryWord, int]] = {}
    for word in query_words(text[:_LONGEST_TEXT]):
        first = tally.get(word.term)
        tally[word.term] = (word, 1) if first is None else (first[0], first[1] + 1)
    return tally
