"""The command line. Nothing heavy is imported before the command that needs it runs."""

import sys

import typer

from bot.cli import (
    access,
    conversing,
    database,
    delivery,
    describe,
    diagnose,
    doctor,
    evaluate,
    front_doors,
    images,
    knowledge,
    library,
    models,
    people,
    privacy,
    settings,
    train,
)
from bot.cli.output import fail

_EPILOG = (
    "Exit status: 0 done or answered · 1 something failed · 2 used wrongly, or a setting is wrong ·"
    " 3 nothing in the knowledge base answers."
)

app = typer.Typer(
    name="preceptor",
    help="A chat bot that answers from a knowledge base you own, and says where the answer stands.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
conversing.add_to(app)
library.add_to(knowledge.app)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(models.app, name="models")
app.add_typer(images.app, name="images")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(train.app, name="train")
app.add_typer(database.app, name="database")
app.add_typer(delivery.app, name="delivery")
app.add_typer(people.app, name="people")
app.add_typer(privacy.app, name="privacy")
app.add_typer(settings.app, name="settings")
app.add_typer(access.app, name="access")
app.command()(access.audit)
app.command()(diagnose.diagnose)
app.command()(describe.describe)
app.command()(doctor.doctor)
front_doors.add_to(app)


@app.command()
def version() -> None:
    """Print Preceptor's version."""
    from importlib.metadata import version as installed

    sys.stdout.write(f"preceptor {installed('preceptor')}\n")


def main() -> None:
    """Run the command line; every expected error ends as one sentence and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app()
    # The process's boundary: ours become one sentence, any other one is raised again.
    except Exception as error:  # noqa: BLE001
        sentence, status = _explain(error)
        fail(sentence, status)


def _explain(error: Exception) -> tuple[str, int]:
    """Give the sentence and the exit status of an error of ours; any other one goes on as a defect."""
    from bot.errors import PreceptorError, QuestionError, SettingsError
    from knowledge.errors import KnowledgeError
    from models.errors import ModelError

    if isinstance(error, PreceptorError):
        return str(error), 2 if isinstance(error, SettingsError | QuestionError) else 1
    if isinstance(error, KnowledgeError | ModelError):
        return str(error), 1
    if isinstance(error, OSError):
        return f"{error.filename or 'The output'} cannot be used: {error.strerror}.", 1
    raise error
