"""Cutting documents that are too long to be found and quoted as a whole into passages."""

import re
from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from knowledge.cutting.blocks import cut_block
from knowledge.cutting.markdown_blocks import Block
from knowledge.cutting.units import Unit, units
from knowledge.passages import Document, Passage

LONGEST = 1_200
"""Characters in a passage: about 200 words, one or two paragraphs. It is long enough that a question's words
and its answer stand together, and short enough that a chat message (2,000 characters on Discord) holds one with
something around it, and the 512 tokens of a small language model hold one with the question."""

OVERLAP = 200
"""Characters that a passage may repeat of the one before it: one or two sentences, so that what “it” and
“this law” mean is still said when the cut falls between them."""

_LINE_AT_END = re.compile(r"line \d+$")


def cut(document: Document, longest: int = LONGEST, overlap: int = OVERLAP) -> list[Passage]:
    """Cut a document into passages of at most `longest` characters.

    A document that fits stays whole, and so does every ready answer, whatever its length. Otherwise a heading
    starts a new passage; passages under one heading are about equally long and end where a sentence does.
    Fenced code and tables stay whole unless they alone are too long: then they are cut at line ends, the
    fence closed and opened again, the table's header repeated. A sentence that is too long is cut between
    words, a word that is too long between characters.

    Args:
        document: what a loader read.
        longest: characters, at least 40.
        overlap: the most characters that are repeated from the passage before, in whole sentences;
            0 or more, at most half of `longest`.

    Returns:
        The passages in order; none for a blank text. Each has the document's fields, and its place in it.

    Raises:
        ValueError: `longest` or `overlap` is out of its range.
    """
    if not sizes_fit(longest, overlap):
        raise ValueError("longest must be 40 or more, overlap between 0 and half of longest")
    if not document.text.strip():
        return []
    if document.question or len(document.text) <= longest:
        return [_passage(document, document.text, document.location)]
    pieces = list(_pieces(document.text, longest, overlap))
    places = _places(document, pieces)
    return [_passage(document, piece.text, place) for piece, place in zip(pieces, places, strict=True)]


def sizes_fit(longest: int, overlap: int) -> bool:
    """Tell whether `cut` can make passages of `longest` characters that share `overlap`."""
    return longest >= 40 and 0 <= overlap <= longest // 2


class _Piece(NamedTuple):
    text: str
    start: int


def _passage(document: Document, text: str, location: str) -> Passage:
    return Passage(text, document.source, location, document.title, document.url, document.tags, document.question)


def _places(document: Document, pieces: list[_Piece]) -> Iterator[str]:
    """Yield each piece's location: the file's line where that is known, else which part it is."""
    line, counted = document.first_line, 0
    for number, piece in enumerate(pieces, start=1):
        if line is not None:
            line += document.text.count("\n", counted, piece.start)
            counted = piece.start
            yield document.location if number == 1 else _LINE_AT_END.sub(f"line {line}", document.location)
        elif len(pieces) == 1:
            yield document.location
        else:
            yield f"{document.location}, part {number} of {len(pieces)}"


def _pieces(text: str, longest: int, overlap: int) -> Iterator[_Piece]:
    run: list[Unit] = []
    for unit in units(text, longest):
        if unit.kind == "heading" and not _only_headings(run):
            yield from _packed(text, run, longest, overlap)
            run = []
        if unit.block and len(unit) > longest:
            lead = run if _only_headings(run) and run and run[-1].stop - run[0].start < longest // 4 else []
            yield from _packed(text, run if not lead else [], longest, overlap)
            yield from _block_pieces(text, lead, unit, unit.block, longest)
            run = []
        else:
            run.append(unit)
    yield from _packed(text, run, longest, overlap)


def _only_headings(run: list[Unit]) -> bool:
    # A heading after anything else starts a run, so that the last unit speaks for all.
    return not run or run[-1].kind == "heading"


def _block_pieces(text: str, lead: list[Unit], unit: Unit, block: Block, longest: int) -> Iterator[_Piece]:
    """Yield the parts of a long block, the first under the headings that lead to it."""
    headings = text[lead[0].start : lead[-1].stop] + "\n\n" if lead else ""
    line_start = unit.start
    line = 0
    for part in cut_block(text[unit.start : unit.stop], block, longest - len(headings)):
        while line < part.line:
            line_start = text.index("\n", line_start) + 1
            line += 1
        first = part.line == 0 and headings
        yield _Piece(headings + part.text, lead[0].start) if first else _Piece(part.text, line_start)
        headings = ""


def _packed(text: str, run: list[Unit], longest: int, overlap: int) -> Iterator[_Piece]:
    """Yield the units of a run in pieces of about equal length."""
    if not run:
        return
    aim = _aim(run[-1].stop - run[0].start, longest, overlap)
    first = 0
    for number, unit in enumerate(run):
        before = run[number - 1]
        full = before.stop - run[first].start >= aim or unit.stop - run[first].start > longest
        if number > first and full:
            yield _Piece(text[run[first].start : before.stop], run[first].start)
            first = _first_repeated(run, first, number, longest, overlap)
    yield _Piece(text[run[first].start : run[-1].stop], run[first].start)


def _aim(total: int, longest: int, overlap: int) -> int:
    """Return how long each piece should be, so that the last one is not a scrap."""
    if total <= longest:
        return longest
    fresh = longest - overlap
    return overlap + ceil((total - overlap) / ceil((total - overlap) / fresh))


def _first_repeated(run: list[Unit], first: int, number: int, longest: int, overlap: int) -> int:
    """Return with which unit the piece begins that must hold unit `number`; the ones before are repeated."""
    stop, end = run[number - 1].stop, run[number].stop
    start = number
    while (
        start - 1 > first
        and run[start - 1].kind == "sentence"
        and stop - run[start - 1].start <= overlap
        and end - run[start - 1].start <= longest
    ):
        start -= 1
    return start
