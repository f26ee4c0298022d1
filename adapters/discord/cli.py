"""The commands for setting the bot up on Discord: invite."""

import sys
from typing import Annotated

import typer

from adapters.discord.application_id import of_token
from adapters.discord.needed_permissions import needed, total
from bot.errors import AdapterError
from bot.settings import load

app = typer.Typer(
    help="Set the bot up on Discord.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _discord() -> None:
    """Set the bot up on Discord."""


@app.command()
def invite(
    application_id: Annotated[
        str, typer.Option("--application-id", help="The application's id; unset: the one in discord.token.")
    ] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Say what each permission is for.")] = False,
) -> None:
    """Print the link that invites the bot to a server, with the least permissions that the settings need."""
    settings = load().settings.discord
    application = application_id or of_token(settings.token.get_secret_value())
    if not application.isdecimal():
        raise AdapterError(
            "The application's id is not known, or is no number.",
            "Set discord.token, or give --application-id: it stands in the developer portal under General Information.",
        )
    permissions = needed(settings)
    sys.stdout.write(
        f"https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands"
        f"&permissions={total(permissions)}\n"
    )
    if explain:
        for permission in permissions:
            sys.stdout.write(f"{permission.name}: {permission.reason}\n")
