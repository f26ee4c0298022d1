"""The command that trains a classifier of symptoms: preceptor train diagnosis."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import AsJson, print_json
from bot.cli.training_progress import INTERRUPTED, counted, progress, stoppable

if TYPE_CHECKING:
    from bot.training_diagnosis import Wish
    from models.diagnosis.training.order import Outcome, Rival

_NONE = "none"


def diagnosis(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="Texts with labels: CSV, or JSON Lines. Unset: the starter data."),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            "--base",
            metavar="NAME",
            help="What is trained: a text encoder, by name or folder. Unset: sentence-transformers/all-MiniLM-L6-v2.",
        ),
    ] = "",
    name: Annotated[
        str, typer.Option("--name", help="What the result is called. Unset: after the base and FILE.")
    ] = "",
    text_column: Annotated[
        str, typer.Option("--text-column", metavar="COLUMN", help="Of the texts. Unset: found by its name.")
    ] = "",
    label_column: Annotated[
        str, typer.Option("--label-column", metavar="COLUMN", help="Of the labels. Unset: found by its name.")
    ] = "",
    no_match: Annotated[
        str,
        typer.Option(
            "--no-match", metavar="FILE", help="Texts of none of the conditions; or none. Unset: the starter data's."
        ),
    ] = "",
    method: Annotated[str, typer.Option("--method", help="full, last:N (layers), frozen, lora or few-shot.")] = "full",
    masked_warm_up: Annotated[
        int,
        typer.Option("--masked-warm-up", metavar="EPOCHS", min=0, help="Reading the texts with words masked first."),
    ] = 0,
    rank: Annotated[int | None, typer.Option("--rank", min=1, max=1024, help="Of LoRA's matrices. Unset: 16.")] = None,
    alpha: Annotated[
        int | None, typer.Option("--alpha", min=1, help="LoRA's weight is alpha / rank. Unset: 32.")
    ] = None,
    targets: Annotated[
        list[str] | None, typer.Option("--targets", metavar="LAYER", help="For LoRA; may be repeated; or all-linear.")
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="How often each text is seen, at most.")] = 8,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Texts in a step.")] = 32,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", min=1e-12, max=1, help="Unset: the usual one for the base and the method."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same one gives the same split and weights.")] = 0,
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Epochs without progress after which it ends.")
    ] = 3,
    random_split: Annotated[
        bool,
        typer.Option(
            "--random-split/--no-random-split", help="Train on a split by chance, too, to show what it hides."
        ),
    ] = True,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare it with what judges now; exit status 1 when it is worse.")
    ] = False,
    use: Annotated[
        bool, typer.Option("--use", help="Compare, and judge with it from now on unless it is worse.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a model of the same name; with --use, use it even if it is worse.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a text encoder to tell conditions apart by descriptions of symptoms.

    The data has a column of labels and one of texts. Near-duplicates stay on one side of the split, so that the figures
    hold for new texts. Ctrl-C keeps what was done; --resume goes on.
    """
    from bot.training_diagnosis import Wish
    from models.diagnosis.encoder.options import EncoderOptions
    from models.training.options import LoraOptions

    if method != "lora" and (rank or alpha or targets):
        raise typer.BadParameter("--rank, --alpha and --targets are LoRA's: give --method lora, too.")
    options = EncoderOptions(
        method=method,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate or 0.0,
        seed=seed,
        patience=patience,
        masked_epochs=masked_warm_up,
        lora=LoraOptions(rank or 16, alpha or 32, tuple(targets or ("all-linear",))),
    )
    wish = Wish(
        data=data,
        base=base,
        name=name,
        options=options,
        text_column=text_column,
        label_column=label_column,
        no_match=Path(no_match) if no_match not in ("", _NONE) else None,
        without_no_match=no_match == _NONE,
        random_split=random_split,
        resume=resume,
        force=force,
        compare=compare,
        use=use,
    )
    _report(_trained(wish), wish, as_json)


def _trained(wish: "Wish") -> "Outcome":
    from dataclasses import replace

    from bot import logs
    from bot.settings import load
    from bot.training_diagnosis import train_diagnosis
    from models.training.options import StoppedError

    settings = load().settings
    logs.set_up(settings.log.model_copy(update={"level": "error"}))
    wish = replace(wish, options=replace(wish.options, threads=settings.local.threads))
    with stoppable() as stopping, progress() as told:
        try:
            return train_diagnosis(settings, wish, told, stopping)
        except StoppedError as error:
            sys.stderr.write(f"{error}\n")
            raise typer.Exit(INTERRUPTED) from None


def _report(outcome: "Outcome", wish: "Wish", as_json: bool) -> None:
    """Tell what came of it; exit status 1 where the result is worse than what it was compared with."""
    worse = (wish.compare or wish.use) and outcome.is_worse
    refused = worse and not (wish.use and wish.force)
    if as_json:
        print_json(_document(outcome, used=wish.use and not refused, refused=refused))
    else:
        _print(outcome)
    if refused:
        sys.stderr.write(f"{outcome.comparison.sentence} What judges now stays in use.\n")
        raise typer.Exit(1)
    if wish.use:
        sys.stderr.write(f"{outcome.name} judges symptoms from the next start on.\n")
    elif not as_json:
        sys.stdout.write(f"Use it with `preceptor models use {outcome.name} --for diagnosis`.\n")


def _print(outcome: "Outcome") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    models = {outcome.name: outcome.honest, "random split": outcome.random, "floor": outcome.floor}
    rival = outcome.rival
    if rival and rival.figures:
        models |= {f"in use ({rival.figures.examples:,} texts)": rival.figures}
    shown = {head: figures for head, figures in models.items() if figures}
    table = Table(counted(outcome.honest.examples, "held-out text"))
    for head in shown:
        table.add_column(Text(head), justify="right")
    for row in _ROWS:
        table.add_row(row.replace("_", " "), *(_decimal(getattr(figures, row)) for figures in shown.values()))
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    console.print(table)
    for sentence in _sentences(outcome):
        console.print(Text(sentence))


_ROWS = (
    "macro_f1",
    "weighted_f1",
    "accuracy",
    "top3",
    "ece_before",
    "ece_after",
    "brier_after",
    "abstention_auroc",
    "coverage",
    "no_match_answered",
)


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _sentences(outcome: "Outcome") -> list[str]:
    counts = outcome.counts
    left_out = {
        "without a text": counts.empty,
        "without a label": counts.unlabelled,
        "said the same under the same label": counts.duplicates,
        "left out as they match a condition": counts.no_match_left_out,
    }
    noted = {
        "under more than one label": counts.contradictory,
        "lines not in UTF-8, read as Windows-1252": counts.not_utf8,
        "of a pattern too common to keep together, which flatters": counts.loosened,
    }
    told = [f"{number:,} {what}" for what, number in (left_out | noted).items() if number]
    learned = f"Trained on {counted(counts.training, 'text')} of {counted(len(outcome.labels), 'condition')}"
    return [
        f"{learned}, calibrated by {counts.validation:,}, judged by {counts.test:,}; {counts.no_match:,} of them match"
        f" nothing. {counted(counts.near_duplicate_groups, 'group')} of near-duplicates stayed together.",
        *([f"Of the rows: {', '.join(told)}."] if told else []),
        outcome.against_floor.sentence,
        *_on_rival(outcome),
        f"Below a probability of {outcome.calibration.threshold:.2f} it abstains.",
        f"The model is {outcome.folder}; its report is {outcome.report}.",
    ]


def _on_rival(outcome: "Outcome") -> list[str]:
    rival = outcome.rival
    if rival is None:
        return []
    if rival.comparison is None:
        return [f"{rival.name}, which is in use, knows the held-out texts, so that it cannot be compared."]
    return [rival.comparison.sentence]


def _document(outcome: "Outcome", used: bool, refused: bool) -> dict[str, Any]:
    from dataclasses import asdict

    from models.diagnosis.evaluation.wording import told

    rival = outcome.rival
    honest = told(outcome.honest.main()) | outcome.calibration.as_json()
    return {
        "name": outcome.name,
        "folder": str(outcome.folder),
        "base": outcome.base,
        "labels": list(outcome.labels),
        "texts": asdict(outcome.counts),
        **honest,
        "ece": outcome.honest.ece_after,
        "honest": honest,
        "random": told(outcome.random.main()) if outcome.random else None,
        "floor": told(outcome.floor.main()),
        "in_use": _rival_document(rival) if rival else None,
        "comparison": told(outcome.comparison.as_json()),
        "used": used,
        "refused": refused,
        "report": {"html": str(outcome.report), "json": str(outcome.report.with_suffix(".json"))},
    }


def _rival_document(rival: "Rival") -> dict[str, Any]:
    from models.diagnosis.evaluation.wording import told

    return {"name": rival.name} | (told(rival.figures.main()) if rival.figures else {})
