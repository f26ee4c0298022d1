"""What an evaluation of generators finds out: an outcome a question, figures a generator, all of them side by side."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from models.evaluation import answer_metrics
from models.evaluation.answer_metrics import Interval
from models.evaluation.squad import Sample


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question.

    Attributes:
        sample: the question.
        answer: what was answered (CommonMark); empty where nobody knew.
        wrote: the name of who wrote it; empty where nothing was found to answer from.
        fell_back: why the extractive generator answered in the generator's stead; empty where it did not.
        cited: whether the answer rests on a passage.
        seconds: until the answer was complete; 0 where nobody was asked.
        first_seconds: until its first words were there; None where there were none.
        input_tokens: tokens read, by generators that count them.
        output_tokens: tokens written.
        cost: in the currency of the prices set.
        plain: the answer as it is scored, without citations and markup.
        exact_match, f1, rouge_l, meteor: 0 to 1, see `answer_metrics`.
        holds_gold: whether a right answer stands in it.
    """

    sample: Sample
    answer: str
    wrote: str
    fell_back: str
    cited: bool
    seconds: float
    first_seconds: float | None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    plain: str = ""
    exact_match: float = 0.0
    f1: float = 0.0
    rouge_l: float = 0.0
    meteor: float = 0.0
    holds_gold: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values; of the sample its id, question and right answers."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "sample"}
        return {"id": self.sample.key, "question": self.sample.question, "golds": self.sample.golds} | own


@dataclass(frozen=True, slots=True)
class Figures:
    """How one generator did. Scores and shares are 0 to 1; None where no question is of the kind.

    Attributes:
        generator: its name in the settings.
        model: what it calls itself.
        questions: how many were asked.
        answerable: how many of them have a right answer.
        exact_match: mean over all questions, as in SQuAD 2.0.
        f1: likewise.
        f1_low, f1_high: the interval in which `f1` lies with a probability of 95 %.
        answerable_exact_match, answerable_f1: over the questions that have a right answer.
        unanswerable_f1: over those that have none: the share that was not answered.
        gold_contained: share of the answerable ones whose answer contains a right one.
        rouge_l, bleu, meteor: over the answerable ones.
        grounded: share of the answers that it wrote itself that rest on a passage.
        abstained: share of the questions without an answer.
        fell_back: share of the questions that the extractive generator answered in its stead.
        fell_back_because: how often for which reason.
        seconds_p50, seconds_p95: until an answer was complete, median and 95th percentile of those who were asked.
        first_seconds_p50, first_seconds_p95: until its first words were there.
        input_tokens, output_tokens, cost: all questions together; 0 for generators that do not count.
        perplexity: of the right answers, per token, given the prompt; None where it was not measured.
    """

    generator: str
    model: str
    questions: int
    answerable: int
    exact_match: float
    f1: float
    f1_low: float
    f1_high: float
    answerable_exact_match: float | None
    answerable_f1: float | None
    unanswerable_f1: float | None
    gold_contained: float | None
    rouge_l: float | None
    bleu: float | None
    meteor: float | None
    grounded: float | None
    abstained: float
    fell_back: float
    fell_back_because: dict[str, int]
    seconds_p50: float | None
    seconds_p95: float | None
    first_seconds_p50: float | None
    first_seconds_p95: float | None
    input_tokens: int
    output_tokens: int
    cost: float
    perplexity: float | None = None


@dataclass(frozen=True, slots=True)
class GeneratorEvaluation:
    """One generator's figures, and the outcomes that they sum up, in the samples' order."""

    figures: Figures
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Generators side by side, asked the same questions.

    Attributes:
        generators: in the order in which they were given.
        findable: share of the answerable questions of which a right answer stands in the passages; None without any.
        bleu_signature: how BLEU was computed, in sacrebleu's words.
        seed: of the intervals.
        notes: what else a reader has to know, a sentence each.
    """

    generators: tuple[GeneratorEvaluation, ...]
    findable: float | None
    bleu_signature: str
    seed: int
    notes: tuple[str, ...] = ()

    def of(self, generator: str) -> Figures:
        """Give one generator's figures, by its name in the settings; raises KeyError."""
        return {one.figures.generator: one.figures for one in self.generators}[generator]

    def gain(self, old: str, new: str) -> Interval:
        """Give the interval in which `new`'s F1 less `old`'s lies with a probability of 95 %; raises KeyError.

        The same questions are drawn for both (paired bootstrap; Koehn, EMNLP 2004): above 0 throughout, `new` is the
        better one beyond chance.
        """
        by_name = {one.figures.generator: one.outcomes for one in self.generators}
        pairs = zip(by_name[old], by_name[new], strict=True)
        return answer_metrics.interval([after.f1 - before.f1 for before, after in pairs], self.seed)

    def as_json(self, with_answers: bool = False) -> dict[str, Any]:
        """Give it as JSON values: `Figures` by generator; with every answer, if wanted."""
        document: dict[str, Any] = {
            "generators": {one.figures.generator: asdict(one.figures) for one in self.generators},
            "findable": self.findable,
            "bleu_signature": self.bleu_signature,
            "seed": self.seed,
            "notes": self.notes,
        }
        if with_answers:
            document["answers"] = {
                one.figures.generator: [outcome.as_json() for outcome in one.outcomes] for one in self.generators
            }
        return document


def figures_of(generator: str, model: str, outcomes: Sequence[Outcome], seed: int) -> tuple[Figures, str]:
    """Sum the outcomes up (at least one); also give BLEU's signature."""
    known = [one for one in outcomes if one.sample.answerable]
    unknown = [one for one in outcomes if not one.sample.answerable]
    own = [one for one in outcomes if one.answer and not one.fell_back]
    reasons = Counter(one.fell_back for one in outcomes if one.fell_back)
    low, high = answer_metrics.interval([one.f1 for one in outcomes], seed)
    bleu = answer_metrics.corpus_bleu([one.plain for one in known], [one.sample.golds for one in known])
    # Where nothing was found, nobody was asked.
    seconds = [one.seconds for one in outcomes if one.wrote]
    first = [one.first_seconds for one in outcomes if one.first_seconds is not None]
    figures = Figures(
        generator=generator,
        model=model,
        questions=len(outcomes),
        answerable=len(known),
        exact_match=answer_metrics.mean([one.exact_match for one in outcomes]),
        f1=answer_metrics.mean([one.f1 for one in outcomes]),
        f1_low=low,
        f1_high=high,
        answerable_exact_match=_mean([one.exact_match for one in known]),
        answerable_f1=_mean([one.f1 for one in known]),
        unanswerable_f1=_mean([one.f1 for one in unknown]),
        gold_contained=_mean([one.holds_gold for one in known]),
        rouge_l=_mean([one.rouge_l for one in known]),
        bleu=bleu.score if known else None,
        meteor=_mean([one.meteor for one in known]),
        grounded=_mean([one.cited for one in own]),
        abstained=answer_metrics.mean([not one.answer for one in outcomes]),
        fell_back=reasons.total() / len(outcomes),
        fell_back_because=dict(reasons.most_common()),
        seconds_p50=_percentile(seconds, 50),
        seconds_p95=_percentile(seconds, 95),
        first_seconds_p50=_percentile(first, 50),
        first_seconds_p95=_percentile(first, 95),
        input_tokens=sum(one.input_tokens for one in outcomes),
        output_tokens=sum(one.output_tokens for one in outcomes),
        cost=sum(one.cost for one in outcomes),
    )
    return figures, bleu.signature


def _percentile(values: Sequence[float], share: float) -> float | None:
    """Give the percentile (`share` from 0 to 100), interpolated between neighbours; None of nothing."""
    import numpy as np

    return float(np.percentile(values, share)) if values else None


def findable(samples: Sequence[Sample]) -> float | None:
    """Share of the answerable samples of which a right answer stands in the passages given; None without any."""
    known = [sample for sample in samples if sample.answerable]
    texts = (" ".join(passage.text for passage in sample.passages) for sample in known)
    return _mean([answer_metrics.holds_gold(text, sample.golds) for text, sample in zip(texts, known, strict=True)])


def _mean(scores: Sequence[float]) -> float | None:
    return answer_metrics.mean(scores) if scores else None
