"""An evaluation as rows of words, a column for each generator: for the screen and for the report."""

from collections.abc import Callable
from typing import NamedTuple

from models.evaluation.figures import Evaluation, Figures
from models.generation.chain import FLOOR


class Row(NamedTuple):
    """A figure: what it is called, what it means, and its value for each generator."""

    label: str
    meaning: str
    values: tuple[str, ...]


_NOTHING = "–"


def rows(evaluation: Evaluation) -> list[Row]:
    """Give the rows; those in which no generator has a value are left out."""
    figures = [one.figures for one in evaluation.generators]
    made = (Row(label, meaning, tuple(value(one) for one in figures)) for label, meaning, value in _ROWS)
    return [row for row in made if set(row.values) != {_NOTHING}]


def duration(seconds: float) -> str:
    """Give a time in the unit that suits it: ``0.7 ms``, ``32 ms``, ``1.24 s``."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1_000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1_000:.1f} ms"


def reasons(figures: Figures) -> str:
    """Say why the extractive generator had to answer: ``not reached 3, too slow 1``."""
    return ", ".join(f"{reason} {count:,}" for reason, count in figures.fell_back_because.items())


def _share(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.1%}"


def _durations(median: float | None, high: float | None) -> str:
    return _NOTHING if median is None or high is None else f"{duration(median)} / {duration(high)}"


def _tokens(figures: Figures) -> str:
    used = figures.input_tokens or figures.output_tokens
    return f"{figures.input_tokens:,} / {figures.output_tokens:,}" if used else _NOTHING


def _answerable(figures: Figures, value: float | None) -> str:
    """Give a figure of the answerable questions, where others were asked as well."""
    return _share(value) if figures.answerable < figures.questions else _NOTHING


def _fell_back(figures: Figures) -> str:
    return _NOTHING if figures.generator == FLOOR else _share(figures.fell_back)


_ROWS: tuple[tuple[str, str, Callable[[Figures], str]], ...] = (
    ("Exact match", "answers that are a right one, word for word (SQuAD)", lambda one: _share(one.exact_match)),
    ("F1", "words shared with the right answer (SQuAD); low where answers are sentences", lambda one: _share(one.f1)),
    ("  95% interval", "where F1 lies, by bootstrap", lambda one: f"{one.f1_low:.1%} – {one.f1_high:.1%}"),
    (
        "  answerable: match",
        "exact match over the questions that have an answer",
        lambda one: _answerable(one, one.answerable_exact_match),
    ),
    (
        "  answerable: F1",
        "F1 over the questions that have an answer",
        lambda one: _answerable(one, one.answerable_f1),
    ),
    (
        "  unanswerable: silent",
        "questions without an answer that were not answered",
        lambda one: _share(one.unanswerable_f1),
    ),
    ("Gold contained", "answers in which a right one stands", lambda one: _share(one.gold_contained)),
    ("ROUGE-L", "longest common subsequence with the right answer", lambda one: _share(one.rouge_l)),
    ("BLEU", "n-grams shared with the right answers (sacrebleu)", lambda one: _share(one.bleu)),
    ("METEOR", "words and stems shared with the right answer, without synonyms", lambda one: _share(one.meteor)),
    ("Grounded", "own answers that rest on a passage", lambda one: _share(one.grounded)),
    ("Abstained", "questions that were not answered", lambda one: _share(one.abstained)),
    ("Fell back", "questions that the extractive generator had to answer", _fell_back),
    (
        "First words",
        "time to them, median / 95th percentile",
        lambda one: _durations(one.first_seconds_p50, one.first_seconds_p95),
    ),
    (
        "Whole answer",
        "time to it, median / 95th percentile",
        lambda one: _durations(one.seconds_p50, one.seconds_p95),
    ),
    ("Tokens", "read / written, all questions together", _tokens),
    ("Cost", "all questions together, by the prices set", lambda one: f"{one.cost:,.4f}" if one.cost else _NOTHING),
    (
        "Perplexity",
        "of the right answers, per token; lower is better",
        lambda one: _NOTHING if one.perplexity is None else f"{one.perplexity:,.2f}",
    ),
)
