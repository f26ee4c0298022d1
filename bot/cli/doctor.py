"""The command that examines the whole set-up and says what to mend."""

import re
import textwrap
from typing import TYPE_CHECKING

from bot.cli.output import AsJson, leave, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from bot.examination import Finding

_WIDEST = 100
_INDENT = "  "
_COMMAND = re.compile("`[^`]*`")
_UNBROKEN = "\0"
"""Stands for a space at which no line ends, until the lines are made."""

_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "bold red"), "unknown": ("?", "cyan")}
_COUNTED = {"failed": "failed", "warning": "to look at", "unknown": "could not be checked", "ok": "in order"}


def doctor(as_json: AsJson = False) -> None:
    """Check the whole set-up: every finding with what it means and the fix. Exit status 1 when one failed.

    Checked are Python and packages, settings, data folder, disk, database, knowledge base, and each front door that is
    switched on: ports, tokens, scopes, intents, permissions, clock. Nothing is changed. Without a network it says
    which checks could not be made.
    """
    import asyncio

    asyncio.run(_examine(as_json=as_json))


async def _examine(*, as_json: bool) -> None:
    from bot.examination import examine

    findings = await examine()
    failed = sum(finding.verdict == "failed" for finding in findings)
    if as_json:
        from dataclasses import asdict

        print_json({"findings": [asdict(finding) for finding in findings], "failed": failed})
    else:
        _print(findings)
    # Left from within: the loop's end would wait for a name server or a disk that hangs.
    leave(1 if failed else 0)


def _print(findings: "Sequence[Finding]") -> None:
    import shutil

    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for finding in findings:
        console.print(_described(finding, width))
    numbers = {verdict: sum(finding.verdict == verdict for finding in findings) for verdict in _COUNTED}
    console.print("\n" + ", ".join(f"{number} {_COUNTED[verdict]}" for verdict, number in numbers.items()) + ".")


def _described(finding: "Finding", width: int) -> "Text":
    """Give a finding as lines of at most `width` characters: sign, name and meaning, below them the fix."""
    from rich.text import Text

    sign, style = _SIGNS[finding.verdict]
    said = _wrapped(f"{finding.name}: {finding.meaning}", width, "")
    end = len(finding.name) + 1
    text = Text.assemble((sign, style), " ", (said[:end], "bold"), said[end:])
    if finding.fix and finding.verdict != "ok":
        text.append("\n" + _wrapped(finding.fix, width, f"{_INDENT}→ "))
    elif finding.fix:
        text.append("\n" + _wrapped(finding.fix, width, _INDENT), "dim")
    return text


def _wrapped(text: str, width: int, first: str) -> str:
    """Break into lines, but never within a path or a command: those are there to be copied."""
    filled = textwrap.fill(
        _COMMAND.sub(lambda found: found[0].replace(" ", _UNBROKEN), text),
        width if first else width - len(_INDENT),
        initial_indent=first,
        subsequent_indent=" " * max(len(first), len(_INDENT)),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(_UNBROKEN, " ")
