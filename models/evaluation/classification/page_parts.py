"""The parts that the pages about classifiers have in common: tables of figures, of confusions, of classes, of facts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from models.evaluation.classification import NO_MATCH
from models.evaluation.classification.figures import Figures
from models.evaluation.classification.judged_examples import Cell, LabelFigures
from models.evaluation.classification.table import NOTHING, FigureRow, counted, decimal
from models.evaluation.classification.wording import Wording
from models.evaluation.drawing import Theme
from models.evaluation.html_page import picture
from models.training.card_tables import shown, words

_MOST_ROWS = 40
"""Classes of a table that is shown at once; a longer one has to be opened."""

_MOST_CONFUSED = 15

STYLE = """
.tall { max-height: 48rem; overflow: auto; padding: 0 1rem; }
.broad img { min-width: 44rem; margin: 0 auto; }
td.words { text-align: left; white-space: normal; overflow-wrap: anywhere; }
th.words { text-align: left; }
td:first-child { overflow-wrap: anywhere; }
td.number { color: var(--quiet); }
.wide + .told { margin-top: 1.25rem; }
.told { border-left: 3px solid var(--line); padding-left: .75rem; }
"""
"""CSS that these parts need."""


class Plot(NamedTuple):
    """A plot of the page: its title, what it means as HTML, how it is drawn, and whether it needs all the width."""

    title: str
    meaning: str
    draw: Callable[[Theme], bytes]
    broad: bool = False


def figure_table(names: Sequence[str], rows: Sequence[FigureRow]) -> Iterator[str]:
    """Give the table of figures; `names` are those of the classifiers, in the order of the rows' values."""
    heads = "".join(f"<th>{escape(name)}</th>" for name in names)
    yield f'<div class="wide"><table>\n<thead><tr><th>Figure</th>{heads}</tr></thead>\n<tbody>'
    for row in rows:
        part = ' class="part"' if row.label.startswith(" ") else ""
        values = "".join(f"<td>{escape(value)}</td>" for value in row.values)
        yield f"<tr{part}><td>{escape(row.label.strip())}<small>{escape(row.meaning)}</small></td>{values}</tr>"
    yield "</tbody></table></div>"


def remark(sentence: str) -> str:
    """Give a sentence that stands out."""
    return f'<p class="told">{escape(sentence)}</p>'


def shown_plot(plot: Plot) -> str:
    """Give a plot with its title and meaning; raises ModelExtraError."""
    shown_as = "wide broad" if plot.broad else "wide"
    drawn = picture(plot.title, plot.draw)
    return f'<h2>{plot.title}</h2>\n<p class="quiet">{plot.meaning}</p>\n<div class="{shown_as}">{drawn}</div>'


def most_confused(figures: Figures) -> list[Cell]:
    """Give what was most often taken for what, silence about a class included; the most frequent first."""
    wrong = [cell for cell in figures.confusion if cell.truth != cell.said]
    return sorted(wrong, key=lambda cell: -cell.examples)[:_MOST_CONFUSED]


def confused(figures: Figures, wording: Wording) -> Iterator[str]:
    """Give the table of what was most often taken for what; nothing where there are no mistakes."""
    cells = most_confused(figures)
    if not cells:
        return
    yield "<h2>Most often confused</h2>"
    yield '<div class="wide"><table>\n<thead><tr><th>True</th><th class="words">Said</th>'
    yield f"<th>{wording.examples.capitalize()}</th></tr></thead>"
    for cell in cells:
        yield f'<tr><td>{named(cell.truth)}</td><td class="words">{named(cell.said)}</td>'
        yield f"<td>{cell.examples:,}</td></tr>"
    yield "</table></div>"


def named(label: str) -> str:
    """Give a label, escaped, or a word for that of what matches nothing."""
    return "<em>nothing</em>" if label == NO_MATCH else escape(label)


def label_table(figures: Figures, trained: Mapping[str, int], wording: Wording) -> Iterator[str]:
    """Give the figures of each class; `trained` has the examples of each that it was trained on."""
    title = wording.label.capitalize()
    yield f'<h2>{title} by {wording.label}</h2>\n<p class="quiet">The worst told first; where one has to be named.</p>'
    labels = sorted(enumerate(figures.labels, 1), key=lambda pair: (pair[1].support == 0, pair[1].f1))
    opened = "" if len(labels) > _MOST_ROWS else " open"
    yield f"<details{opened}><summary>{counted(len(labels), wording.label, wording.labels)}</summary>"
    yield f'<div class="wide tall"><table>\n<thead><tr><th>No.</th><th class="words">{title}</th><th>Precision</th>'
    yield "<th>Recall</th><th>F1</th><th>Tried on</th><th>Trained on</th></tr></thead>"
    yield from (_label(number, one, trained.get(one.label)) for number, one in labels)
    yield "</table></div></details>"


def _label(number: int, one: LabelFigures, trained: int | None) -> str:
    told = [decimal(value) if one.support else NOTHING for value in (one.precision, one.recall, one.f1)]
    told += [f"{one.support:,}", NOTHING if trained is None else f"{trained:,}"]
    cells = "".join(f"<td>{value}</td>" for value in told)
    return f'<tr><td class="number">{number}</td><td class="words">{escape(one.label)}</td>{cells}</tr>'


def facts(title: str, known: Mapping[str, object]) -> Sequence[str]:
    """Give a table of what is known under a title; nothing where nothing is."""
    if not known:
        return ()
    rows = "".join(
        f'<tr><td>{escape(words(key))}</td><td class="words">{escape(shown(value))}</td></tr>\n'
        for key, value in known.items()
    )
    return (f'<h2>{title}</h2>\n<div class="wide"><table>{rows}</table></div>',)
