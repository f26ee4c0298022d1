"""Leaves read again as they have been written, and made plainer where they don't say what they should."""

from dataclasses import replace

from adapters.splitting.inline import MARKDOWN, read
from adapters.splitting.leaves import Block, Leaf
from adapters.splitting.pieces import Kind, Piece, escape
from adapters.splitting.running_text import row_of
from adapters.splitting.writing import leaf_lines

_WITHOUT_EMPHASIS = 1
_WITHOUT_FORMATTING = 2


def reads_right(leaf: Leaf, start: int, stop: int) -> bool:
    """Whether a stretch of a leaf, as it is written, says what its pieces say.

    Markers of emphasis that stand in one another in unusual ways may mean something else after a cut.
    """
    if leaf.block not in (Block.PARAGRAPH, Block.HEADING, Block.TABLE):
        return True
    tokens = MARKDOWN.parse("\n".join(leaf_lines(leaf, start, stop)))
    said = "".join(read(token.children or ()) for token in tokens if token.type == "inline")
    pieces = leaf.pieces[start:stop]
    if leaf.block is Block.TABLE and start:
        pieces = [leaf.pieces[0], *pieces]
    return _bare(said) == _bare("".join(piece.text for piece in pieces))


def make_plainer(leaf: Leaf) -> bool:
    """Take the emphasis out of a leaf, or then all formatting; tell whether there was something to take."""
    if leaf.plainness == _WITHOUT_FORMATTING:
        return False
    leaf.plainness += 1
    leaf.lines = []
    leaf.pieces = [_plainer(piece, leaf.plainness) for piece in leaf.pieces]
    return True


def _plainer(piece: Piece, plainness: int) -> Piece:
    if piece.kind is Kind.ROW:
        return row_of([[_plainer(inner, plainness) for inner in cell] for cell in piece.cells], piece.offset)
    if piece.kind in (Kind.OPEN, Kind.CLOSE):
        return Piece(Kind.SPACE, "", "", piece.offset)
    if plainness == _WITHOUT_FORMATTING and piece.kind in (Kind.TEXT, Kind.LINK, Kind.CODE):
        return Piece(Kind.TEXT, escape(" ".join(piece.text.split())), piece.text, piece.offset)
    return replace(piece, spans=())


def _bare(text: str) -> str:
    return "".join(text.split())
