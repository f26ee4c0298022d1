"""The pictures of an evaluation: scores as bars, F1 and latency as distributions; each for light and dark pages."""

from collections.abc import Callable, Sequence

from models.evaluation import answer_metrics
from models.evaluation.drawing import Theme, empty_picture, png
from models.evaluation.figures import Evaluation, GeneratorEvaluation, Outcome
from models.evaluation.table import duration

_SCORES: dict[str, Callable[[Outcome], float]] = {
    "Gold contained": lambda one: one.holds_gold,
    "METEOR": lambda one: one.meteor,
    "ROUGE-L": lambda one: one.rouge_l,
    "F1": lambda one: one.f1,
    "Exact match": lambda one: one.exact_match,
}
_OF_EVERY_QUESTION = frozenset({"F1", "Exact match"})
"""The others say nothing about a question that has no right answer."""

_BINS = 10
_TICKS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


def draw_scores(evaluation: Evaluation, theme: Theme) -> bytes:
    """Draw the mean scores side by side, with the intervals in which they lie; a PNG."""
    each = len(evaluation.generators)
    figure, axes = empty_picture(theme, 0.55 + len(_SCORES) * (0.2 + 0.2 * each))
    height = 0.8 / each
    for at, one in enumerate(evaluation.generators):
        places = [row + 0.4 - (at + 0.5) * height for row in range(len(_SCORES))]
        scores = [_scores(one, title) for title in _SCORES]
        means = [answer_metrics.mean(values) for values in scores]
        bounds = [answer_metrics.interval(values, evaluation.seed) for values in scores]
        low = [max(mean - bound.low, 0) for mean, bound in zip(means, bounds, strict=True)]
        high = [max(bound.high - mean, 0) for mean, bound in zip(means, bounds, strict=True)]
        colour = theme.series[at % len(theme.series)]
        axes.barh(places, means, height * 0.86, color=colour, label=one.figures.generator)
        axes.errorbar(means, places, xerr=[low, high], fmt="none", ecolor=theme.text, elinewidth=1, capsize=2)
        for place, mean, above in zip(places, means, high, strict=True):
            axes.text(mean + above + 0.01, place, f"{mean:.1%}", va="center", fontsize=8, color=theme.text)
    axes.set_yticks(range(len(_SCORES)), list(_SCORES))
    axes.set(xlim=(0, 1.08))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0%", "20%", "40%", "60%", "80%", "100%"])
    axes.grid(axis="x", color=theme.lines, linewidth=0.6)
    return png(figure, axes, theme)


def _scores(one: GeneratorEvaluation, title: str) -> list[float]:
    """Give a score for every question that it speaks of; a single 0 where there is none."""
    asked = [outcome for outcome in one.outcomes if outcome.sample.answerable or title in _OF_EVERY_QUESTION]
    return [float(_SCORES[title](outcome)) for outcome in asked] or [0.0]


def draw_f1(evaluation: Evaluation, theme: Theme) -> bytes:
    """Draw how many questions reach which F1; a PNG."""
    figure, axes = empty_picture(theme, 2.9)
    each = len(evaluation.generators)
    width = 0.8 / each
    for at, one in enumerate(evaluation.generators):
        counts = [0] * _BINS
        for outcome in one.outcomes:
            counts[min(int(outcome.f1 * _BINS), _BINS - 1)] += 1
        shares = [count / len(one.outcomes) for count in counts]
        places = [bin_ + 0.1 + (at + 0.5) * width for bin_ in range(_BINS)]
        colour = theme.series[at % len(theme.series)]
        axes.bar(places, shares, width * 0.9, color=colour, label=one.figures.generator)
    axes.set_xticks(range(_BINS + 1), [f"{edge / _BINS:.1f}" for edge in range(_BINS + 1)])
    axes.set(xlabel="F1", ylabel="share of the questions", xlim=(0, _BINS))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(axis="y", color=theme.lines, linewidth=0.6)
    return png(figure, axes, theme)


def draw_latency(evaluation: Evaluation, theme: Theme) -> bytes:
    """Draw the share of answers that were complete within which time; a PNG."""
    figure, axes = empty_picture(theme, 2.9)
    axes.set_xscale("log")
    slowest = quickest = 0.0
    for at, one in enumerate(evaluation.generators):
        times = _times(one)
        if not times:
            continue
        shares = [(place + 1) / len(times) for place in range(len(times))]
        colour = theme.series[at % len(theme.series)]
        axes.step(
            [times[0], *times], [0, *shares], where="post", color=colour, label=one.figures.generator, linewidth=2
        )
        slowest, quickest = max(slowest, times[-1]), min(quickest or times[0], times[0])
    if slowest:
        shown = [tick for tick in _TICKS if quickest / 10 < tick < slowest * 10]
        axes.set_xticks(shown, [_tick(tick) for tick in shown])
        axes.set_xlim(quickest * 0.8, slowest * 1.25)
    axes.minorticks_off()
    axes.set(xlabel="time to the whole answer", ylabel="share of the answers", ylim=(0, 1.02))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(color=theme.lines, linewidth=0.6)
    return png(figure, axes, theme)


def _times(one: GeneratorEvaluation) -> list[float]:
    return sorted(outcome.seconds for outcome in one.outcomes if outcome.seconds > 0)


def _tick(seconds: float) -> str:
    return duration(seconds).replace(".00", "").replace(".0", "")


PICTURES: Sequence[tuple[str, str, Callable[[Evaluation, Theme], bytes]]] = (
    ("Scores", "Means over the questions; the thin lines are their 95% intervals.", draw_scores),
    ("F1 by question", "How many questions reach which F1.", draw_f1),
    ("Latency", "The share of the answers that were complete within that time; further left is quicker.", draw_latency),
)
"""Title, meaning and how it is drawn."""
