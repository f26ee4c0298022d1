"""The command that tells what symptoms may point to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, leave, print_json, print_markdown, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings import Settings
    from models.diagnosis.diagnosing import Diagnoser

_NOTHING_TOLD = 3
"""The exit status where nothing can be told, as of a question that nothing answers."""


def diagnose(
    symptoms: Annotated[str, typer.Argument(help="How you feel, in your own words.", show_default=False)] = "",
    batch: Annotated[
        Path | None, typer.Option("--batch", metavar="FILE", help="A CSV of descriptions; one line of JSON for each.")
    ] = None,
    column: Annotated[str, typer.Option("--column", help="The column of FILE that holds them.")] = "text",
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help='"floor", or one that was trained. Unset: what is in use.')
    ] = "",
    labels: Annotated[
        str, typer.Option("--labels", help="Judge by these names alone, with commas between; needs --model.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Tell what a description of symptoms may point to. It is no diagnosis by a doctor.

    With --labels, --model names an NLI or embedding model, which needs no examples. Nothing is kept, and nothing leaves
    this machine. Exit status 0: something was told; 3: nothing can be told from it.
    """
    import asyncio

    from bot import logs
    from bot.classifiers import make_diagnoser, zero_shot_diagnoser
    from bot.errors import NotSetUpError
    from bot.settings import load
    from models.diagnosis.contract import FLOOR

    if bool(symptoms.strip()) == bool(batch):
        raise typer.BadParameter("Give a description, or --batch FILE.")
    names = list(dict.fromkeys(name.strip() for name in labels.split(",") if name.strip()))
    if labels and (len(names) < 2 or model in ("", FLOOR)):
        raise typer.BadParameter("--labels takes two or more names, and --model an NLI or embedding model.")
    settings = load().settings
    if not settings.diagnosis.enabled:
        raise NotSetUpError("Judging symptoms is switched off here.", "diagnosis.enabled switches it on.")
    logs.set_up(settings.log.model_copy(update={"level": "warning"}) if settings.log.level == "info" else settings.log)
    diagnoser = zero_shot_diagnoser(settings, model, names) if names else make_diagnoser(settings, model)
    work = _batch(diagnoser, batch, column, settings) if batch else _one(diagnoser, symptoms, settings, as_json)
    leave(asyncio.run(work))


async def _one(diagnoser: "Diagnoser", text: str, settings: "Settings", as_json: bool) -> int:
    from bot.diagnosing import require_description
    from bot.diagnosis_words import document, in_words
    from bot.question_text import clean
    from models.diagnosis.conditions import conditions

    text = clean(text)
    require_description(text, settings.diagnosis.text_length)
    try:
        await diagnoser.watch()
        diagnosis = await diagnoser.predict(text, settings.diagnosis.conditions)
    finally:
        await diagnoser.close()
    if as_json:
        print_json(document(diagnosis, settings.diagnosis.emergency))
    else:
        told = in_words(diagnosis, conditions(), settings.diagnosis.emergency)
        print_markdown(f"{told}\n\nJudged on this machine, by {diagnosis.model}.")
    return 0 if diagnosis.conditions or diagnosis.red_flags else _NOTHING_TOLD


async def _batch(diagnoser: "Diagnoser", file: Path, column: str, settings: "Settings") -> int:
    from bot.diagnosis_words import document

    try:
        # Rows that no classifier need see must not hide that there is none of that name.
        await diagnoser.ready()
        await diagnoser.watch()
        with progress("judging", sum(1 for _ in _descriptions(file, column))) as advance:
            diagnoses = diagnoser.predict_many(_descriptions(file, column), settings.diagnosis.conditions)
            async for diagnosis in diagnoses:
                print_json(document(diagnosis, settings.diagnosis.emergency))
                advance()
    finally:
        await diagnoser.close()
    return 0


def _descriptions(file: Path, column: str) -> "Iterator[str]":
    from models.diagnosis.data.lines import Lines
    from models.diagnosis.data.rows import Column, read_table

    table = read_table(file, Lines(file), (Column("descriptions", "--column", column, (column,)),))
    return (row.cells[0] for row in table.rows)
