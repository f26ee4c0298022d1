"""Sets a table in columns of even width, for platforms that know none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.rendering.runs import Kind, Run, runs_of

if TYPE_CHECKING:
    from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    width: int
    alignment: str

    def padded(self, width: int) -> str:
        space = width - self.width
        before = {"right": space, "center": space // 2}.get(self.alignment, 0)
        return " " * before + self.text + " " * (space - before)


def aligned_table(tokens: Iterator["Token"]) -> str:
    """Read markdown-it's tokens up to the end of the table and give its lines, for a fixed-width font.

    Widths are columns of a terminal: a character of East Asian writing takes two, a combining one none.
    """
    rows: list[list[_Cell]] = []
    alignment = ""
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            alignment = str(token.attrs.get("style", "")).removeprefix("text-align:")
        elif token.type == "inline":
            rows[-1].append(_cell(runs_of(token.children or ()), alignment))
    return "\n".join(_lines(rows))


def _cell(runs: Sequence[Run], alignment: str) -> _Cell:
    text = "".join(_cell_text(run) for run in runs).strip()
    return _Cell(text, _width(text), alignment)


def _cell_text(run: Run) -> str:
    # Nothing can be followed inside a code block, so the address itself has to be read.
    return f"{run.text} ({run.url})" if run.kind is Kind.LINK else run.text


def _width(text: str) -> int:
    from wcwidth import wcwidth

    return sum(max(0, wcwidth(character)) for character in text)


def _lines(rows: Sequence[Sequence[_Cell]]) -> Iterator[str]:
    widths = [max(cell.width for cell in column) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        yield " | ".join(cell.padded(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if number == 0:
            yield "-+-".join("-" * width for width in widths)
