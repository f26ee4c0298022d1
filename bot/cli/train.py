"""The commands that train models: answers, and diagnosis and images beside it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, print_json
from bot.cli.train_diagnosis import diagnosis
from bot.cli.train_images import images
from bot.cli.training_progress import INTERRUPTED, counted, progress, stoppable

if TYPE_CHECKING:
    from models.training.run import Outcome

app = typer.Typer(help="Train models on your own data.", no_args_is_help=True)


@app.command()
def answers(
    data: Annotated[
        Path,
        typer.Option("--data", metavar="FILE", help="Questions with their answers: JSON Lines, or SQuAD's layout."),
    ],
    base: Annotated[
        str,
        typer.Option("--base", metavar="NAME", help="What is trained: a name or a folder. Unset: what answers now."),
    ] = "",
    name: Annotated[
        str, typer.Option("--name", help="What the result is called. Unset: after the base and FILE.")
    ] = "",
    lora: Annotated[bool, typer.Option("--lora", help="Train small matrices beside the weights: less memory.")] = False,
    rank: Annotated[int | None, typer.Option("--rank", min=1, max=1024, help="Of LoRA's matrices. Unset: 16.")] = None,
    alpha: Annotated[
        int | None, typer.Option("--alpha", min=1, help="LoRA's weight is alpha / rank. Unset: 32.")
    ] = None,
    targets: Annotated[
        list[str] | None, typer.Option("--targets", metavar="LAYER", help="For LoRA; may be repeated; or all-linear.")
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="How often each pair is seen, at most.")] = 10,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Pairs in a step.")] = 8,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", min=1e-12, max=1, help="Unset: 3e-4, with --lora 1e-3."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same one gives the same weights.")] = 0,
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Epochs without progress after which it ends.")
    ] = 3,
    evaluation_share: Annotated[
        float,
        typer.Option("--evaluation-share", min=0.01, max=0.9, help="Of the pairs, held out to judge by."),
    ] = 0.1,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare it with what answers now; exit status 1 when it is worse.")
    ] = False,
    use: Annotated[
        bool, typer.Option("--use", help="Compare, and answer with it from now on unless it is worse.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a model of the same name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a local model on your questions and answers.

    A line of the data is {"question": "…", "answer": "…", "context": "…"}; without a context, the passages come from
    the knowledge base, as in life. Ctrl-C keeps what was done; --resume goes on.
    """
    from bot import logs
    from bot.settings import load
    from bot.training import Wish, train_answers
    from models.training.options import LoraOptions, StoppedError, TrainingOptions

    if not lora and (rank or alpha or targets):
        raise typer.BadParameter("--rank, --alpha and --targets are LoRA's: give --lora, too.")
    settings = load().settings
    logs.set_up(settings.log.model_copy(update={"level": "error"}))
    rate = learning_rate or (1e-3 if lora else 3e-4)
    options = TrainingOptions(
        lora=LoraOptions(rank or 16, alpha or 32, tuple(targets or ())) if lora else None,
        epochs=epochs,
        batch=batch,
        learning_rate=rate,
        seed=seed,
        patience=patience,
    )
    wish = Wish(data, base, name, options, evaluation_share, resume, force, compare, use)
    with stoppable() as stopping, progress() as told:
        try:
            outcome = train_answers(settings, wish, told, stopping)
        except StoppedError as error:
            sys.stderr.write(f"{error}\n")
            raise typer.Exit(INTERRUPTED) from None
    refused = (compare or use) and outcome.is_worse
    if as_json:
        print_json(_document(outcome, used=use and not refused, refused=refused))
    else:
        _print(outcome)
    if refused:
        better = "what answers now" if outcome.rival else "its base"
        sys.stderr.write(f"{outcome.name} answers worse than {better}; what answers now stays in use.\n")
        raise typer.Exit(1)
    if use:
        sys.stderr.write(f"{outcome.name} answers from the next start on.\n")
    elif not as_json:
        sys.stdout.write(f"Use it with `preceptor models use {outcome.name}`.\n")


app.command()(diagnosis)
app.command()(images)


def _print(outcome: "Outcome") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from models.training.model_card import score_rows

    models = {"before": outcome.before, outcome.name: outcome.after}
    models |= {"in use": outcome.rival} if outcome.rival else {}
    table = Table(counted(outcome.counts.held_out, "held-out pair"))
    for head in models:
        table.add_column(Text(head), justify="right")
    for row in score_rows(*models.values()):
        table.add_row(*row)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    console.print(table)
    console.print(Text(_in_words(outcome)))
    console.print(Text(f"The model is {outcome.folder}."))


def _in_words(outcome: "Outcome") -> str:
    counts = outcome.counts
    left_out = {
        "said the same as another": counts.duplicates,
        "not found in the knowledge base": counts.not_found,
        "too long": counts.too_long,
        "with passages cut to the model's window": counts.cut,
    }
    told = [f"{number:,} {what}" for what, number in left_out.items() if number]
    trained = f"Trained on {counted(counts.training, 'pair')} in {counted(outcome.steps, 'step')}"
    return f"{trained}; {', '.join(told)}." if told else f"{trained}."


def _document(outcome: "Outcome", used: bool, refused: bool) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "name": outcome.name,
        "folder": str(outcome.folder),
        "pairs": asdict(outcome.counts),
        "steps": outcome.steps,
        "scores": {
            "before": asdict(outcome.before),
            "after": asdict(outcome.after),
            "in_use": asdict(outcome.rival) if outcome.rival else None,
        },
        "used": used,
        "refused": refused,
    }
