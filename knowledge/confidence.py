"""How sure we are that a passage answers the question: a few figures of the match, weighed into a probability."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import exp, log1p
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import CalibrationError
from knowledge.index.analysis import FUNCTION_TERMS, QueryWord, query_words
from knowledge.index.tfidf import Match
from knowledge.storage.index_folder import write_atomically

# As many as the index reads of one question.
_MOST_WORDS = 64


class Evidence(NamedTuple):
    """What speaks for or against a match. No figure grows with the size of the knowledge base.

    Attributes:
        strength: the score in units of the rarest term's weight, times `known`; 0 or more. A good match on a
            question of which we know only half the words is worth half.
        known: share of the question's content words, weighted by rarity, that occur anywhere in the knowledge base,
            0 to 1; a word that was taken for a misspelling of another counts less than one.
        coverage: share of the question's content words, weighted by rarity, that the passage holds, 0 to 1.
        concentration: how much of the score hangs on a single word of several, 0 to 1.
        missing_names: words with a capital within the question (not abbreviations, nor symbols such as V) that the
            passage does not hold; 0 or more.
    """

    strength: float
    known: float
    coverage: float
    concentration: float
    missing_names: float


class Asked(NamedTuple):
    """What of a question the evidence looks at.

    Attributes:
        words: how many distinct content words it has, at least 1.
        names: those that begin with a capital where no sentence begins.
        leaning: whether it has none of its own and asks for those of the turn before it, as "why?" does.
    """

    words: int
    names: frozenset[str]
    leaning: bool


def read_question(question: str, context: Sequence[str] = ()) -> Asked:
    """Read a question, with the earlier turns of its conversation, oldest first."""
    own = _content_terms(question)
    words = own or _content_terms(context[-1] if context else "")
    names = frozenset(_names(question))
    return Asked(min(max(len(words), 1), _MOST_WORDS), names, leaning=bool(words) and not own)


def evidence(asked: Asked, match: Match, passages: int) -> Evidence:
    """Weigh up one match.

    Args:
        asked: the question.
        match: what was found for it.
        passages: how many the index holds.
    """
    rarest = log1p((passages - 0.5) / 1.5)
    found = match.terms
    heaviest = max((term.weight for term in found if term.term not in FUNCTION_TERMS), default=0.0)
    known = 1.0 if asked.leaning else _known(match)
    return Evidence(
        strength=match.score / rarest * known,
        known=known,
        coverage=match.coverage,
        concentration=heaviest / match.score * (1 - 1 / max(asked.words - match.question.slips, 1)),
        missing_names=float(len(asked.names - {term.query_word for term in found})),
    )


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights that turn evidence into a probability (logistic regression), and the point from which we answer.

    Attributes:
        weights: one per figure of `Evidence`.
        intercept: what is added to their sum.
        threshold: 0 to 1; below it the bot declines.
        auroc: area under the curve of right answers against false ones, cross-validated.
        false_answers: share of the unanswerable questions that would be answered at the threshold.
        false_declines: share of the answerable ones that would be declined.
        answerable: how many questions of that kind it rests on.
        unanswerable: how many of the other.
        version: of the knowledge base it was made on.
        made_at: ISO 8601, UTC.
    """

    weights: tuple[float, ...]
    intercept: float
    threshold: float
    auroc: float
    false_answers: float
    false_declines: float
    answerable: int
    unanswerable: int
    version: str
    made_at: str

    def confidence(self, figures: Evidence) -> float:
        """Probability, 0 to 1, that a passage with this evidence answers the question."""
        log_odds = self.intercept + sum(weight * figure for weight, figure in zip(self.weights, figures, strict=True))
        return 1 / (1 + exp(-max(min(log_odds, 500.0), -500.0)))

    def save(self, path: Path) -> None:
        """Write it to `path` as one atomic step; raises OSError."""
        write_atomically(path, json.dumps({"evidence": Evidence._fields, **asdict(self)}, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Calibration":
        """Read it from `path`.

        Raises:
            FileNotFoundError: there is none.
            CalibrationError: it is damaged, or rests on other figures than we weigh.
        """
        try:
            page = json.loads(path.read_text(encoding="utf-8"))
            return _from_page(page)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CalibrationError(
                f"The calibration in {path} cannot be used.", "Calibrate the knowledge base again."
            ) from error


def _from_page(page: dict[str, Any]) -> Calibration:
    if page.pop("evidence") != list(Evidence._fields):
        raise ValueError("made for other evidence")
    weights = tuple(map(float, page.pop("weights")))
    calibration = Calibration(weights, **page)
    if len(weights) != len(Evidence._fields) or not 0 <= calibration.threshold <= 1:
        raise ValueError("weights or threshold are not what they should be")
    return calibration


def _content_terms(text: str) -> set[str]:
    return {word.term for word in query_words(text)} - FUNCTION_TERMS


def _known(match: Match) -> float:
    """Share of the question's content words, weighted by rarity, that the index could look up."""
    return match.question.share(term for term in match.question.terms if term.term not in FUNCTION_TERMS)


def _names(question: str) -> Iterator[str]:
    if question.isupper():
        return
    first = True
    for chunk in question.split():
        if not first:
            yield from (word.written for word in query_words(chunk) if _is_name(word))
        first = chunk.endswith((".", "?", "!", ":"))


def _is_name(word: QueryWord) -> bool:
    return word.written[:1].isupper() and word.written[1:].islower() and word.term not in FUNCTION_TERMS
