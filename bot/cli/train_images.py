"""The command that trains a classifier of pictures: preceptor train images."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import AsJson, print_json
from bot.cli.training_progress import INTERRUPTED, counted, progress, stoppable

if TYPE_CHECKING:
    from bot.training_images import Wish
    from models.vision.training.order import Outcome

_NAMED = 5


def images(
    data: Annotated[
        Path,
        typer.Option("--data", metavar="FOLDER", help="One folder for each class, named as it, with its pictures."),
    ],
    base: Annotated[
        str,
        typer.Option(
            "--base", metavar="NAME", help="What is trained, by name or folder. Unset: google/vit-base-patch16-224."
        ),
    ] = "",
    name: Annotated[
        str, typer.Option("--name", help="What the result is called. Unset: after the base and FOLDER.")
    ] = "",
    unfreeze: Annotated[
        int,
        typer.Option("--unfreeze", metavar="N", min=0, help="Fine-tune the encoder's last N blocks, too."),
    ] = 0,
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, help="Of the fine-tuning: how often each picture is seen, at most.")
    ] = 10,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Pictures in a step of the fine-tuning.")] = 32,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", min=1e-12, max=1, help="Of the fine-tuning. Unset: the usual one."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same one gives the same split and weights.")] = 0,
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Epochs without progress after which the fine-tuning ends.")
    ] = 3,
    augmentation: Annotated[
        bool,
        typer.Option(
            "--augmentation/--no-augmentation", help="Show pictures cut, resized, lighter and darker as well."
        ),
    ] = True,
    flip: Annotated[
        bool, typer.Option("--flip", help="Mirror them as well; not for digits, letters and signs.")
    ] = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare/--no-compare",
            help="Compare it with what looks at pictures now, where that tells the same classes; exit status 1 when it"
            " is worse.",
        ),
    ] = True,
    use: Annotated[
        bool, typer.Option("--use", help="Look at pictures with it from now on unless it is worse.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a model of the same name; with --use, use it even if it is worse.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a classifier on your own pictures.

    A new head is fitted to the encoder as it is; --unfreeze goes on to fine-tune its last blocks. Pictures that are
    nearly the same stay on one side of the split, so that the figures hold for new ones. Ctrl-C keeps what was done;
    --resume goes on.
    """
    from bot.training_images import Wish
    from models.vision.training.options import ImageTrainingOptions

    options = ImageTrainingOptions(
        unfreeze=unfreeze,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate or 0.0,
        seed=seed,
        patience=patience,
        augmentation=augmentation,
        flip=flip,
    )
    wish = Wish(data, base, name, options, resume, force, compare, use)
    _report(_trained(wish), wish, as_json)


def _trained(wish: "Wish") -> "Outcome":
    from dataclasses import replace

    from bot import logs
    from bot.settings import load
    from bot.training_images import train_images
    from models.training.options import StoppedError

    settings = load().settings
    logs.set_up(settings.log.model_copy(update={"level": "error"}))
    wish = replace(wish, options=replace(wish.options, threads=settings.local.threads))
    with stoppable() as stopping, progress() as told:
        try:
            return train_images(settings, wish, told, stopping)
        except StoppedError as error:
            sys.stderr.write(f"{error}\n")
            raise typer.Exit(INTERRUPTED) from None


def _report(outcome: "Outcome", wish: "Wish", as_json: bool) -> None:
    """Tell what came of it; exit status 1 where the result is worse than what it was compared with."""
    refused = outcome.is_worse and not (wish.use and wish.force)
    if as_json:
        print_json(_document(outcome, used=wish.use and not refused, refused=refused))
    else:
        _print(outcome)
    if refused and outcome.comparison:
        sys.stderr.write(f"{outcome.comparison.sentence} What looks at pictures now stays in use.\n")
        raise typer.Exit(1)
    if wish.use:
        sys.stderr.write(f"{outcome.name} looks at pictures from the next start on.\n")
    elif not as_json:
        sys.stdout.write(f"Use it with `preceptor models use {outcome.name} --for images`.\n")


def _print(outcome: "Outcome") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    models = {outcome.name: outcome.honest, "head alone": outcome.head, "random split": outcome.random}
    rival = outcome.rival
    if rival and rival.figures:
        models |= {f"in use ({rival.figures.examples:,} pictures)": rival.figures}
    shown = {head: figures for head, figures in models.items() if figures}
    table = Table(counted(outcome.honest.examples, "held-out picture"))
    for head in shown:
        table.add_column(Text(head), justify="right")
    for row, told in _ROWS.items():
        table.add_row(told, *(_decimal(getattr(figures, row)) for figures in shown.values()))
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    console.print(table)
    for sentence in _sentences(outcome):
        console.print(Text(sentence))


_ROWS = {
    "accuracy": "top 1",
    "top5": "top 5",
    "macro_f1": "macro F1",
    "ece_before": "calibration error before",
    "ece_after": "calibration error after",
    "brier_after": "Brier score",
}


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _sentences(outcome: "Outcome") -> list[str]:
    counts = outcome.counts
    left_out = {
        "that cannot be looked at": counts.refused,
        "the same as another of their class": counts.duplicates,
        "in more than one class, all left out": counts.contradictory,
        "symbolic links": counts.links,
        "in no class's folder": counts.loose,
    }
    told = [f"{number:,} {what}" for what, number in left_out.items() if number]
    learned = f"Trained on {counted(counts.training, 'picture')} of {len(outcome.labels):,} classes"
    return [
        f"{learned}, calibrated by {counts.validation:,}, judged by {counts.test:,};"
        f" {counted(counts.near_duplicate_groups, 'group')} of near-duplicates stayed together.",
        *([f"Not trained on: {', '.join(told)}."] if told else []),
        *([f"{counted(counts.nested, 'folder')} inside those of the classes not read."] if counts.nested else []),
        *_refused(outcome),
        *_notes(outcome),
        f"The model is {outcome.folder}; its report is {outcome.report}.",
    ]


def _refused(outcome: "Outcome") -> list[str]:
    told = [f"  {one.path}: {one.reason}" for one in outcome.refused[:_NAMED]]
    more = len(outcome.refused) - len(told)
    return told + ([f"  and {more:,} more"] if more else [])


def _notes(outcome: "Outcome") -> list[str]:
    counts, rival = outcome.counts, outcome.rival
    notes = []
    if counts.loosened:
        notes.append(f"{counted(counts.loosened, 'picture')} too alike to be kept together, which flatters.")
    if counts.mixed_groups:
        notes.append(f"{counted(counts.mixed_groups, 'group')} of near-duplicates with pictures of several classes.")
    if outcome.head and not outcome.fine_tuned:
        notes.append("Fine-tuning did no better than the head alone, which was kept.")
    if rival and rival.reason:
        notes.append(f"No comparison with {rival.name}, which is in use: {rival.reason}")
    if outcome.comparison:
        notes.append(outcome.comparison.sentence)
    return notes


def _document(outcome: "Outcome", used: bool, refused: bool) -> dict[str, Any]:
    from dataclasses import asdict

    from models.vision.wording import told

    rival = outcome.rival
    honest = told(outcome.honest.main())
    return {
        "name": outcome.name,
        "folder": str(outcome.folder),
        "base": outcome.base,
        "labels": list(outcome.labels),
        "pictures": asdict(outcome.counts),
        "refused_files": [asdict(one) for one in outcome.refused],
        **honest,
        "ece": outcome.honest.ece_after,
        "temperature": outcome.temperature,
        "fine_tuned": outcome.fine_tuned,
        "honest": honest,
        "head": told(outcome.head.main()) if outcome.head else None,
        "random": told(outcome.random.main()) if outcome.random else None,
        "in_use": {"name": rival.name} | (told(rival.figures.main()) if rival.figures else {}) if rival else None,
        "comparison": told(outcome.comparison.as_json()) if outcome.comparison else None,
        "used": used,
        "refused": refused,
        "report": {"html": str(outcome.report), "json": str(outcome.report.with_suffix(".json"))},
    }
