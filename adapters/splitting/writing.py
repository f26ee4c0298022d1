"""Leaves, or stretches of them, written as Markdown again, each in the lists and quotes it lies in."""

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile

from adapters.splitting.leaves import Block, Container, Leaf
from adapters.splitting.pieces import Kind, Piece, escape
from adapters.splitting.running_text import running_text

# What at the start of a line would be a heading, a list, a quote, a fence, HTML, a rule, an underline or a table.
_BLOCK_OPENER = re.compile(
    r"#{1,6}(?:[ \t]|$)|[-+*](?:[ \t]|$)|>|~~~|<[a-zA-Z/!?](?![a-zA-Z0-9+.-]{1,31}:[^\s<>]*>)"
    r"|=+[ \t]*$|([-*_])(?:[ \t]*\1){2,}[ \t]*$|[-:|][-:|\s]*$"
)
_NUMBERED_ITEM = re.compile(r"(\d{1,9})(?=[.)](?:[ \t]|$))")
# A link's definition may stand at the start of a paragraph alone; its label may go over several lines.
_DEFINITION = re.compile(r"\[(?:[^\[\]\\]|\\.)+\]:", re.DOTALL)
_CLOSING_SIGNS = re.compile(r"(?:(?<=\s)|^)(?=#+[ \t]*$)")
_RULE_OF_BULLETS = re.compile(r"[ >]*([-*])(?: *\1){2,} *$")

# A line like this is no bullet, no underline and no row of dashes.
_RULE = "___"


def markdown(stretches: Iterable[tuple[Leaf, int, int]]) -> str:
    """Write stretches of leaves, each given by the numbers of its first piece and of the piece after its last."""
    lines: list[str] = []
    before: Leaf | None = None
    for leaf, start, stop in stretches:
        shared = _shared_containers(before, leaf)
        outer = "".join(container.continuation for container in leaf.path[:shared])
        if before and not _is_close(before, leaf, shared):
            lines.append(outer.rstrip())
        first = outer + "".join(container.marker for container in leaf.path[shared:])
        rest = "".join(container.continuation for container in leaf.path)
        written = leaf_lines(leaf, start, stop)
        lines.append(_as_no_rule(f"{first}{written[0]}".rstrip()))
        lines.extend(f"{rest}{line}" if line else rest.rstrip() for line in written[1:])
        before = leaf
    return "\n".join(lines)


def _shared_containers(before: Leaf | None, leaf: Leaf) -> int:
    if before is None:
        return 0
    pairs = zip(before.path, leaf.path, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))


def _is_close(before: Leaf, leaf: Leaf, shared: int) -> bool:
    """Whether two neighbours go without a blank line between them."""
    if before.stands_alone or leaf.stands_alone:
        return False
    if shared < min(len(before.path), len(leaf.path)):
        container: Container = leaf.path[shared]
        if container.siblings is before.path[shared].siblings:
            return container.is_tight
    return shared > 0 and leaf.path[shared - 1].is_tight


def _as_no_rule(line: str) -> str:
    # Empty items in one another would be a rule.
    return line.replace("-", "+").replace("*", "+") if _RULE_OF_BULLETS.match(line) else line


def leaf_lines(leaf: Leaf, start: int, stop: int) -> list[str]:
    """Write a stretch of a leaf, without the lists and quotes it lies in."""
    if (start, stop) != (0, len(leaf.pieces)):
        return _written(leaf, start, stop)
    if not leaf.lines:
        leaf.lines = _written(leaf, start, stop)
    return leaf.lines


def _written(leaf: Leaf, start: int, stop: int) -> list[str]:
    pieces = leaf.pieces[start:stop]
    match leaf.block:
        case Block.PARAGRAPH:
            return _paragraph(running_text(_cut_out(pieces)))
        case Block.HEADING:
            return [f"{leaf.opening} {_without_closing_signs(running_text(_cut_out(pieces), soft=' ', hard=' '))}"]
        case Block.CODE:
            return _code("".join(piece.text for piece in pieces), leaf.opening)
        case Block.TABLE:
            header, rows = leaf.pieces[0].source, [piece.source for piece in pieces if piece.offset]
            return [header, leaf.opening, *rows]
        case Block.RULE:
            return [_RULE]
        case Block.EMPTY:
            return [""]


def _cut_out(pieces: list[Piece]) -> list[Piece]:
    """Escape underscores that stood inside a word, and do no longer where the word has been cut."""
    first, last = (_escaped_underscores(piece) for piece in (pieces[0], pieces[-1]))
    return [first, *pieces[1:-1], last] if len(pieces) > 1 else [first]


def _escaped_underscores(piece: Piece) -> Piece:
    is_unescaped = piece.kind is Kind.TEXT and piece.source.strip("_") == ""
    return replace(piece, source=escape(piece.text)) if is_unescaped else piece


def _without_closing_signs(heading: str) -> str:
    return _CLOSING_SIGNS.sub(r"\\", heading, count=1)


def _paragraph(text: str) -> list[str]:
    guarded = f"\\{text}" if _DEFINITION.match(text) else text
    return [_guard(line.lstrip(" \t")) for line in guarded.split("\n")]


def _guard(line: str) -> str:
    if _BLOCK_OPENER.match(line):
        return f"\\{line}"
    return _NUMBERED_ITEM.sub(r"\1\\", line, count=1) if _NUMBERED_ITEM.match(line) else line


def _code(code: str, info: str) -> list[str]:
    sign = "~" if "`" in info else "`"
    runs = re.findall(rf"^[ \t]*({sign}{{3,}})", code, re.MULTILINE)
    fence = sign * max((3, *(len(run) + 1 for run in runs)))
    return [f"{fence}{info}", *code.removesuffix("\n").split("\n"), fence]
