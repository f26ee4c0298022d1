"""Leaves broken into smaller pieces: at sentences where one has to be cut, inside words where nothing else helps."""

from bisect import bisect_right
from collections.abc import Callable, Iterable

from adapters.splitting.gaps import Gap, gaps_in
from adapters.splitting.leaves import Block, Leaf
from adapters.splitting.pieces import Kind, Piece, cut_at, taken_apart

_COMPOSITE = (Kind.LINK, Kind.CODE, Kind.LINE)
_VERBATIM = (Kind.TEXT, Kind.CODE, Kind.LINE)


def find_gaps(leaf: Leaf, fits: Callable[[str], bool]) -> None:
    """Find where a leaf may be cut, and part its words where sentences end without a blank.

    `fits` tells whether a text, as text, goes into one part.
    """
    gaps = bytearray(gaps_in(leaf.text, leaf.block is Block.CODE, fits))
    if leaf.block is Block.TABLE:
        gaps[leaf.pieces[0].end] = Gap.GRAPHEME
    leaf.gaps = bytes(gaps)
    ends = [place for place, gap in enumerate(gaps) if gap == Gap.SENTENCE]
    pieces: list[Piece] = []
    for piece in leaf.pieces:
        inside = ends[bisect_right(ends, piece.offset) : bisect_right(ends, piece.end - 1)]
        pieces.extend(cut_at(piece, inside) if inside and piece.kind is Kind.TEXT else [piece])
    leaf.pieces = pieces
    leaf.lines = []


def take_apart(leaf: Leaf, number: int) -> bool:
    """Take a link, code span or line of code apart into words; tell whether there was something to do."""
    piece = leaf.pieces[number]
    parts = taken_apart(piece) if piece.kind in _COMPOSITE else []
    if len(parts) < 2 and piece.kind is not Kind.LINK:
        return False
    leaf.pieces[number : number + 1] = parts
    leaf.lines = []
    return True


def cut_words(leaf: Leaf, first: int, last: int) -> bool:
    """Cut the words from one piece to another (included) into graphemes; tell whether there was something to do."""
    return _cut(leaf, first, last, lambda offset: leaf.gaps[offset] > Gap.CODE_POINT)


def cut_graphemes(leaf: Leaf, first: int, last: int) -> bool:
    """Cut the words from one piece to another (included) into code points; tell whether there was something to do."""
    return _cut(leaf, first, last, lambda _: True)


def _cut(leaf: Leaf, first: int, last: int, may_cut: Callable[[int], bool]) -> bool:
    old = leaf.pieces[first : last + 1]
    new = [bit for piece in old for bit in _bits(piece, filter(may_cut, range(piece.offset + 1, piece.end)))]
    leaf.pieces[first : last + 1] = new
    leaf.lines = []
    return len(new) > len(old)


def _bits(piece: Piece, offsets: Iterable[int]) -> list[Piece]:
    # A piece that stays whole stays as it is written.
    inside = list(offsets) if piece.kind in _VERBATIM else []
    return cut_at(piece, inside) if inside else [piece]
