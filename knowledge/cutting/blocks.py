"""Cutting a block of code or a table that is too long, so that each part is still one."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from knowledge.cutting.markdown_blocks import Block
from knowledge.cutting.units import fragments

_LIST_MARKERS = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)+")


class BlockPart(NamedTuple):
    """A part of a block: its text, and at which line of the block (0-based) it begins."""

    text: str
    line: int


def cut_block(text: str, block: Block, longest: int) -> list[BlockPart]:
    """Cut a block at its line ends.

    Each part of a fence is opened and closed as the whole was; each part of a table has the header.
    Lines that are too long are cut. Where the frame would take most of a part, it is left out.

    Args:
        text: the block as it stands.
        block: what it is.
        longest: the most characters of a part.
    """
    lines = text.split("\n")
    opening, body, closing = _framed(lines, block)
    room = longest - sum(len(line) + 1 for line in (*opening, *closing))
    if room < longest // 2:
        opening, body, closing, room = [], lines, [], longest
    parts: list[BlockPart] = []
    for chunk, line in _chunks(body, room):
        frame = [_continued(header) for header in opening] if parts else opening
        parts.append(BlockPart("\n".join([*frame, *chunk, *closing]), line + len(opening) if parts else 0))
    return parts


def _framed(lines: list[str], block: Block) -> tuple[list[str], list[str], list[str]]:
    """Split a block's lines into those that open it, its body, and those that close it."""
    if block.kind == "table":
        return lines[:2], lines[2:], []
    if block.kind != "fence":
        return [], lines, []
    last = lines[-1].strip(" \t>")
    closed = len(lines) > 1 and last.startswith(block.marker) and not last.strip(block.marker[0])
    indent = _continued(lines[0])[: lines[0].index(block.marker)]
    return lines[:1], lines[1 : -1 if closed else None], [indent + block.marker]


def _continued(line: str) -> str:
    """Return a block's first line as it stands where the block goes on: blanks for a list's marker."""
    markers = _LIST_MARKERS.match(line)
    if markers is None:
        return line
    return re.sub(r"[^>\s]", " ", markers[0]) + line[markers.end() :]


def _chunks(lines: list[str], room: int) -> Iterator[tuple[list[str], int]]:
    """Yield runs of lines that, each with its end, take at most `room` characters, and where each begins."""
    chunk: list[str] = []
    first = size = 0
    for number, line in enumerate(lines):
        for part in _fitting(line, room - 1):
            if chunk and size + len(part) + 1 > room:
                yield chunk, first
                chunk, size = [], 0
            if not chunk:
                first = number
            chunk.append(part)
            size += len(part) + 1
    if chunk:
        yield chunk, first


def _fitting(line: str, room: int) -> list[str]:
    if len(line) <= room:
        return [line]
    return [line[part.start : part.stop] for part in fragments(line, 0, len(line), room)]
