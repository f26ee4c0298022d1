"""Writes what is known of a training as tables of a model card."""

from collections.abc import Sequence


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give a heading and a Markdown table; what would end a cell, or begin markup in it, is escaped."""
    lines = [head, ("---",) * len(head), *(tuple(map(_cell, row)) for row in rows)]
    return f"## {title}\n\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def words(key: str) -> str:
    """Give a key's name as words: ``learning rate`` for ``learning_rate``."""
    return key.replace("_", " ")


def shown(value: object) -> str:
    """Give a value of a training's record as words."""
    if isinstance(value, dict):
        return ", ".join(f"{words(str(key))} {shown(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "usual"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)


_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\|<[*`"})


def _cell(value: str) -> str:
    return " ".join(value.split()).translate(_ESCAPED)
