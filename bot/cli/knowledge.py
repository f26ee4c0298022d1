"""The commands on the knowledge base: check, build, search, stats, evaluate, calibrate."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from knowledge import KnowledgeBase
    from knowledge.calibration import CalibrationReport

app = typer.Typer(help="Check, build, search and measure the knowledge base.", no_args_is_help=True)


def _opened() -> "KnowledgeBase":
    from bot.knowledge_desk import knowledge_base
    from bot.settings import load

    opened = knowledge_base(load().settings)
    report = opened.open()
    for problem in report.problems:
        sys.stderr.write(f"{problem}\n")
    return opened


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files and folders to read.")],
    as_json: AsJson = False,
) -> None:
    """Read every file and name every problem with file, line and fix. Exit status 1 when there is one."""
    from dataclasses import asdict

    from bot.knowledge_desk import counted, load_limits
    from bot.settings import load
    from knowledge.loaders import find_files, load_file

    files, problems = find_files([path.absolute() for path in paths])
    documents = 0
    limits = load_limits(load().settings.knowledge)
    for file in files:
        loaded = load_file(file, limits)
        documents += len(loaded.documents)
        problems += loaded.problems
    if as_json:
        listed = [asdict(problem) for problem in problems]
        print_json({"files": len(files), "documents": documents, "problems": listed})
    else:
        for problem in problems:
            sys.stdout.write(f"{problem}\n")
        read = (counted(len(files), "file"), counted(documents, "document"), counted(len(problems), "problem"))
        sys.stdout.write(f"{', '.join(read)}.\n")
    raise typer.Exit(1 if problems or not documents else 0)


@app.command()
def build(as_json: AsJson = False) -> None:
    """Read the sources that are set and build the index, where it does not fit them already."""
    from dataclasses import asdict

    from bot.knowledge_desk import knowledge_base, report_in_words
    from bot.settings import load

    opened = knowledge_base(load().settings)
    report = opened.open()
    if not report.rebuilt_because:
        report = opened.reload()
    if as_json:
        print_json(asdict(report))
    else:
        sys.stdout.write(report_in_words(report) + "\n")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="How many passages to show.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show what is found, and why: score, confidence and the terms that matched with their weights."""
    from dataclasses import asdict

    opened = _opened()
    hits = opened.search(query, limit)
    if as_json:
        print_json({"query": query, "threshold": opened.threshold, "hits": [asdict(hit) for hit in hits]})
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "Score", "Sure", "Passage", "Where", "Matched (weight)")
    for rank, hit in enumerate(hits, start=1):
        matched = ", ".join(f"{term.query_word} {term.weight:.2f}" for term in hit.terms)
        where = f"{hit.passage.source}, {hit.passage.location}"
        title = Text(hit.passage.title or hit.passage.text[:60])
        table.add_row(str(rank), f"{hit.score:.3f}", f"{hit.confidence:.0%}", title, Text(where), Text(matched))
    console = Console(soft_wrap=not sys.stdout.isatty())
    console.print(table)
    console.print(f"Answers are given from {opened.threshold:.0%} on.")


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Say what is in the knowledge base."""
    from dataclasses import asdict

    statistics = asdict(_opened().statistics())
    if as_json:
        print_json(statistics)
        return
    calibration = {f"calibration: {name}": value for name, value in statistics.pop("calibration").items()}
    for name, value in (statistics | calibration).items():
        shown = ", ".join(value) if isinstance(value, tuple) else value
        sys.stdout.write(f"{name.replace('_', ' '):>28}  {shown}\n")


@app.command()
def evaluate(
    corpus: Annotated[Path, typer.Option("--corpus", help="Documents: JSON Lines with _id, title, text.")],
    queries: Annotated[Path, typer.Option("--queries", help="Queries: JSON Lines with _id, text.")],
    qrels: Annotated[Path, typer.Option("--qrels", help="Relevance: tab-separated query, document, score.")],
    as_json: AsJson = False,
) -> None:
    """Measure the retrieval on a collection in BEIR's layout: nDCG@10, recall@10 and @100, MRR@10."""
    from dataclasses import asdict

    from knowledge.evaluation import evaluate as evaluate_collection

    evaluation = evaluate_collection(corpus, queries, qrels)
    figures = {name.replace("_at_", "@"): value for name, value in asdict(evaluation).items()}
    figures["queries_per_second"] = evaluation.queries_per_second
    if as_json:
        print_json(figures)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Figure", "Value")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,.4f}" if value < 1 else f"{value:,.0f}")
    Console().print(table)


@app.command()
def calibrate(
    answerable: Annotated[
        Path | None, typer.Option("--answerable", help="Questions that can be answered: a JSON list.")
    ] = None,
    unanswerable: Annotated[
        Path | None, typer.Option("--unanswerable", help="Questions that cannot be answered: a JSON list.")
    ] = None,
    plot: Annotated[Path, typer.Option("--plot", help="Where the picture of the curve goes.")] = Path(
        "calibration.png"
    ),
    as_json: AsJson = False,
) -> None:
    """Set the threshold of "I don't know" from questions of both kinds; without any given, from the starter's own.

    A list holds texts, or objects {"question": "…", "title": "…"} with the title of the passage that answers.
    """
    from dataclasses import asdict

    from bot.errors import QuestionError
    from bot.settings import load
    from knowledge import starter
    from knowledge.calibration import calibrate as calibrate_on
    from knowledge.calibration_plot import save_plot
    from knowledge.errors import MissingExtraError
    from knowledge.questions import read_questions

    starters_own = answerable is None and unanswerable is None and "starter" in load().settings.knowledge.sources
    if not starters_own and (answerable is None or unanswerable is None):
        raise QuestionError(
            "To calibrate on your own knowledge base, questions of both kinds are needed.",
            "Give --answerable and --unanswerable.",
        )
    can = read_questions(answerable or starter.answerable())
    cannot = [question.text for question in read_questions(unanswerable or starter.unanswerable())]
    report = calibrate_on(_opened(), can, cannot)
    if as_json:
        print_json(asdict(report))
    else:
        _print_calibration(report)
    sys.stderr.write("The threshold is set.\n")
    try:
        save_plot(report, plot)
    except (MissingExtraError, OSError) as error:
        sys.stderr.write(f"The curve is not drawn: {error}\n")
    else:
        sys.stderr.write(f"The curve is drawn in {plot}.\n")


def _print_calibration(report: "CalibrationReport") -> None:
    from rich.console import Console
    from rich.table import Table

    made = report.calibration
    table = Table("Threshold", "False answers", "False declines")
    step = max(len(report.curve) // 15, 1)
    for point in report.curve[::step]:
        table.add_row(f"{point.threshold:.3f}", f"{point.false_answers:.1%}", f"{point.false_declines:.1%}")
    console = Console()
    console.print(table)
    console.print(
        f"Chosen: {made.threshold:.3f}, with {made.false_answers:.1%} false answers and {made.false_declines:.1%} false"
        f" declines, cross-validated on {made.answerable} answerable and {made.unanswerable} unanswerable questions."
    )
    console.print(
        f"AUROC {made.auroc:.4f}. The right passage came first for {report.first:.1%}, among the first five for"
        f" {report.among_five:.1%} of {report.titled} questions."
    )
