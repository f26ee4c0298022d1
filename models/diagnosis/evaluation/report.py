"""Writes down how well a trained classifier does: a page to read, complete in one file, JSON, and the pictures."""

import json
from collections.abc import Iterator
from functools import partial
from html import escape
from pathlib import Path

from models.diagnosis.evaluation.report_data import ReportData
from models.diagnosis.evaluation.table import figure_rows
from models.diagnosis.evaluation.wording import SYMPTOMS
from models.evaluation.classification import plots
from models.evaluation.classification.figures import Figures
from models.evaluation.classification.judged_examples import Mistake
from models.evaluation.classification.page_parts import (
    STYLE,
    Plot,
    confused,
    facts,
    figure_table,
    label_table,
    named,
    remark,
    shown_plot,
)
from models.evaluation.classification.table import NOTHING, counted, decimal, share
from models.evaluation.drawing import ANYWHERE, require_matplotlib
from models.evaluation.html_page import html_page, replace_file, require_report_folder

_LONGEST_TEXT = 1_500
"""Characters of a text that the page shows; the JSON has all of it."""


def write_report(folder: Path, data: ReportData) -> Path:
    """Write ``report.html``, ``report.json`` and the pictures into a folder, each whole or not at all.

    The page is complete in itself. The JSON is an object: ``name`` and ``base``; ``honest``, ``random``, ``floor`` and
    ``in_use``, each the attributes of `Figures` by the names that `wording.told` gives them (shares from 0 to 1; lists
    of objects for ``labels``, ``bins_before``, ``bins_after``, ``points``, ``confusion`` and ``mistakes``, whose
    attributes `judged_examples` documents) or null; ``comparison`` (the attributes of `Comparison`, and its
    ``sentence``) or null; ``calibration`` (``temperature``, ``threshold``, ``no_match_bias``) or null; ``curve``
    (``training`` and ``held_out``, pairs of epoch and loss) or null; ``texts_per_label``, ``data``, ``settings`` and
    ``notes`` as they were given. The label of what matches nothing is the empty string. The pictures are
    ``confusion.png``, ``reliability.png``, ``coverage.png`` and, with a curve, ``loss.png``.

    Args:
        folder: made where it is not there; what it held of the same names is replaced.
        data: what is told.

    Returns:
        The path of the page.

    Raises:
        ModelExtraError: matplotlib is not installed.
        OSError: it cannot be written.
    """
    require_report_folder(folder)
    document = json.dumps(data.as_json(), ensure_ascii=False, indent=1, allow_nan=False, default=str)
    replace_file(folder / "report.json", document + "\n")
    for name, plot in _plots(data).items():
        replace_file(folder / f"{name}.png", plot.draw(ANYWHERE))
    return replace_file(folder / "report.html", page(data))


def page(data: ReportData) -> str:
    """Give the page: HTML, complete in itself, for light and dark screens; raises ModelExtraError."""
    require_matplotlib()
    title = f"How well {data.name} tells conditions"
    columns = data.columns()
    body = (
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{escape(summary(data))}</p>',
        *figure_table([name for name, _ in columns], figure_rows([figures for _, figures in columns])),
        *map(remark, _remarks(data)),
        *map(shown_plot, _plots(data).values()),
        *confused(data.honest, SYMPTOMS),
        *label_table(data.honest, data.texts_per_label, SYMPTOMS),
        *_mistakes(data.honest),
        *facts("Data", data.data),
        *facts("Settings", data.settings),
    )
    return html_page(title, body, STYLE)


def summary(data: ReportData) -> str:
    """Say in a sentence or two what was tried on what."""
    figures = data.honest
    known = sum(1 for one in figures.labels if one.support)
    described = counted(figures.examples - figures.no_match_examples, "description")
    others = (
        f" and {counted(figures.no_match_examples, 'text')} that match nothing" if figures.no_match_examples else ""
    )
    base = f" It was made from {data.base}." if data.base else ""
    return (
        f"Tried on {described} of {counted(known, 'condition')}{others}, none of them like a text it was trained "
        f"on.{base} It is no medical device, and what it says is no diagnosis."
    )


def _remarks(data: ReportData) -> Iterator[str]:
    if data.random is not None:
        gap = data.random.macro_f1 - data.honest.macro_f1
        yield (
            f"Split by chance, texts that are nearly alike come to lie on both sides: macro F1 is then "
            f"{decimal(data.random.macro_f1)}, {gap:+.3f} against the split that keeps them together. The honest "
            f"figure is the one to go by."
        )
    if data.comparison is not None:
        yield data.comparison.sentence
    if data.calibration is not None:
        yield (
            f"The logits are divided by a temperature of {data.calibration.temperature:.3f}; nothing is said where it "
            f"is less likely that any condition fits than {data.calibration.threshold:.1%}."
        )
    yield from data.notes


def _plots(data: ReportData) -> dict[str, Plot]:
    """Give the plots by the name of their file."""
    figures = data.honest
    less = len(figures.labels) > plots.MOST_LABELS
    thinned = f" Of {len(figures.labels)} conditions the {plots.MOST_LABELS} with the most mistakes." if less else ""
    made = {
        "confusion": Plot(
            "What was said about what",
            f"True conditions in rows, in columns what was said at the threshold; colours are shares of the row."
            f"{thinned}",
            partial(plots.draw_confusion, figures),
            broad=True,
        ),
        "reliability": Plot(
            "Whether its probabilities mean what they say",
            "Of what is said with 80% about 80% should be right. Naming a condition where nothing matches is wrong.",
            partial(plots.draw_reliability, figures, SYMPTOMS),
        ),
        "coverage": Plot(
            "What answering more costs",
            "The fewer descriptions are answered, the surest first, the more of the answers are right. The dots are "
            "where the thresholds are.",
            partial(plots.draw_coverage, data.columns(), SYMPTOMS),
        ),
    }
    if data.curve is not None:
        meaning = "What is kept are the weights that did best."
        made["loss"] = Plot("Losses", meaning, partial(plots.draw_losses, data.curve))
    return made


def _mistakes(figures: Figures) -> Iterator[str]:
    yield "<h2>The worst mistakes</h2>"
    if not figures.mistakes:
        yield '<p class="quiet">There are none.</p>'
        return
    yield '<p class="quiet">Those it was surest of come first.</p>\n<details open><summary>'
    yield f"{counted(len(figures.mistakes), 'mistake')}</summary>"
    yield from map(_mistake, figures.mistakes)
    yield "</details>"


def _mistake(mistake: Mistake) -> str:
    text = mistake.example if len(mistake.example) <= _LONGEST_TEXT else mistake.example[:_LONGEST_TEXT].rstrip() + " …"
    kept = "" if mistake.answered else ", which is too unsure to be said"
    return (
        f'<article><dl><dt>text</dt><dd>{escape(text) or NOTHING}</dd><dt>true</dt><dd class="gold">'
        f'{named(mistake.truth)} <small>{share(mistake.truth_probability)}</small></dd><dt>said</dt><dd class="none">'
        f"{named(mistake.said)} <small>{share(mistake.probability)}{kept}</small></dd></dl></article>"
    )
