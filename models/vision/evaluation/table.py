"""Evaluations of labels and captions as rows of words, for the screen and for the report."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.vision.evaluation.batches import Refused, by_reason
from models.vision.evaluation.captioning import CaptionFigures
from models.vision.evaluation.label_figures import ClassFigures, LabelFigures

_NOTHING = "–"
CLASS_HEADS = ("Class", "Pictures", "Top-1", "Top-5", "Mistaken for")
MOST_CLASSES = 20
"""So many classes are shown: of more, those that are told worst."""


class Row(NamedTuple):
    """A figure: what it is called, its value, and what it means."""

    label: str
    value: str
    meaning: str


def told_of(model: str, pictures: int) -> str:
    """Say how many pictures a model looked at."""
    return f"{model} looked at {pictures:,} picture{'s' * (pictures != 1)}."


def label_rows(figures: LabelFigures) -> list[Row]:
    """Give the main figures of a classifier; those without a value are left out."""
    interval = f"{figures.top1_low:.1%} – {figures.top1_high:.1%}"
    rows = (
        Row("Top-1", _share(figures.top1), "pictures whose likeliest label is right"),
        Row("  95% interval", interval, "where that lies, by Wilson's formula"),
        Row("Top-5", _share(figures.top5), "pictures whose class is among the five likeliest labels"),
        Row("Class mean", _share(figures.class_top1), "top-1, each class counting the same"),
        Row("Confidence", _share(figures.confidence), "probability of the likeliest label, on average"),
        Row("ECE", _share(figures.ece), "how far confidence and truth lie apart, 15 bins; lower is better"),
    )
    return [row for row in rows if row.value != _NOTHING]


def class_rows(figures: LabelFigures) -> list[tuple[str, ...]]:
    """Give label, pictures, top-1, top-5 and what it is mistaken for, of each class or of those told worst."""
    return [_class_row(one) for one in shown_classes(figures.classes)]


def shown_classes(classes: Sequence[ClassFigures]) -> list[ClassFigures]:
    """Give all classes in their order, or of more than `MOST_CLASSES` those that are told worst, the worst first."""
    if len(classes) <= MOST_CLASSES:
        return list(classes)
    return sorted(classes, key=lambda one: (one.top1, one.top5 or 0.0, -one.pictures))[:MOST_CLASSES]


def _class_row(one: ClassFigures) -> tuple[str, ...]:
    return one.label, f"{one.pictures:,}", _share(one.top1), _share(one.top5), one.mistaken_for or _NOTHING


def caption_rows(figures: CaptionFigures) -> list[Row]:
    """Give the figures of a captioner."""
    return [
        Row("BLEU-4", _share(figures.bleu_4), "up to four words in a row shared with what people wrote"),
        Row("METEOR", _share(figures.meteor), "words and stems shared, less for scattered ones; without synonyms"),
        Row("ROUGE-L", _share(figures.rouge_l), "longest common subsequence of words"),
        Row(
            "CIDEr", f"{figures.cider:.3f}", "words shared, rare ones weighing more; 0 to 10, papers tell it times 100"
        ),
        Row("Exact", _share(figures.exact), "captions that somebody wrote in the same words"),
        Row("No caption", f"{figures.silent:,}", "pictures for which the model had no words"),
        Row("Words", f"{figures.words:.1f}", "in a caption, on average"),
    ]


def refusals(refused: Sequence[Refused]) -> Iterator[str]:
    """Say how many files could not be looked at, and why; a sentence for each reason."""
    for reason, count, first in by_reason(refused):
        files = f"{first} was" if count == 1 else f"{count:,} files, {first} the first, were"
        yield f"{files} not looked at: {reason[:1].lower()}{reason[1:]}"


def _share(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.1%}"
