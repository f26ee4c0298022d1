"""The commands that front doors bring along: listed here by name, imported only when one of them is used."""

from collections.abc import Callable

import typer

COMMANDS = "preceptor.commands"
"""The entry-point group in which a front door offers its commands, as a Typer app under its own name."""

# Written out, since looking installed packages through takes longer than all of `--help`.
_OFFERED = {
    "discord": "Set the bot up on Discord: invite.",
    "slack": "Set the bot up on Slack: manifest.",
    "web": "Serve the web pages: to talk to the bot, and to run it.",
}
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def add_to(app: typer.Typer) -> None:
    """Add the front doors' commands to the command line's top level; their errors end like all others."""
    for name, meaning in _OFFERED.items():
        app.command(name, help=meaning, context_settings=_PASSED_ON)(_passing_on(name))


def _passing_on(name: str) -> Callable[[typer.Context], None]:
    def _pass_on(context: typer.Context) -> None:
        from importlib.metadata import entry_points

        from bot.errors import AdapterError

        try:
            commands: typer.Typer = entry_points(group=COMMANDS)[name].load()
        except (KeyError, ImportError) as error:
            sentence = f"The commands of {name} cannot be loaded: {error}."
            raise AdapterError(sentence, "Install Preceptor anew: `make run`.") from None
        commands(context.args, prog_name=context.command_path)

    return _pass_on
