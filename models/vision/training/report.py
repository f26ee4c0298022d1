"""Writes down how well a trained classifier of pictures does: a page to read, complete in one file, JSON, plots."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from html import escape
from pathlib import Path

from models.evaluation.classification import plots
from models.evaluation.classification.judged_examples import Mistake
from models.evaluation.classification.page_parts import (
    STYLE,
    Plot,
    confused,
    facts,
    figure_table,
    label_table,
    remark,
    shown_plot,
)
from models.evaluation.classification.table import counted, decimal, share
from models.evaluation.drawing import ANYWHERE, require_matplotlib
from models.evaluation.html_page import html_page, replace_file, require_report_folder
from models.training.options import Curve
from models.vision.training.figure_rows import figure_rows
from models.vision.training.options import FEWEST_TO_CALIBRATE
from models.vision.training.report_data import PictureReport
from models.vision.wording import PICTURES

_STYLE = """
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 1rem; margin-top: 1rem; }
figure { margin: 0; border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; background: var(--raised); }
figure img, figure .none { width: 100%; height: 10rem; object-fit: contain; background: var(--page); }
figure .none { display: grid; place-items: center; color: var(--quiet); }
figcaption { padding: .5rem .75rem .6rem; font-size: .875rem; line-height: 1.4; overflow-wrap: anywhere; }
figcaption small { display: block; margin-top: .25rem; font-size: .75rem; }
figcaption span { color: var(--quiet); white-space: nowrap; }
figcaption .truth { color: var(--good); }
figcaption .said { color: var(--bad); }
"""


def write_report(folder: Path, data: PictureReport) -> Path:
    """Write ``report.html``, ``report.json`` and the plots into a folder, each whole or not at all.

    The page is complete in itself; it shows the pictures of the worst mistakes, small. The JSON is an object: ``name``
    and ``base``; ``honest``, ``in_use`` and ``random``, each the attributes of `Figures` that make sense of pictures
    (shares from 0 to 1; ``pictures`` is how many there are; ``threshold``, ``coverage`` and ``covered_accuracy`` are
    of what is told without doubt; lists of objects for ``labels``, ``bins_before``, ``bins_after``, ``points``,
    ``confusion`` and ``mistakes``, whose attributes `judged_examples` documents, with ``picture`` and ``pictures`` for
    ``example`` and ``examples``) or null; ``comparison`` (the attributes of `Comparison`, and its ``sentence``) or
    null; ``curves`` (objects of ``training`` and ``held_out``, pairs of epoch and loss, by what was trained); the rest
    as `PictureReport` has it. The plots are ``confusion.png``, ``reliability.png``, ``coverage.png`` and, for each of
    the curves that has epochs, ``loss-NAME.png``.

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


def page(data: PictureReport) -> str:
    """Give the page: HTML, complete in itself, for light and dark screens; raises ModelExtraError."""
    require_matplotlib()
    title = f"How well {data.name} tells pictures apart"
    columns = data.columns()
    body = (
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{escape(summary(data))}</p>',
        *figure_table([name for name, _ in columns], figure_rows([figures for _, figures in columns])),
        *map(remark, _remarks(data)),
        *_mistakes(data),
        *map(shown_plot, _plots(data).values()),
        *confused(data.honest, PICTURES),
        *label_table(data.honest, data.pictures_per_label, PICTURES),
        *facts("Data", data.data),
        *facts("Settings", data.settings),
    )
    return html_page(title, body, STYLE + _STYLE)


def summary(data: PictureReport) -> str:
    """Say in a sentence or two what was tried on what."""
    held_out = counted(data.honest.examples, "picture")
    tried = sum(1 for one in data.honest.labels if one.support)
    return (
        f"Tried on {held_out} of {counted(tried, 'class', 'classes')}, none of them nearly the same as one it was "
        f"trained on. It was made from {data.base}. Of every picture it says one of its classes, whatever that shows."
    )


def _remarks(data: PictureReport) -> Iterator[str]:
    groups = counted(data.near_duplicate_groups, "group") if data.near_duplicate_groups else "no group"
    yield (
        f"Pictures that are nearly the same, by perceptual hash, were kept on one side of the split, so that none is "
        f"scored for having been seen before: {groups} of two or more."
    )
    if data.random is not None:
        gap = data.random.accuracy - data.honest.accuracy
        yield (
            f"Split by chance, pictures that are nearly the same come to lie on both sides: top 1 is then "
            f"{share(data.random.accuracy)}, {100 * gap:+.1f} points against the split that keeps them together. The "
            f"honest figure is the one to go by."
        )
    if data.comparison is not None:
        yield data.comparison.sentence
    error = decimal(data.honest.ece_after)
    before = "" if data.honest.ece_before is None else f" (before: {decimal(data.honest.ece_before)})"
    if data.temperature == 1:
        told = (
            f"The probabilities are as the model gives them, for a temperature is found on {FEWEST_TO_CALIBRATE} "
            f"held-out pictures or more: the calibration error is {error}."
        )
    else:
        told = (
            f"The logits are divided by a temperature of {data.temperature:.3f}, found on held-out pictures: the "
            f"calibration error is {error}{before}."
        )
    yield f"{told} Below {data.sure_from:.0%} a label is told as what it may be."
    yield from (_losses(name, curve) for name, curve in data.curves.items() if not _is_drawn(curve))
    yield from data.notes


def _is_drawn(curve: Curve) -> bool:
    """Whether there is a line to draw: what is fitted in one go has a loss, but no epochs."""
    return max(len(curve.training), len(curve.held_out)) > 1


def _losses(name: str, curve: Curve) -> str:
    known = (("trained on", curve.training), ("held out to validate", curve.held_out))
    told = [f"{points[-1][1]:.3f} nats on what was {side}" for side, points in known if points]
    return f"The loss of the {name} is {' and '.join(told)}."


def _plots(data: PictureReport) -> dict[str, Plot]:
    """Give the plots by the name of their file."""
    figures = data.honest
    less = len(figures.labels) > plots.MOST_LABELS
    thinned = f" Of {len(figures.labels):,} classes the {plots.MOST_LABELS} with the most mistakes." if less else ""
    made = {
        "confusion": Plot(
            "What was taken for what",
            f"True classes in rows, in columns what was said; colours are shares of the row.{thinned}",
            partial(plots.draw_confusion, figures),
            broad=True,
        ),
        "reliability": Plot(
            "Whether its probabilities mean what they say",
            "Of what is said with 80% about 80% should be right.",
            partial(plots.draw_reliability, figures, PICTURES),
        ),
        "coverage": Plot(
            "What answering more costs",
            "The fewer pictures are told without doubt, the surest first, the more of them are told rightly. The dots "
            "are where the threshold is.",
            partial(plots.draw_coverage, data.columns(), PICTURES),
        ),
    }
    for name, curve in data.curves.items():
        if not _is_drawn(curve):
            continue
        title, meaning = f"Losses of the {escape(name)}", "What is kept are the weights that did best."
        made[f"loss-{name}"] = Plot(title, meaning, partial(plots.draw_losses, curve))
    return made


def _mistakes(data: PictureReport) -> Iterator[str]:
    mistakes = data.columns()[0][1].mistakes
    yield "<h2>The worst mistakes</h2>"
    if not mistakes:
        yield '<p class="quiet">There are none.</p>'
        return
    yield '<p class="quiet">Those it was surest of come first; beside each class its probability.</p>'
    yield '<div class="grid">'
    yield from (_mistake(one, data.thumbnail(one.row)) for one in mistakes)
    yield "</div>"


def _mistake(mistake: Mistake, thumbnail: bytes) -> str:
    truth, said = escape(mistake.truth), escape(mistake.said)
    # The folder says the true class once more.
    name = mistake.example.rpartition("/")[2]
    alternative = f"A picture of {truth}, taken for {said}"
    source = f"data:image/jpeg;base64,{base64.b64encode(thumbnail).decode()}"
    shown = f'<img src="{source}" alt="{alternative}">' if thumbnail else '<div class="none">no picture</div>'
    doubt = "" if mistake.answered else ", told with doubt"
    return (
        f"<figure>{shown}<figcaption>"
        f'<div class="truth">{truth} <span>true, {share(mistake.truth_probability)}</span></div>'
        f'<div class="said">{said} <span>said, {share(mistake.probability)}</span></div>'
        f"<small>{escape(name)}{doubt}</small></figcaption></figure>"
    )
