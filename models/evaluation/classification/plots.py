"""The pictures of a classifier's report: confusion, reliability, coverage and losses, for light and dark pages."""

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.classification import NO_MATCH
from models.evaluation.classification.figures import Figures
from models.evaluation.classification.judged_examples import BINS, Bin
from models.evaluation.classification.wording import Wording
from models.evaluation.drawing import Theme, empty_panels, empty_picture, png
from models.training.options import Curve

MOST_LABELS = 30
"""More classes than these are not drawn in the confusion matrix; the rest are one row and one column."""

NOTHING_SAID = "nothing"
OTHERS = "all others"
_LONGEST_NAME = 32
_END_KEPT = 12

_TALLEST = 0.18
"""Of the reliability diagram's height, the bar of the bin with the most examples."""


def drawable(labels: Sequence[str]) -> list[str]:
    """Give names that can be written in a picture, for labels of any script and length.

    What the pictures' font has no sign for is left out; of what is then empty its number is told, from 1.
    """
    from matplotlib.font_manager import FontProperties, findfont, get_font

    signs = get_font(findfont(FontProperties())).get_charmap()
    return [_drawable(label, number, signs) for number, label in enumerate(labels, 1)]


def _drawable(label: str, number: int, signs: Container[int]) -> str:
    kept = " ".join("".join(sign if ord(sign) in signs else " " for sign in label.replace("\n", " ")).split())
    if not any(sign.isalnum() for sign in kept):
        return f"no. {number}"
    if len(kept) > _LONGEST_NAME:
        # Long names often begin alike.
        kept = f"{kept[: _LONGEST_NAME - _END_KEPT - 1].rstrip()}…{kept[-_END_KEPT:].lstrip()}"
    return kept.replace("$", r"\$")  # would begin a formula


def confusion_matrix(figures: Figures) -> tuple[list[str], NDArray[np.int64]]:
    """Give what was said about examples of what at the threshold: truths in rows, what was said in columns.

    With more than `MOST_LABELS` classes those with the most mistakes have a row and a column, and all others share
    one. "Nothing" is the last one.

    Returns:
        What rows and columns are called, as it can be drawn, and the counts, shaped [names, names].
    """
    labels = [one.label for one in figures.labels]
    shown = labels if len(labels) <= MOST_LABELS else _most_mistaken(figures, labels)
    drawn = dict(zip(labels, drawable(labels), strict=True))
    others = [OTHERS] if len(shown) < len(labels) else []
    names = [*(drawn[label] for label in shown), *others, NOTHING_SAID]
    places = {label: place for place, label in enumerate(shown)} | {NO_MATCH: len(names) - 1}
    matrix = np.zeros((len(names), len(names)), dtype=np.int64)
    for cell in figures.confusion:
        row, column = (places.get(label, len(shown)) for label in (cell.truth, cell.said))
        matrix[row, column] += cell.examples
    if not figures.no_match_examples and not matrix[:, -1].any():
        return names[:-1], matrix[:-1, :-1]
    return names, matrix


def _most_mistaken(figures: Figures, labels: list[str]) -> list[str]:
    mistakes = dict.fromkeys(labels, 0)
    for cell in figures.confusion:
        for label in {cell.truth, cell.said} - {NO_MATCH} if cell.truth != cell.said else ():
            mistakes[label] += cell.examples
    worst = set(sorted(labels, key=lambda label: -mistakes[label])[:MOST_LABELS])
    return [label for label in labels if label in worst]


def draw_confusion(figures: Figures, theme: Theme) -> bytes:
    """Draw what was said about examples of what; a PNG."""
    from matplotlib.colors import LinearSegmentedColormap

    names, counts = confusion_matrix(figures)
    size = max(3.2, 1.9 + 0.27 * len(names))
    figure, axes = empty_picture(theme, size, max(size, 5.2))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colours = LinearSegmentedColormap.from_list("shares", [theme.page, theme.series[0]])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlabel="said", ylabel="true")
    axes.spines["bottom"].set_visible(False)
    for edge in np.arange(len(names) + 1) - 0.5:
        axes.axhline(edge, color=theme.lines, linewidth=0.4)
        axes.axvline(edge, color=theme.lines, linewidth=0.4)
    for row, column in np.argwhere(counts).tolist():
        colour = theme.page if shares[row, column] > 0.5 else theme.text
        axes.text(column, row, _short(int(counts[row, column])), ha="center", va="center", fontsize=7, color=colour)
    return png(figure, axes, theme)


def _short(count: int) -> str:
    """Give a count that fits into a cell: ``2.5k`` for 2,499."""
    return f"{count}" if count < 1_000 else f"{count / 1_000:.1f}k" if count < 10_000 else f"{count / 1_000:.0f}k"


def draw_reliability(figures: Figures, wording: Wording, theme: Theme) -> bytes:
    """Draw how often what was said with some probability was right, before and after calibration; a PNG."""
    figure, axes = empty_panels(theme, 3.6, 2 if figures.bins_before else 1)
    told = [("after calibration", figures.bins_after, figures.ece_after)]
    if figures.ece_before is not None:
        told.insert(0, ("before calibration", figures.bins_before, figures.ece_before))
    for panel, (title, bins, error) in zip(axes, told, strict=True):
        _reliability(panel, bins, wording, theme)
        panel.set_title(f"{title}: error {error:.3f}", fontsize=10)
    axes[0].set_ylabel("share that was right")
    return png(figure, axes[0], theme)


def _reliability(
    axes: Any,  # noqa: ANN401 - matplotlib's own
    bins: Sequence[Bin],
    wording: Wording,
    theme: Theme,
) -> None:
    confidence, accuracy = [one.confidence for one in bins], [one.accuracy for one in bins]
    most = max(one.examples for one in bins)
    heights = [_TALLEST * one.examples / most for one in bins]
    middles = [(one.low + one.high) / 2 for one in bins]
    axes.bar(middles, heights, 0.9 / BINS, color=theme.lines, label=f"{wording.examples} in the bin (not to scale)")
    axes.plot([0, 1], [0, 1], color=theme.text, linewidth=1, linestyle=(0, (2, 3)), label="as it should be")
    axes.plot(confidence, accuracy, color=theme.series[0], linewidth=0.8)
    # Of few examples the share is mostly chance: they are to catch the eye less.
    sizes = [12 + 90 * one.examples / most for one in bins]
    axes.scatter(confidence, accuracy, sizes, color=theme.series[0], label="as it is", zorder=3)
    _shares(axes, theme)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.04), xlabel="probability of what was said")


def draw_coverage(named: Sequence[tuple[str, Figures]], wording: Wording, theme: Theme) -> bytes:
    """Draw what an answer to more of what is of a class costs, in mistakes and in needless answers; a PNG."""
    others = any(figures.no_match_examples for _, figures in named)
    figure, axes = empty_panels(theme, 3.6, 2 if others else 1)
    for (name, figures), colour in zip(named, theme.series, strict=False):
        answered = [point.coverage for point in figures.points]
        label = drawable([name])[0]
        axes[0].plot(answered, [point.accuracy for point in figures.points], color=colour, linewidth=2, label=label)
        _mark(axes[0], figures.coverage, figures.covered_accuracy, colour)
        if others and figures.no_match_examples:
            axes[1].plot(answered, [point.no_match_answered for point in figures.points], color=colour, linewidth=2)
            _mark(axes[1], figures.coverage, figures.no_match_answered, colour)
    axes[0].set_ylabel("of these right")
    if others:
        axes[1].set_ylabel(f"other {wording.examples} answered")
    for panel in axes:
        _shares(panel, theme)
        panel.set_xlim(0, 1.02)
        panel.set_xlabel(wording.answered)
    return png(figure, axes[0], theme)


def _mark(axes: Any, coverage: float, value: float | None, colour: str) -> None:  # noqa: ANN401 - matplotlib's own
    if value is not None:
        axes.plot([coverage], [value], marker="o", markersize=7, color=colour)


def _shares(axes: Any, theme: Theme) -> None:  # noqa: ANN401 - matplotlib's own
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    axes.grid(color=theme.lines, linewidth=0.6)


def draw_losses(curve: Curve, theme: Theme) -> bytes:
    """Draw the losses of the training and of what was held out over the epochs; a PNG."""
    figure, axes = empty_picture(theme, 2.9)
    if curve.training:
        axes.plot(*zip(*curve.training, strict=True), color=theme.series[1], linewidth=1.2, label="trained on")
    if curve.held_out:
        axes.plot(*zip(*curve.held_out, strict=True), color=theme.series[0], marker="o", markersize=4, label="held out")
    axes.set(xlabel="epoch", ylabel="loss (nats)", ylim=(0, None))
    axes.grid(axis="y", color=theme.lines, linewidth=0.6)
    return png(figure, axes, theme)
