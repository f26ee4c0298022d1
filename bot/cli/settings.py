"""The commands on settings: show, new-key."""

import re
import sys

import typer

from bot.cli.output import AsJson, print_json

app = typer.Typer(help="See what is set, and make keys.", no_args_is_help=True)


@app.command()
def show(as_json: AsJson = False) -> None:
    """List every setting with its value and where that came from; secrets are masked."""
    from bot.settings import every_setting, load

    loaded = load()
    values = loaded.settings.model_dump(mode="json")
    rows = [(key, _value(values, key), loaded.origins.get(key, "default"), text) for key, text in every_setting()]
    if as_json:
        print_json({key: {"value": value, "origin": origin} for key, value, origin, _ in rows})
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Setting", "Value", "From", "Meaning")
    for key, value, origin, text in rows:
        table.add_row(key, Text(str(value)), Text(origin), Text(text))
    Console(soft_wrap=not sys.stdout.isatty()).print(table)


def _value(values: object, key: str) -> object:
    for part in key.split("."):
        values = values[part] if isinstance(values, dict) else None
    # An address may hold a password: http://user:password@proxy
    return re.sub(r"(?<=://)[^/@]+(?=@)", "***", values) if isinstance(values, str) else values


@app.command("new-key")
def new_key() -> None:
    """Make a key for the HTTP API: the key is for whoever calls, its digest is for the settings."""
    import hashlib
    import secrets

    key = secrets.token_urlsafe(32)
    digest = hashlib.sha256(key.encode()).hexdigest()
    sys.stdout.write(f"key (for the caller):   {key}\nsetting (http.admin_keys or http.user_keys):   sha256:{digest}\n")
