"""The commands that measure how well Preceptor does: answers, and pictures beside them."""

import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import evaluate_images
from bot.cli.evaluate_images import SHOWN_ON_PAGES
from bot.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.evaluation.evaluation import Progress
    from models.evaluation.figures import Evaluation

_WIDEST = 100

app = typer.Typer(help="Measure how well Preceptor does.", no_args_is_help=True)


class GeneratorChoice(StrEnum):
    """A generator, by its name in the settings."""

    LOCAL = "local"
    GEMINI = "gemini"
    OPENAI = "openai"
    EXTRACTIVE = "extractive"


@app.command()
def answers(
    data: Annotated[
        Path, typer.Option("--data", metavar="FILE", help="Questions and right answers: SQuAD's layout or JSON Lines.")
    ],
    generator: Annotated[
        list[GeneratorChoice] | None,
        typer.Option("--generator", help="May be repeated. Unset: those of the chain, and extractive."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Ask N questions, drawn by --seed.")
    ] = None,
    retrieve: Annotated[
        bool, typer.Option("--retrieve", help="Look questions up in all contexts together, not each in its own.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FOLDER", help=f"Write a page with plots and every answer there. {SHOWN_ON_PAGES}"
        ),
    ] = None,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=256, help="Questions asked at the same time; lengthens latencies.")
    ] = 1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draw, and of the intervals.")] = 0,
    perplexity: Annotated[
        bool, typer.Option("--perplexity/--no-perplexity", help="Measure the local model's perplexity.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Have questions answered by each generator, and compare the answers with the right ones.

    Every question goes with its own context, cut as the knowledge base cuts; a question without one is looked up in
    the knowledge base. Answers are reviewed as in life: what the passages do not bear out is not counted as said.
    """
    import asyncio

    from bot import logs
    from bot.evaluating import EvaluationOptions, evaluate_answers, names_of
    from bot.settings import load
    from models.evaluation.html_page import require_report_folder
    from models.evaluation.report import write_report
    from models.evaluation.squad import read_samples

    settings = load().settings
    # Why a generator gave up stands among the figures.
    logs.set_up(settings.log.model_copy(update={"level": "error"}))
    file = read_samples(data)
    if file.repeated:
        sys.stderr.write(f"{file.repeated:,} of {data}'s questions say what an earlier one says, and are left out.\n")
    if report:
        require_report_folder(report)
    options = EvaluationOptions(tuple(map(str, generator or ())), limit, retrieve, at_once, seed, perplexity)
    questions = min(limit or len(file.samples), len(file.samples))
    with _progress(names_of(settings, options), questions) as progress:
        evaluation = asyncio.run(evaluate_answers(settings, file, options, progress))
    if as_json:
        print_json({"data": str(data), **evaluation.as_json()})
    else:
        _print(evaluation, data.name)
    if report:
        sys.stderr.write(f"The report is {write_report(evaluation, report, data.name)}.\n")


app.command()(evaluate_images.images)
app.command()(evaluate_images.captions)


@contextmanager
def _progress(names: list[str], questions: int) -> "Iterator[Progress]":
    """Show on standard error how far each generator is, where a person looks on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {name: bars.add_task(name, total=questions) for name in names}
        yield lambda name, asked: bars.update(tasks[name], completed=asked)


def _print(evaluation: "Evaluation", name: str) -> None:
    import shutil

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from models.evaluation.report import summary
    from models.evaluation.table import reasons, rows

    console = Console(width=min(shutil.get_terminal_size().columns, _WIDEST), highlight=False)
    table = Table("Figure")
    for one in evaluation.generators:
        model = "" if one.figures.model == one.figures.generator else f"\n{one.figures.model}"
        table.add_column(Text.assemble(one.figures.generator, (model, "dim")), justify="right")
    for row in rows(evaluation):
        table.add_row(row.label, *row.values)
    console.print(table)
    console.print(Text(f"{name}: {summary(evaluation)}"))
    for one in evaluation.generators:
        if why := reasons(one.figures):
            console.print(Text(f"{one.figures.generator} fell back because: {why}."))
    for note in evaluation.notes:
        console.print(Text(note))
