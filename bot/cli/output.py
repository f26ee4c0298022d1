"""What the commands share: settings read once, errors as sentences on standard error, JSON for scripts."""

import json
import sys
from typing import Annotated, NoReturn

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a script to read.")]


def print_json(document: object) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


def fail(sentence: str, status: int) -> NoReturn:
    """Say on standard error what went wrong, and leave with `status`."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text("Error: ", style="bold red") + Text(sentence))
    raise SystemExit(status)
