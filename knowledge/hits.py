"""What a search gives back."""

from dataclasses import dataclass

from knowledge.index.tfidf import TermMatch
from knowledge.passages import Passage


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found.

    Attributes:
        passage: what was found.
        score: how well it fits the question among the passages of the same search; above 0.
        coverage: share of the question's words, weighted by rarity, that it holds, 0 to 1.
        confidence: calibrated probability that it answers the question, 0 to 1.
        terms: the words that were found in it, each with its contribution to the score.
    """

    passage: Passage
    score: float
    coverage: float
    confidence: float
    terms: tuple[TermMatch, ...]
