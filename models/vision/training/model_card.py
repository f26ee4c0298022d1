"""The model card of a trained classifier of pictures: what it was made of, how well it does, what it is not."""

import json
from collections.abc import Collection
from textwrap import fill

from models.evaluation.classification.judged_examples import BINS
from models.evaluation.classification.table import counted, decimal, share
from models.training.card_tables import shown, table, words
from models.vision.training.figure_rows import figure_rows
from models.vision.training.report_data import PictureReport

_MOST_CLASSES = 100
"""Classes of the card's table; where there are more, those that are told worst are in it."""

_HEAD = """\
---
library_name: transformers
pipeline_tag: image-classification
base_model: {base}
tags: [preceptor, vision]
---

# {name}

Tells which of {classes} a picture shows.
Fine-tuned from `{told_base}`.

Use it with `preceptor models use {name} --for images`. It is an ordinary image classifier, which transformers'
`AutoModelForImageClassification` and `AutoImageProcessor` load as well; divide its logits by the temperature below, as
Preceptor does, before they are made probabilities.

## What it is not

It knows nothing but the classes below, and says one of them of every picture, whatever that shows. It was judged by
pictures from the same collection as those it was trained on: of other cameras, places or times it may tell less. It
must not decide about people.

"""

_SPLIT = """\
No picture that it is judged by is nearly the same, by perceptual hash, as one it was trained on.{random} The whole
report is `report.html`, which shows the pictures of its worst mistakes: leave that file out where they are not for
others. `report.json` has all of the figures."""

_CALIBRATION = """\
The logits are divided by a temperature of {temperature:.3f}{found}. In {bins}
bins, what it says and how often it is right then lie {ece} apart{before}. Of the pictures held out it told {coverage}
without doubt, at a probability of {sure_from} and above{right}."""

_PLOTS = {
    "confusion.png": "What was taken for what",
    "reliability.png": "Whether its probabilities mean what they say",
    "coverage.png": "What answering more costs",
}


def model_card(data: PictureReport, pictures: Collection[str] = ()) -> str:
    """Write the card, as Markdown with the hub's metadata; it shows and names none of the pictures.

    Args:
        data: what the report tells.
        pictures: the names of those of the report's plots that lie beside the card.
    """
    parts = [
        _HEAD.format(
            name=data.name,
            base=json.dumps(data.base, ensure_ascii=False),
            told_base=data.base,
            classes=counted(len(data.honest.labels), "class", "classes"),
        ),
        _scores(data),
        _filled(_SPLIT.format(random=_random(data))),
        "## Calibration\n\n" + _filled(_calibration(data)),
        _classes(data),
        table("Data", ("", ""), [(words(key), shown(value)) for key, value in data.data.items()]) if data.data else "",
        _settings(data),
        "".join(f"\n![{title}]({name})\n" for name, title in _shown(data).items() if name in pictures),
        "\nThe licence of the base applies; so may rights in the pictures.\n",
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def _shown(data: PictureReport) -> dict[str, str]:
    return _PLOTS | {f"loss-{name}.png": f"The losses of the {name}" for name in data.curves}


def _filled(paragraph: str) -> str:
    """Break the lines of a paragraph anew, now that its figures are in it."""
    return fill(paragraph, 120, break_long_words=False, break_on_hyphens=False)


def _scores(data: PictureReport) -> str:
    columns = data.columns()
    rows = [(row.label.strip(), *row.values) for row in figure_rows([figures for _, figures in columns])]
    return table("Scores on held-out pictures", ("", *(name for name, _ in columns)), rows)


def _random(data: PictureReport) -> str:
    if data.random is None:
        return ""
    return (
        f" Split by chance, pictures that are nearly the same lie on both sides: top 1 is then "
        f"{share(data.random.accuracy)}, which flatters."
    )


def _calibration(data: PictureReport) -> str:
    figures = data.columns()[0][1]
    before, right = figures.ece_before, figures.covered_accuracy
    return _CALIBRATION.format(
        temperature=data.temperature,
        found="" if data.temperature == 1 else ", found on pictures that it was not trained on",
        bins=BINS,
        ece=decimal(figures.ece_after),
        before="" if before is None else f" ({decimal(before)} before)",
        coverage=share(figures.coverage),
        sure_from=share(data.sure_from),
        right="" if right is None else f", and {share(right)} of these rightly",
    )


def _classes(data: PictureReport) -> str:
    labels = data.honest.labels
    title = "Classes"
    if len(labels) > _MOST_CLASSES:
        title = f"The {_MOST_CLASSES} of {len(labels):,} classes that are told worst"
        labels = tuple(sorted(labels, key=lambda one: (one.support == 0, one.f1))[:_MOST_CLASSES])
    rows = [
        (one.label, decimal(one.f1 if one.support else None), _trained(data, one.label), f"{one.support:,}")
        for one in labels
    ]
    return table(title, ("", "F1", "pictures trained on", "held out"), rows)


def _trained(data: PictureReport, label: str) -> str:
    count = data.pictures_per_label.get(label)
    return "–" if count is None else f"{count:,}"


def _settings(data: PictureReport) -> str:
    if not data.settings:
        return ""
    return table("Settings", ("", ""), [(words(key), shown(value)) for key, value in data.settings.items()])
