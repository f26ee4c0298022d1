"""The model card of a trained classifier: what it was made of, how well it does, what it is for and what it is not."""

import json
from collections.abc import Collection
from textwrap import fill

from models.diagnosis.contract import NO_MATCH
from models.diagnosis.evaluation.report_data import ReportData
from models.diagnosis.evaluation.table import figure_rows
from models.evaluation.classification.judged_examples import BINS
from models.evaluation.classification.table import counted, decimal, share
from models.training.card_tables import shown, table, words

_HEAD = """\
---
library_name: transformers
pipeline_tag: text-classification
{base}tags: [preceptor, symptoms]
---

# {name}

Tells which of {conditions} a description of symptoms, in somebody's own words, may point to; or that it cannot tell.
{made}
Use it with `preceptor models use {name} --for diagnosis`; `preceptor models use floor --for diagnosis` goes back. The
encoder is as transformers saves it; its head, on the mean of the tokens' vectors, is `head.safetensors`, which
transformers' own pipeline does not read.

## What it is not

It is no medical device, and what it says is no diagnosis. It has not been tried on patients, knows no illness but those
below, and knows nothing of whoever asks but the words given. It must not decide about treatment, nor about whether
somebody needs help: signs of an emergency are looked for apart from it, and advice on them comes first. It may tell
people of other ages, places or manners of writing than those in its data less well.

"""

_SPLIT = """\
The held-out texts are not near-duplicates of any it was trained on.{random} {floor}The whole report is `report.html`;
`report.json` has all of its figures."""

_CALIBRATION = """\
The logits are divided by a temperature of {temperature:.3f}{bias}, found on texts that it was not trained on. In {bins}
bins, what it says and how often it is right then lie {ece} apart{before}. Where the probability that any
condition fits is below {threshold}, it says nothing: so it answered {coverage} of the descriptions held
out{needless}."""

_PICTURES = {
    "confusion.png": "What was said about what",
    "reliability.png": "Whether its probabilities mean what they say",
    "coverage.png": "What answering more costs",
    "loss.png": "The losses over the epochs",
}


def model_card(data: ReportData, pictures: Collection[str] = tuple(_PICTURES)) -> str:
    """Write the card, as Markdown with the hub's metadata; it holds none of the texts.

    Args:
        data: what the report tells.
        pictures: the names of those of the report's pictures that lie beside the card.
    """
    conditions = [one.label for one in data.honest.labels]
    parts = [
        _HEAD.format(
            name=data.name,
            base=f"base_model: {json.dumps(data.base, ensure_ascii=False)}\n" if data.base else "",
            conditions=counted(len(conditions), "condition"),
            made=f"Fine-tuned from `{data.base}`.\n" if data.base else "",
        ),
        _scores(data),
        _filled(_SPLIT.format(random=_random(data), floor=_floor(data))),
        _calibration(data),
        _conditions(data),
        table("Data", ("", ""), [(words(key), shown(value)) for key, value in data.data.items()]) if data.data else "",
        _settings(data),
        "".join(f"\n![{title}]({name})\n" for name, title in _PICTURES.items() if name in pictures),
        "\nThe licence of the base applies; so may rights in the data.\n",
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def _filled(paragraph: str) -> str:
    """Break the lines of a paragraph anew, now that its figures are in it."""
    return fill(paragraph, 120, break_long_words=False, break_on_hyphens=False)


def _scores(data: ReportData) -> str:
    columns = data.columns()
    rows = [(row.label.strip(), *row.values) for row in figure_rows([figures for _, figures in columns])]
    return table("Scores on held-out texts", ("", *(name for name, _ in columns)), rows)


def _random(data: ReportData) -> str:
    if data.random is None:
        return ""
    return (
        f" Split by chance, texts that are nearly alike lie on both sides: macro F1 is then "
        f"{decimal(data.random.macro_f1)}, which flatters."
    )


def _floor(data: ReportData) -> str:
    if data.floor is None:
        return ""
    return "The floor is TF-IDF with logistic regression, trained on the same texts. "


def _calibration(data: ReportData) -> str:
    calibration, figures = data.calibration, data.honest
    if calibration is None:
        return ""
    bias, needless = calibration.no_match_bias, figures.no_match_answered
    told = _CALIBRATION.format(
        temperature=calibration.temperature,
        bias=f", and {bias:+.3f} is added to that of “nothing matches”" if bias else "",
        bins=BINS,
        ece=decimal(figures.ece_after),
        before="" if figures.ece_before is None else f" ({decimal(figures.ece_before)} before)",
        threshold=share(calibration.threshold),
        coverage=share(figures.coverage),
        needless="" if needless is None else f", and {share(needless)} of the texts that match nothing",
    )
    return "## Calibration and silence\n\n" + _filled(told)


def _conditions(data: ReportData) -> str:
    rows = [
        (one.label, decimal(one.f1) if one.support else "–", _trained(data, one.label), f"{one.support:,}")
        for one in data.honest.labels
    ]
    if NO_MATCH in data.texts_per_label:
        rows.append(("(nothing of these)", "–", _trained(data, NO_MATCH), f"{data.honest.no_match_examples:,}"))
    return table("Conditions", ("", "F1", "texts trained on", "held out"), rows)


def _trained(data: ReportData, label: str) -> str:
    count = data.texts_per_label.get(label)
    return "–" if count is None else f"{count:,}"


def _settings(data: ReportData) -> str:
    if not data.settings:
        return ""
    return table("Settings", ("", ""), [(words(key), shown(value)) for key, value in data.settings.items()])
