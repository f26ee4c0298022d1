"""What the commands share: errors as sentences on standard error, JSON for scripts, an end that waits for nothing."""

import json
import os
import sys
import threading
from typing import Annotated, NoReturn

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a script to read.")]


def print_json(document: object) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


def leave(status: int) -> NoReturn:
    """End the process with `status`, also where a thread still reads a knowledge base that nobody waits for."""
    sys.stdout.flush()
    sys.stderr.flush()
    if threading.active_count() > 1:
        os._exit(status)
    raise SystemExit(status)


def fail(sentence: str, status: int) -> NoReturn:
    """Say on standard error what went wrong, and leave with `status`."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text("Error: ", style="bold red") + Text(sentence))
    raise SystemExit(status)
