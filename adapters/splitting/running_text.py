"""Pieces of running text written as Markdown again, also where a cut has taken a span's beginning or end."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from adapters.splitting.pieces import Kind, Piece

_BACKTICKS = re.compile(r"`+")


def running_text(pieces: Iterable[Piece], soft: str = "\n", hard: str = "\\\n") -> str:
    """Write pieces as Markdown; `soft` and `hard` are what line breaks become.

    Emphasis that was opened before the first piece is opened again, what is still open at the end is closed; blanks
    and breaks at both ends are left out, and so is emphasis that holds nothing.
    """
    written: list[str] = []
    wanted: list[str] = []
    opened = 0
    gap = ""
    for number, piece in enumerate(_whole_code_spans(pieces)):
        if not number:
            wanted.extend(piece.spans)
        match piece.kind:
            case Kind.OPEN:
                wanted.append(piece.source)
            case Kind.CLOSE:
                marker = wanted.pop()
                if opened > len(wanted):
                    written.append(marker)
                    opened -= 1
            case Kind.BREAK:
                gap = hard if hard in (gap, piece.source) else soft
            case Kind.SPACE:
                gap = gap or piece.source
            case _:
                written.extend((gap if written else "", *wanted[opened:], _source(piece)))
                opened, gap = len(wanted), ""
    return "".join((*written, *reversed(wanted[:opened])))


def _whole_code_spans(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join the bits of a code span that was taken apart; one of blanks alone is a blank."""
    code: Piece | None = None
    for piece in pieces:
        if piece.kind is Kind.CODE:
            code = replace(code, source="", text=code.text + piece.text) if code else piece
            continue
        if code:
            yield _span_or_blank(code)
            code = None
        yield piece
    if code:
        yield _span_or_blank(code)


def _span_or_blank(code: Piece) -> Piece:
    text = code.text.strip()
    if not text:
        return replace(code, kind=Kind.SPACE, source=" ")
    return code if code.source else replace(code, text=text)


def _source(piece: Piece) -> str:
    return code_span(piece.text) if piece.kind is Kind.CODE else piece.source


def code_span(code: str) -> str:
    """Write a code span, fenced by as many backticks as it needs."""
    taken = {len(run) for run in _BACKTICKS.findall(code)}
    fence = "`" * next(length for length in range(1, len(taken) + 2) if length not in taken)
    is_padded = code.startswith("`") or code.endswith("`") or (code.startswith(" ") and code.endswith(" "))
    return f"{fence} {code} {fence}" if is_padded else f"{fence}{code}{fence}"


def row_of(cells: Sequence[Sequence[Piece]], offset: int) -> Piece:
    """Write a table's row; its text begins at `offset` in the table's."""
    sources = [running_text(cell, soft=" ", hard=" ").replace("|", r"\|") for cell in cells]
    text = " ".join("".join(piece.text for piece in cell) for cell in cells)
    return Piece(Kind.ROW, f"| {' | '.join(sources)} |", f"{text}\n", offset, cells=tuple(map(tuple, cells)))
