"""The commands on the knowledge base: check, build, search, stats, evaluate, calibrate."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from knowledge import KnowledgeBase

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

    from knowledge.loaders import find_files, load_file

    files, problems = find_files([path.absolute() for path in paths])
    documents = 0
    for file in files:
        loaded = load_file(file)
        documents += len(loaded.documents)
        problems += loaded.problems
    if as_json:
        listed = [asdict(problem) for problem in problems]
        print_json({"files": len(files), "documents": documents, "problems": listed})
    else:
        for problem in problems:
            sys.stdout.write(f"{problem}\n")
        sys.stdout.write(f"{len(files):,} files read, {documents:,} documents, {len(problems):,} problems.\n")
    raise typer.Exit(1 if problems or not documents else 0)


@app.command()
def build(as_json: AsJson = False) -> None:
    """Read the sources that are set and build the index, where it does not fit them already."""
    from bot.knowledge_desk import knowledge_base, report_document, report_in_words
    from bot.settings import load

    opened = knowledge_base(load().settings)
    opened.open()
    report = opened.reload()
    if as_json:
        print_json(report_document(report))
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
    for name, value in statistics.items():
        sys.stdout.write(f"{name.replace('_', ' '):>24}  {value}\n")
