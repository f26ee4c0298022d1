"""Writes an evaluation down: a page to read, complete in one file, and the same as JSON with every answer."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from html import escape
from pathlib import Path

from models.evaluation.drawing import require_matplotlib
from models.evaluation.figures import Evaluation, Figures, GeneratorEvaluation, Outcome
from models.evaluation.html_page import html_page, picture, replace_file, require_report_folder
from models.evaluation.plots import PICTURES
from models.evaluation.table import duration, reasons, rows

_WORST = 20
_LONGEST = 1_500
"""Characters of an answer that the page shows; the JSON has all of it."""


def write_report(evaluation: Evaluation, folder: Path, data: str) -> Path:
    """Write ``report.html`` and ``evaluation.json`` into a folder, each whole or not at all; give the page's path.

    Args:
        evaluation: what was found out.
        folder: made where it is not there; what it held of the same names is replaced.
        data: what the questions are called, usually their file's name.

    Raises:
        ModelExtraError: matplotlib is not installed.
        OSError: it cannot be written.
    """
    require_report_folder(folder)
    document = {"data": data, **evaluation.as_json(with_answers=True)}
    replace_file(folder / "evaluation.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return replace_file(folder / "report.html", page(evaluation, data))


def page(evaluation: Evaluation, data: str) -> str:
    """Give the page: HTML, complete in itself, for light and dark screens; raises ModelExtraError."""
    require_matplotlib()
    title = f"Answers to {data}"
    return html_page(
        title,
        (
            f"<h1>{escape(title)}</h1>",
            f'<p class="quiet">{escape(summary(evaluation))}</p>',
            *_table(evaluation),
            *_remarks(evaluation),
            *_pictures(evaluation),
            *_fallbacks(evaluation),
            f"<h2>The {_WORST} worst answers</h2>",
            '<p class="quiet">Those that hold no right answer come first, then those with the lowest F1.</p>',
            *(_worst(one) for one in evaluation.generators),
        ),
    )


def summary(evaluation: Evaluation) -> str:
    """Say in a sentence or two what was asked."""
    figures = evaluation.generators[0].figures
    without = figures.questions - figures.answerable
    asked = f"{figures.questions:,} question{'' if figures.questions == 1 else 's'}" + (
        f", {without:,} of them without an answer." if without else "."
    )
    if evaluation.findable is None:
        return asked
    whom = "of the others" if without else "of them"
    return f"{asked} A right answer stood in the passages of {evaluation.findable:.1%} {whom}."


def _table(evaluation: Evaluation) -> Iterator[str]:
    names = "".join(f"<th>{_named(one.figures)}</th>" for one in evaluation.generators)
    yield f'<div class="wide"><table>\n<thead><tr><th>Figure</th>{names}</tr></thead>\n<tbody>'
    for row in rows(evaluation):
        part = ' class="part"' if row.label.startswith(" ") else ""
        values = "".join(f"<td>{escape(value)}</td>" for value in row.values)
        yield f"<tr{part}><td>{escape(row.label.strip())}<small>{escape(row.meaning)}</small></td>{values}</tr>"
    yield "</tbody></table></div>"


def _named(figures: Figures) -> str:
    model = "" if figures.model == figures.generator else f"<br><small>{escape(figures.model)}</small>"
    return escape(figures.generator) + model


def _pictures(evaluation: Evaluation) -> Iterator[str]:
    for title, meaning, draw in PICTURES:
        yield f'<h2>{title}</h2>\n<p class="quiet">{meaning}</p>\n' + picture(title, partial(draw, evaluation))


def _fallbacks(evaluation: Evaluation) -> Iterator[str]:
    told = [(one.figures, reasons(one.figures)) for one in evaluation.generators]
    if any(why for _, why in told):
        yield "<h2>Why the extractive generator had to answer</h2>\n<ul>"
        yield from (f"<li>{escape(figures.generator)}: {escape(why)}</li>" for figures, why in told if why)
        yield "</ul>"


def _remarks(evaluation: Evaluation) -> Iterator[str]:
    yield from (f"<p>{escape(note)}</p>" for note in evaluation.notes)


def _worst(one: GeneratorEvaluation) -> str:
    shown = "\n".join(_article(outcome) for outcome in worst(one.outcomes))
    return f"<details><summary>{escape(one.figures.generator)}</summary>\n{shown}\n</details>"


def worst(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Give the twenty worst, worst first."""
    return sorted(outcomes, key=lambda one: (one.holds_gold, one.f1))[:_WORST]


def _article(outcome: Outcome) -> str:
    golds = " · ".join(outcome.sample.golds)
    gold = f'<dd class="gold">{escape(golds)}</dd>' if golds else '<dd class="gold">– (there is none)</dd>'
    answer = outcome.answer if len(outcome.answer) <= _LONGEST else outcome.answer[:_LONGEST].rstrip() + " …"
    given = f"<dd>{escape(answer)}</dd>" if answer else '<dd class="none">– (not answered)</dd>'
    by = f", by {outcome.wrote}: {outcome.fell_back}" if outcome.fell_back else ""
    told = f"F1 {outcome.f1:.2f}, ROUGE-L {outcome.rouge_l:.2f}, {duration(outcome.seconds)}{by}"
    return (
        f"<article><h3>{escape(outcome.sample.question)}</h3><dl><dt>right</dt>{gold}<dt>given</dt>{given}"
        f"<dt>scores</dt><dd>{escape(told)} <small>{escape(outcome.sample.key)}</small></dd></dl></article>"
    )
