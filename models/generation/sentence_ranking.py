"""How well each sentence answers a question, judged by the words both have and the kind of answer asked for."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import mul
from typing import NamedTuple

from models.generation.question_terms import QuestionTerms, TermReader
from models.generation.sentences import Sentence

# Stems that begin alike this far mostly belong to one family: "gravit|y", "gravit|ation".
_FAMILY = 5
# A sentence's subject stands among its first words.
_OPENING = 6
_SUBJECT = 3
# What a passage without a title is about is less sure.
_UNTITLED = 0.3
_FAINTEST = 0.05


@dataclass(frozen=True, slots=True)
class Source:
    """A passage taken apart: its sentences in order, its title or question, and its search score.

    `is_lasting` is whether other questions may find it, too, so that it is worth remembering.
    """

    sentences: Sequence[Sentence]
    title: str
    score: float
    is_lasting: bool = True


class Evidence(NamedTuple):
    """What speaks for a sentence; shares are of the question's terms, weighted by their rarity, from 0 to 1.

    Attributes:
        stated: share of the terms that the sentence holds.
        complete: the same of those terms that any sentence at hand holds.
        related: share it holds another form of.
        nearby: share that the title or the sentence before holds and this one doesn't.
        phrases: share of the terms that stand beside the same neighbour as in the question.
        function_words: words without meaning shared with the question, in fives.
        expected: kinds of answer it gives of those that are asked for.
        defines: where a definition is asked for and this opens its passage with one of the terms, how far the
            passage's title is what is asked for, from 0 to 1.
        relevance: natural logarithm of its passage's score over the best passage's, at most 0.
        length: natural logarithm of the number of terms it adds to the question's.
        dangling: 1 where what it leads to, or refers back to, is missing.
    """

    stated: float
    complete: float
    related: float
    nearby: float
    phrases: float
    function_words: float
    expected: float
    defines: float
    relevance: float
    length: float
    dangling: float


# Fitted by maximum likelihood on one half of XQuAD's paragraphs, rounded; `defines` and `dangling` are set by hand.
WEIGHTS = Evidence(
    stated=3.0,
    complete=3.5,
    related=1.7,
    nearby=2.0,
    phrases=0.8,
    function_words=1.5,
    expected=1.5,
    defines=3.0,
    relevance=4.0,
    length=-0.5,
    dangling=-1.0,
)


@dataclass(frozen=True, slots=True)
class Ranking:
    """What is known of every sentence, by passage and by place in it.

    Attributes:
        log_odds: natural logarithm of its odds to be the answer, up to a constant.
        words: its stems.
        understood: whether it is understood by someone who has only the question in mind.
    """

    log_odds: list[list[float]]
    words: list[list[frozenset[str]]]
    understood: list[list[bool]]


def rank(question: QuestionTerms, sources: Sequence[Source], terms: TermReader) -> Ranking:
    """Judge every sentence by a log-linear model; takes time linear in the length of question and passages."""
    read = [_read(source, terms) for source in sources]
    words = [[frozenset(stems) for stems in source.stems] for source in read]
    judge = _Judge(question, terms.function_words, [held for of_source in words for held in of_source])
    best = max((source.score for source in sources), default=1.0)
    understood = [judge.understood(source) for source in read]
    evidence = [
        judge.evidence_of(source, _relevance(source.source.score, best), clear)
        for source, clear in zip(read, understood, strict=True)
    ]
    log_odds = [[sum(map(mul, found, WEIGHTS)) for found in of_source] for of_source in evidence]
    return Ranking(log_odds, words, understood)


@dataclass(frozen=True, slots=True)
class _ReadSource:
    source: Source
    title: frozenset[str]
    stems: list[list[str]]


def _read(source: Source, terms: TermReader) -> _ReadSource:
    read = terms.known_stems if source.is_lasting else terms.stems
    stems = [read(f"{sentence.text} {sentence.block}") for sentence in source.sentences]
    return _ReadSource(source, frozenset(read(source.title)), stems)


def _relevance(score: float, best: float) -> float:
    return math.log(max(score / best, _FAINTEST)) if best > 0 else 0.0


class _Judge:
    """Weighs sentences for one question; the rarer a term among the sentences at hand, the more it counts."""

    def __init__(
        self, question: QuestionTerms, function_words: frozenset[str], sentences: Sequence[frozenset[str]]
    ) -> None:
        self._question = question
        self._function_words = function_words
        self._terms = frozenset(question.weights)
        frequencies = Counter(stem for stems in sentences for stem in stems & self._terms)
        self._weights = {
            stem: weight * _inverse_document_frequency(frequencies[stem], len(sentences))
            for stem, weight in question.weights.items()
        }
        self._total = sum(self._weights.values()) or 1.0
        self._found = sum(self._weights[stem] for stem in frequencies) or 1.0
        self._families = {stem[:_FAMILY]: stem for stem in self._terms if len(stem) >= _FAMILY}

    def evidence_of(self, read: _ReadSource, relevance: float, understood: Sequence[bool]) -> list[Evidence]:
        return [self._evidence(read, at, relevance, is_clear) for at, is_clear in enumerate(understood)]

    def _evidence(self, read: _ReadSource, position: int, relevance: float, understood: bool) -> Evidence:
        sentence, stems = read.source.sentences[position], read.stems[position]
        held = frozenset(stems)
        shared = held & self._terms
        stated = sum(self._weights[stem] for stem in shared)
        before = frozenset(read.stems[position - 1]) if position else frozenset()
        added = held - self._terms - self._question.function_words
        return Evidence(
            stated=stated / self._total,
            complete=stated / self._found,
            related=self._share(self._relatives(held) - shared),
            nearby=self._share(((read.title | before) & self._terms) - shared),
            phrases=self._phrases(stems) / self._total,
            function_words=len(held & self._question.function_words) / 5,
            expected=self._expected(sentence.text),
            defines=self._defines(stems, read.title) if position == 0 else 0.0,
            relevance=relevance,
            length=math.log1p(len(added)),
            dangling=float(sentence.unfinished or (position == 0 and not understood)),
        )

    def understood(self, read: _ReadSource) -> list[bool]:
        """Whether each sentence is understood by someone who has only the question in mind.

        What a pronoun stands for is taken to be the passage's title or the subject of the sentence before; it is
        understood when the question names that. A sentence that goes on from another is understood when it
        holds most of what the question says.
        """
        understood: list[bool] = []
        named = not self._terms.isdisjoint(read.title)
        for sentence, stems in zip(read.source.sentences, read.stems, strict=True):
            holds_most = sum(map(self._weights.__getitem__, self._terms.intersection(stems))) >= self._found / 2
            understood.append(named or not (sentence.refers_back or (sentence.goes_on and not holds_most)))
            if not sentence.refers_back:
                named = not self._terms.isdisjoint([*read.title, *self._subject(stems)])
        return understood

    def _subject(self, stems: Sequence[str]) -> list[str]:
        meaningful = (stem for stem in stems if stem not in self._function_words)
        return list(islice(meaningful, _SUBJECT))

    def _share(self, stems: Iterable[str]) -> float:
        return sum(self._weights[stem] for stem in stems) / self._total

    def _relatives(self, held: Iterable[str]) -> set[str]:
        beginnings = {stem[:_FAMILY] for stem in held}
        return {self._families[beginning] for beginning in beginnings & self._families.keys()}

    def _phrases(self, stems: Sequence[str]) -> float:
        phrases = self._question.pairs.intersection(pairwise(stems))
        known = self._weights
        return sum(max(known.get(first, 0.0), known.get(second, 0.0)) for first, second in phrases)

    def _expected(self, text: str) -> float:
        return float(sum(kind.is_given(text, self._question.words) for kind in self._question.expected))

    def _defines(self, stems: Sequence[str], title: frozenset[str]) -> float:
        if not self._question.asks_definition or self._terms.isdisjoint(stems[:_OPENING]):
            return 0.0
        about = title - self._function_words
        return len(about & self._terms) / len(about | self._terms) if about else _UNTITLED


def _inverse_document_frequency(frequency: int, documents: int) -> float:
    """As in BM25 (Robertson and Zaragoza 2009), kept above 0."""
    return math.log1p((documents - frequency + 0.5) / (frequency + 0.5))
