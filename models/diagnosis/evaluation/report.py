"""Writes down how well a trained classifier does: a page to read, complete in one file, JSON, and the pictures."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path

from models.diagnosis.contract import NO_MATCH
from models.diagnosis.evaluation import plots
from models.diagnosis.evaluation.figures import Figures
from models.diagnosis.evaluation.judged_texts import Cell, LabelFigures, Mistake
from models.diagnosis.evaluation.report_data import ReportData
from models.diagnosis.evaluation.table import NOTHING, counted, decimal, figure_rows, share
from models.evaluation.drawing import ANYWHERE, Theme, require_matplotlib
from models.evaluation.html_page import html_page, picture, replace_file, require_report_folder
from models.training.card_tables import shown, words

_LONGEST_TEXT = 1_500
"""Characters of a text that the page shows; the JSON has all of it."""

_MOST_ROWS = 40
"""Conditions of a table that is shown at once; a longer one has to be opened."""

_MOST_CONFUSED = 15

_STYLE = """
.tall { max-height: 48rem; overflow: auto; padding: 0 1rem; }
.broad img { min-width: 44rem; margin: 0 auto; }
td.words { text-align: left; white-space: normal; overflow-wrap: anywhere; }
th.words { text-align: left; }
td:first-child { overflow-wrap: anywhere; }
td.number { color: var(--quiet); }
.wide + .told { margin-top: 1.25rem; }
.told { border-left: 3px solid var(--line); padding-left: .75rem; }
"""


def write_report(folder: Path, data: ReportData) -> Path:
    """Write ``report.html``, ``report.json`` and the pictures into a folder, each whole or not at all.

    The page is complete in itself. The JSON is an object: ``name`` and ``base``; ``honest``, ``random``, ``floor`` and
    ``in_use``, each the attributes of `Figures` (shares from 0 to 1; lists of objects for ``labels``, ``bins_before``,
    ``bins_after``, ``points``, ``confusion`` and ``mistakes``, whose attributes `judged_texts` documents) or null;
    ``comparison`` (the attributes of `Comparison`, and its ``sentence``) or null; ``calibration`` (``temperature``,
    ``threshold``, ``no_match_bias``) or null; ``curve`` (``training`` and ``held_out``, pairs of epoch and loss) or
    null; ``texts_per_label``, ``data``, ``settings`` and ``notes`` as they were given. The label of what matches
    nothing is the empty string. The pictures are ``confusion.png``, ``reliability.png``, ``coverage.png`` and, with a
    curve, ``loss.png``.

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
    for name, (_, _, draw) in _pictures(data).items():
        replace_file(folder / f"{name}.png", draw(ANYWHERE))
    return replace_file(folder / "report.html", page(data))


def page(data: ReportData) -> str:
    """Give the page: HTML, complete in itself, for light and dark screens; raises ModelExtraError."""
    require_matplotlib()
    title = f"How well {data.name} tells conditions"
    body = (
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{escape(summary(data))}</p>',
        *_figures(data),
        *_remarks(data),
        *(_shown_picture(name, *picture_) for name, picture_ in _pictures(data).items()),
        *_confused(data.honest),
        *_labels(data),
        *_mistakes(data.honest),
        *_facts("Data", data.data),
        *_facts("Settings", data.settings),
    )
    return html_page(title, body, _STYLE)


def summary(data: ReportData) -> str:
    """Say in a sentence or two what was tried on what."""
    figures = data.honest
    known = sum(1 for one in figures.labels if one.support)
    described = counted(figures.texts - figures.no_match_texts, "description")
    others = f" and {counted(figures.no_match_texts, 'text')} that match nothing" if figures.no_match_texts else ""
    base = f" It was made from {data.base}." if data.base else ""
    return (
        f"Tried on {described} of {counted(known, 'condition')}{others}, none of them like a text it was trained "
        f"on.{base} It is no medical device, and what it says is no diagnosis."
    )


def _figures(data: ReportData) -> Iterator[str]:
    columns = data.columns()
    names = "".join(f"<th>{escape(name)}</th>" for name, _ in columns)
    yield f'<div class="wide"><table>\n<thead><tr><th>Figure</th>{names}</tr></thead>\n<tbody>'
    for row in figure_rows([figures for _, figures in columns]):
        part = ' class="part"' if row.label.startswith(" ") else ""
        values = "".join(f"<td>{escape(value)}</td>" for value in row.values)
        yield f"<tr{part}><td>{escape(row.label.strip())}<small>{escape(row.meaning)}</small></td>{values}</tr>"
    yield "</tbody></table></div>"


def _remarks(data: ReportData) -> Iterator[str]:
    if data.random is not None:
        gap = data.random.macro_f1 - data.honest.macro_f1
        yield (
            f'<p class="told">Split by chance, texts that are nearly alike come to lie on both sides: macro F1 is then '
            f"{decimal(data.random.macro_f1)}, {gap:+.3f} against the split that keeps them together. The honest "
            f"figure is the one to go by.</p>"
        )
    if data.comparison is not None:
        yield f'<p class="told">{escape(data.comparison.sentence)}</p>'
    if data.calibration is not None:
        yield (
            f'<p class="told">The logits are divided by a temperature of {data.calibration.temperature:.3f}; nothing '
            f"is said where it is less likely that any condition fits than {data.calibration.threshold:.1%}.</p>"
        )
    yield from (f'<p class="told">{escape(note)}</p>' for note in data.notes)


_Picture = tuple[str, str, Callable[[Theme], bytes]]


def _pictures(data: ReportData) -> dict[str, _Picture]:
    """Give title, meaning and how it is drawn, by the name of the file."""
    figures = data.honest
    less = len(figures.labels) > plots.MOST_LABELS
    thinned = f" Of {len(figures.labels)} conditions the {plots.MOST_LABELS} with the most mistakes." if less else ""
    made: dict[str, _Picture] = {
        "confusion": (
            "What was said about what",
            f"True conditions in rows, in columns what was said at the threshold; colours are shares of the row."
            f"{thinned}",
            partial(plots.draw_confusion, figures),
        ),
        "reliability": (
            "Whether its probabilities mean what they say",
            "Of what is said with 80% about 80% should be right. Naming a condition where nothing matches is wrong.",
            partial(plots.draw_reliability, figures),
        ),
        "coverage": (
            "What answering more costs",
            "The fewer descriptions are answered, the surest first, the more of the answers are right. The dots are "
            "where the thresholds are.",
            partial(plots.draw_coverage, data.columns()),
        ),
    }
    if data.curve is not None:
        made["loss"] = ("Losses", "What is kept are the weights that did best.", partial(plots.draw_losses, data.curve))
    return made


def _shown_picture(name: str, title: str, meaning: str, draw: Callable[[Theme], bytes]) -> str:
    shown_as = "wide broad" if name == "confusion" else "wide"
    return f'<h2>{title}</h2>\n<p class="quiet">{meaning}</p>\n<div class="{shown_as}">{picture(title, draw)}</div>'


def most_confused(figures: Figures) -> list[Cell]:
    """Give what was most often taken for what, silence about a condition included; the most frequent first."""
    wrong = [cell for cell in figures.confusion if cell.truth != cell.said]
    return sorted(wrong, key=lambda cell: -cell.texts)[:_MOST_CONFUSED]


def _confused(figures: Figures) -> Iterator[str]:
    cells = most_confused(figures)
    if not cells:
        return
    yield "<h2>Most often confused</h2>"
    yield '<div class="wide"><table>\n<thead><tr><th>True</th><th class="words">Said</th><th>Texts</th></tr></thead>'
    for cell in cells:
        yield f'<tr><td>{_named(cell.truth)}</td><td class="words">{_named(cell.said)}</td><td>{cell.texts:,}</td></tr>'
    yield "</table></div>"


def _named(label: str) -> str:
    return "<em>nothing</em>" if label == NO_MATCH else escape(label)


def _labels(data: ReportData) -> Iterator[str]:
    yield '<h2>Condition by condition</h2>\n<p class="quiet">The worst told first; where one has to be named.</p>'
    labels = sorted(enumerate(data.honest.labels, 1), key=lambda pair: (pair[1].support == 0, pair[1].f1))
    opened = "" if len(labels) > _MOST_ROWS else " open"
    yield f"<details{opened}><summary>{counted(len(labels), 'condition')}</summary>"
    yield '<div class="wide tall"><table>\n<thead><tr><th>No.</th><th class="words">Condition</th><th>Precision</th>'
    yield "<th>Recall</th><th>F1</th><th>Tried on</th><th>Trained on</th></tr></thead>"
    yield from (_label(number, one, data.texts_per_label.get(one.label)) for number, one in labels)
    yield "</table></div></details>"


def _label(number: int, one: LabelFigures, trained: int | None) -> str:
    told = [decimal(value) if one.support else NOTHING for value in (one.precision, one.recall, one.f1)]
    told += [f"{one.support:,}", NOTHING if trained is None else f"{trained:,}"]
    cells = "".join(f"<td>{value}</td>" for value in told)
    return f'<tr><td class="number">{number}</td><td class="words">{escape(one.label)}</td>{cells}</tr>'


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
    text = mistake.text if len(mistake.text) <= _LONGEST_TEXT else mistake.text[:_LONGEST_TEXT].rstrip() + " …"
    kept = "" if mistake.answered else ", which is too unsure to be said"
    return (
        f'<article><dl><dt>text</dt><dd>{escape(text) or NOTHING}</dd><dt>true</dt><dd class="gold">'
        f'{_named(mistake.truth)} <small>{share(mistake.truth_probability)}</small></dd><dt>said</dt><dd class="none">'
        f"{_named(mistake.said)} <small>{share(mistake.probability)}{kept}</small></dd></dl></article>"
    )


def _facts(title: str, facts: Mapping[str, object]) -> Sequence[str]:
    if not facts:
        return ()
    rows = "".join(
        f'<tr><td>{escape(words(key))}</td><td class="words">{escape(shown(value))}</td></tr>\n'
        for key, value in facts.items()
    )
    return (f'<h2>{title}</h2>\n<div class="wide"><table>{rows}</table></div>',)
