"""Writes an evaluation down: a page to read, complete in one file, and the same as JSON with every answer."""

import base64
import json
import os
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from models.evaluation.figures import Evaluation, Figures, GeneratorEvaluation, Outcome
from models.evaluation.plots import DARK, LIGHT, PICTURES, Theme, require_matplotlib
from models.evaluation.table import duration, reasons, rows

_WORST = 20
_LONGEST = 1_500
"""Characters of an answer that the page shows; the JSON has all of it."""

_STYLE = """
:root { color-scheme: light dark; --text: #24292f; --quiet: #57606a; --line: #d0d7de; --page: #ffffff;
  --raised: #f6f8fa; --good: #1a7f37; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --quiet: #9198a1; --line: #3d444d; --page: #0d1117;
  --raised: #151b23; --good: #3fb950; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
p { margin: .25rem 0 .75rem; }
.quiet, small { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .75rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td small { display: block; }
td:not(:first-child) { white-space: nowrap; }
tr.part td:first-child { padding-left: 1.25rem; }
img { max-width: 100%; height: auto; display: block; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .75rem 0; background: var(--raised); }
summary { cursor: pointer; padding: .6rem 1rem; font-weight: 600; }
article { border-top: 1px solid var(--line); padding: .75rem 1rem; }
article h3 { font-size: 1rem; margin: 0 0 .4rem; }
dl { display: grid; grid-template-columns: 5rem 1fr; gap: .2rem .75rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 40rem) { td small { display: none; } th, td { padding: .35rem .4rem; } }
dd.gold { color: var(--good); }
dd.none { color: var(--bad); }
"""
# Whatever a document or a model wrote, the page fetches nothing and runs nothing.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def require_report_folder(folder: Path) -> None:
    """Make the folder, and see that a report can be drawn and put there, before anything is evaluated.

    Raises:
        ModelExtraError: matplotlib is not installed.
        OSError: nothing can be written there.
    """
    require_matplotlib()
    folder.mkdir(parents=True, exist_ok=True)
    trial = folder / ".report"
    trial.write_bytes(b"")
    trial.unlink()


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
    _replace(folder / "evaluation.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return _replace(folder / "report.html", page(evaluation, data))


def page(evaluation: Evaluation, data: str) -> str:
    """Give the page: HTML, complete in itself, for light and dark screens; raises ModelExtraError."""
    require_matplotlib()
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>Answers to {escape(data)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>Answers to {escape(data)}</h1>",
            f'<p class="quiet">{escape(summary(evaluation))}</p>',
            *_table(evaluation),
            *_remarks(evaluation),
            *_pictures(evaluation),
            *_fallbacks(evaluation),
            f"<h2>The {_WORST} worst answers</h2>",
            '<p class="quiet">Those that hold no right answer come first, then those with the lowest F1.</p>',
            *(_worst(one) for one in evaluation.generators),
            "</body>\n</html>\n",
        )
    )


def _replace(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


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
        light, dark = (_embedded(draw, evaluation, theme) for theme in (LIGHT, DARK))
        yield (
            f'<h2>{title}</h2>\n<p class="quiet">{meaning}</p>\n<picture>'
            f'<source media="(prefers-color-scheme: dark)" srcset="{dark}"><img src="{light}" alt="{title}"></picture>'
        )


def _embedded(draw: Callable[[Evaluation, Theme], bytes], evaluation: Evaluation, theme: Theme) -> str:
    return "data:image/png;base64," + base64.b64encode(draw(evaluation, theme)).decode()


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
