"""The commands for setting the Slack app up: manifest."""

import json
import sys
from typing import Annotated

import typer

from bot.errors import AdapterError
from bot.settings import load

app = typer.Typer(
    help="Set the bot up on Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _slack() -> None:
    """Set the bot up on Slack."""


@app.command()
def manifest(
    url: Annotated[
        str,
        typer.Option("--url", help="Where Slack reaches the HTTP API, e.g. https://bot.example.org; for http mode."),
    ] = "",
) -> None:
    """Print the app manifest (JSON) for the settings at hand.

    Paste it at api.slack.com/apps under Create New App › From a manifest, or into an existing app's App Manifest:
    scopes, events, commands, shortcuts and Socket Mode are then as Preceptor needs them.
    """
    from adapters.slack.manifest import manifest as made

    try:
        document = made(load().settings, url)
    except ValueError as error:
        raise AdapterError(f"{error}.", "Give it: `preceptor slack manifest --url https://bot.example.org`.") from None
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
