"""The commands that measure how well pictures are labelled and captioned: preceptor evaluate images, captions."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli.output import AsJson, leave, print_json, progress

if TYPE_CHECKING:
    from rich.console import Console

    from bot.settings import Settings
    from models.vision.evaluation.batches import Refused
    from models.vision.evaluation.captioning import CaptionEvaluation
    from models.vision.evaluation.labelling import LabelEvaluation
    from models.vision.evaluation.table import Row

_WIDEST = 100
_SHOWN = 5

Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Look at N pictures, drawn by --seed.")]
SHOWN_ON_PAGES = "In data/reports/NAME the web pages show it."

Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FOLDER", help=f"Write a page with the worst pictures there. {SHOWN_ON_PAGES}"),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the draw.")]


def images(
    data: Annotated[
        Path,
        typer.Option("--data", metavar="PATH", help="A folder with one folder for each class, or a CSV: path,label."),
    ],
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="A classifier, by name or folder. Unset: what is in use.")
    ] = "",
    limit: Limit = None,
    seed: Seed = 0,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Have pictures labelled, and compare the labels with what they show.

    Each class is named as one of the model's labels, as one of its synonyms, or by its number.
    """
    from bot.evaluating_images import Wish, evaluate_labels
    from models.vision.evaluation.batches import drawn
    from models.vision.evaluation.labelled_pictures import find_labelled

    found = find_labelled(data)
    files = drawn(found.files, limit, seed)
    if found.loose:
        sys.stderr.write(f"Passed over, as they lie in no folder of a class: {found.loose:,} files of {data}.\n")
    settings = _settings()
    with progress("looking", len(files)) as told:
        evaluation = evaluate_labels(settings, files, Wish(_name_of(data), model, report), told)
    if as_json:
        print_json({"data": str(data), **evaluation.as_json()})
    else:
        _print_labels(evaluation)
    _leave(report)


def captions(
    data: Annotated[Path, typer.Option("--data", metavar="FOLDER", help="Pictures with captions, in COCO's layout.")],
    annotations: Annotated[
        Path | None,
        typer.Option("--annotations", metavar="FILE", help="The captions. Unset: FOLDER/annotations/captions_*.json."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="A captioner, by name or folder. Unset: what is in use.")
    ] = "",
    limit: Limit = None,
    seed: Seed = 0,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Have captions written, and compare them with what people wrote: BLEU-4, METEOR, ROUGE-L, CIDEr."""
    from bot.evaluating_images import Wish, evaluate_captions
    from models.vision.evaluation.batches import drawn
    from models.vision.evaluation.caption_metrics import require_libraries
    from models.vision.evaluation.coco_captions import find_captioned

    require_libraries()
    found = find_captioned(data, annotations)
    files = drawn(found.files, limit, seed)
    if found.absent:
        sys.stderr.write(f"{len(found.absent):,} pictures of {found.annotations} are not there: {found.absent[0]} …\n")
    if found.uncaptioned:
        sys.stderr.write(f"{found.uncaptioned:,} pictures of {found.annotations} have no caption.\n")
    settings = _settings()
    with progress("looking", len(files)) as told:
        evaluation = evaluate_captions(settings, files, Wish(_name_of(data), model, report), told)
    if as_json:
        counts = {"absent": len(found.absent), "uncaptioned": found.uncaptioned}
        print_json({"data": str(data), "annotations": str(found.annotations), **counts, **evaluation.as_json()})
    else:
        _print_captions(evaluation)
    _leave(report)


def _name_of(data: Path) -> str:
    return data.resolve().name


def _leave(report: Path | None) -> NoReturn:
    if report:
        sys.stderr.write(f"The report is {report / 'report.html'}.\n")
    leave(0)


def _settings() -> "Settings":
    from bot import logs
    from bot.settings import load

    settings = load().settings
    logs.set_up(settings.log.model_copy(update={"level": "error"}))
    return settings


def _console() -> "Console":
    import shutil

    from rich.console import Console

    return Console(width=min(shutil.get_terminal_size().columns, _WIDEST), highlight=False)


def _print_labels(evaluation: "LabelEvaluation") -> None:
    from models.vision.evaluation.table import CLASS_HEADS, class_rows, label_rows

    figures = evaluation.figures
    console = _console()
    _print_figures(console, evaluation.model, figures.pictures, label_rows(figures))
    rows = class_rows(figures)
    if len(rows) < len(figures.classes):
        console.print(f"The {len(rows)} of {len(figures.classes):,} classes that are told worst:")
    _print_table(console, CLASS_HEADS, rows)
    if figures.mistakes:
        surest = [
            (one.path, one.truth, one.said, f"{one.probability:.1%}", f"{one.probability_of_truth:.1%}")
            for one in figures.mistakes[:_SHOWN]
        ]
        console.print("The surest mistakes:")
        _print_table(console, ("Picture", "Is", "Said", "Probability", "Of what it is"), surest)
    _print_sentences(console, (), evaluation.refused)


def _print_captions(evaluation: "CaptionEvaluation") -> None:
    from models.vision.evaluation.table import caption_rows

    console = _console()
    _print_figures(console, evaluation.model, evaluation.figures.pictures, caption_rows(evaluation.figures))
    furthest = [
        (one.path, one.caption or "–", one.captions[0], f"{one.cider:.2f}") for one in evaluation.worst[:_SHOWN]
    ]
    if furthest:
        console.print("The captions furthest from what people wrote:")
        _print_table(console, ("Picture", "Written", "By people", "CIDEr"), furthest)
    _print_sentences(console, evaluation.notes, evaluation.refused)


def _print_figures(console: "Console", model: str, pictures: int, rows: Sequence["Row"]) -> None:
    from rich.table import Table
    from rich.text import Text

    from models.vision.evaluation.table import told_of

    console.print(Text(told_of(model, pictures)))
    table = Table("Figure", "", "")
    table.columns[1].justify = "right"
    for row in rows:
        table.add_row(row.label, row.value, Text(row.meaning, "dim"))
    console.print(table)


def _print_table(console: "Console", heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_sentences(console: "Console", notes: Sequence[str], refused: Sequence["Refused"]) -> None:
    from rich.text import Text

    from models.vision.evaluation.table import refusals

    for sentence in (*notes, *refusals(refused)):
        console.print(Text(sentence))
