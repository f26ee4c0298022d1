"""How near an answer comes to the right one: exact match, F1, ROUGE-L, BLEU, METEOR, and their uncertainty."""

import re
import string
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from models.errors import ModelExtraError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from rouge_score.rouge_scorer import RougeScorer

_LIBRARIES = ("sacrebleu", "rouge_score.rouge_scorer", "nltk.translate.meteor_score")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CITATION = re.compile(r"\s*\[\d{1,3}\]")
_WORDS = re.compile(r"\w+")
_WORDS_AND_SIGNS = re.compile(r"\w+|[^\w\s]")

RESAMPLES = 2_000
"""How often the mean is drawn anew for its interval."""

_AT_A_TIME = 1 << 22
"""Numbers drawn at a time, so that memory stays below about 64 MB."""


class Interval(NamedTuple):
    """Where a figure lies with a probability of 95 %."""

    low: float
    high: float


def require_libraries() -> None:
    """Import what the metrics are computed with; takes some seconds the first time.

    Raises:
        ModelExtraError: one of the libraries is not installed.
    """
    try:
        for name in _LIBRARIES:
            import_module(name)
    except ImportError as error:
        raise ModelExtraError(
            f"Evaluating answers needs {name.partition('.')[0]}, which is not installed.",
            "Add it with `make models`, which installs the extra preceptor[models].",
        ) from error


def plain(answer: str) -> str:
    """Give what an answer (CommonMark) says, on one line, without citations (``[1]``) and markup; code stays."""
    return " ".join("".join(_spoken(_parser().parse(answer))).split())


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # Escaped brackets stay tokens of their own, or they would pass for citations.
    return MarkdownIt("commonmark").enable("table").disable("text_join")


def _spoken(tokens: "Sequence[Token]") -> list[str]:
    said: list[str] = []
    for token in tokens:
        if token.type == "inline":
            said += [*_spoken(token.children or []), "\n"]
        elif token.type == "text":
            said.append(_CITATION.sub("", token.content))
        elif token.type in {"text_special", "code_inline", "fence", "code_block", "image"}:
            said.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            said.append("\n")
    return said


def normalised(text: str) -> str:
    """Lower the case, take out ASCII punctuation and English articles: as SQuAD's own script (v1.1) does."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(given: str, golds: Sequence[str]) -> float:
    """1 where the answer is one of the right ones once both are `normalised`, else 0.

    Without a right answer it is 1 for an empty one, as in SQuAD 2.0's script.
    """
    return float(normalised(given) in _wanted(golds))


def token_f1(given: str, golds: Sequence[str]) -> float:
    """Harmonic mean of precision and recall over the words that answer and gold share, 0 to 1; the best gold counts.

    SQuAD's measure (Rajpurkar et al., EMNLP 2016, section 6.1). Without a right answer it is 1 for an empty one, else
    0 (Rajpurkar et al., ACL 2018).
    """
    return max(_f1(normalised(given).split(), gold.split()) for gold in _wanted(golds))


def _wanted(golds: Sequence[str]) -> list[str]:
    """Give the right answers `normalised`; one of which nothing is left would make silence right, beside others."""
    return [gold for gold in map(normalised, golds) if gold] or [""]


def _f1(given: list[str], gold: list[str]) -> float:
    if not given or not gold:
        return float(given == gold)
    common = sum((Counter(given) & Counter(gold)).values())
    return 2 * common / (len(given) + len(gold))


def holds_gold(given: str, golds: Sequence[str]) -> bool:
    """Whether a right answer stands in the text, word by word, once both are `normalised`."""
    said = f" {normalised(given)} "
    wanted = (normalised(gold) for gold in golds)
    return any(f" {gold} " in said for gold in wanted if gold)


def rouge_l(given: str, golds: Sequence[str]) -> float:
    """F-measure of the longest common subsequence of words (Lin, 2004), 0 to 1; the best gold counts.

    As the `rouge-score` package computes ROUGE-L, without stemming; words are any script's, not ASCII alone.
    """
    if not golds:
        return 0.0
    return float(_rouge().score_multi(list(golds), given)["rougeL"].fmeasure)


@cache
def _rouge() -> "RougeScorer":
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=_Words())


class _Words:
    """Takes a text apart for `rouge-score`."""

    def tokenize(self, text: str) -> list[str]:
        return _WORDS.findall(text.lower().replace("_", " "))


def meteor(given: str, golds: Sequence[str]) -> float:
    """METEOR without synonyms: harmonic mean of matched words and stems, less for scattered ones; the best gold counts.

    The formula and parameters of Lavie & Agarwal (WMT 2007) as `nltk` computes them. Synonyms would need WordNet,
    which has to be downloaded; figures are therefore a little below those of papers. 0 to 1.
    """
    from nltk.translate.meteor_score import single_meteor_score

    said = _WORDS_AND_SIGNS.findall(given)
    scores = (single_meteor_score(_WORDS_AND_SIGNS.findall(gold), said, wordnet=_NoSynonyms()) for gold in golds)
    return max(map(float, scores), default=0.0)


class _NoSynonyms:
    """Stands in for WordNet."""

    def synsets(self, word: str) -> list[Any]:
        return []


class Bleu(NamedTuple):
    """BLEU of a whole set of answers, 0 to 1, and sacrebleu's signature, which says how it was computed."""

    score: float
    signature: str


def corpus_bleu(given: Sequence[str], golds: Sequence[Sequence[str]]) -> Bleu:
    """BLEU-4 over all answers (Papineni et al., ACL 2002) as `sacrebleu` computes it by default; 0 to 1.

    Args:
        given: the answers.
        golds: the right answers of each, at least one.
    """
    from sacrebleu.metrics.bleu import BLEU

    if not given:
        return Bleu(0.0, "")
    metric = BLEU()
    most = max(map(len, golds))
    streams = [[one[at] if at < len(one) else None for one in golds] for at in range(most)]
    score = metric.corpus_score(list(given), streams)  # type: ignore[arg-type]
    return Bleu(score.score / 100, str(metric.get_signature()))


def interval(scores: Sequence[float], seed: int = 0) -> Interval:
    """Give the interval in which the mean lies with a probability of 95 %.

    Percentile bootstrap (Efron & Tibshirani, 1993, chapter 13) over `RESAMPLES` resamples.

    Args:
        scores: one a question, at least one.
        seed: the same seed gives the same interval.
    """
    import numpy as np

    drawn, values = np.random.default_rng(seed), np.asarray(scores, dtype=np.float64)
    rows = max(1, _AT_A_TIME // len(values))
    counts = [min(rows, RESAMPLES - done) for done in range(0, RESAMPLES, rows)]
    means = [values[drawn.integers(0, len(values), (count, len(values)))].mean(axis=1) for count in counts]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Interval(float(low), float(high))


def mean(scores: Sequence[float]) -> float:
    """Give the mean; 0 of nothing."""
    return sum(scores) / len(scores) if scores else 0.0
