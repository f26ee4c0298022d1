"""A document as a row of leaves (paragraphs, headings, code, tables), each with the lists and quotes it lies in."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import cached_property

from adapters.splitting.pieces import Kind, Piece, words

NOTHING = Piece(Kind.TEXT, "", "", 0)
"""What a leaf without text is made of."""


class Block(Enum):
    """What a leaf is."""

    PARAGRAPH = auto()
    HEADING = auto()
    CODE = auto()
    TABLE = auto()
    RULE = auto()
    EMPTY = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """One quote, or one item of a list; it is itself alone, however alike another looks.

    Attributes:
        marker: what its first line begins with (``3. ``).
        siblings: what all items of one list have in common, and nothing else has; of a quote, itself.
        is_tight: whether no blank lines stand in its list.
    """

    marker: str
    siblings: object
    is_tight: bool = False

    @property
    def continuation(self) -> str:
        """What its other lines begin with."""
        return self.marker if self.marker == "> " else " " * len(self.marker)


@dataclass(eq=False)
class Leaf:
    """A block without blocks inside.

    Attributes:
        block: what it is.
        pieces: what it is made of; they only ever get smaller. Of a table, its rows, the header first.
        path: the containers it lies in, outermost first.
        opening: a heading's signs, a code block's info string, a table's row of dashes.
        stands_alone: whether blank lines have to stand around it even in a tight list.
        first: the first piece that is still to be given; those before it stand elsewhere.
        gaps: for each place of its text how good a cut there is (`gaps.Gap`), once somebody has asked.
        plainness: how much of its formatting it has lost, since it would not have read right (`proofreading`).
        lines: the whole leaf as it is written, once it has been.
    """

    block: Block
    pieces: list[Piece]
    path: tuple[Container, ...] = ()
    opening: str = ""
    stands_alone: bool = False
    first: int = 0
    gaps: bytes = b""
    plainness: int = 0
    lines: list[str] = field(default_factory=list)

    @cached_property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def offset(self, number: int) -> int:
        """Where in its text a piece begins; for the number after the last one, where the text ends."""
        return self.pieces[number].offset if number < len(self.pieces) else self.pieces[-1].end

    def last_piece_at(self, offset: int) -> int:
        """Give the last piece that begins at a place of the text or before it; of those at its start the first."""
        number = bisect_right(self.pieces, offset, key=lambda piece: piece.offset) - 1
        return number if self.offset(number) > self.offset(self.first) else self.first

    def next_with_text(self, number: int) -> int:
        """Give the next piece with text in it, from a piece on; that piece, if there is none."""
        return next((after for after in range(number, len(self.pieces)) if self.pieces[after].text), number)

    @property
    def length(self) -> int:
        """Characters of text still to be given, and one for its end."""
        return self.offset(len(self.pieces)) - self.offset(self.first) + 1


def unformatted(text: str, path: tuple[Container, ...], offset: int = 0) -> Leaf:
    """Give a paragraph that reads as the text does, with no formatting."""
    pieces = list(words(text, offset)) or [NOTHING]
    return Leaf(Block.PARAGRAPH, pieces, path, stands_alone=True)


def row_as_text(row: Piece, path: tuple[Container, ...]) -> Leaf:
    """Give a paragraph that holds a table's row, for a row no part has room for."""
    pieces: list[Piece] = []
    for cell in row.cells:
        offset = pieces[-1].end if pieces else 0
        if pieces:
            pieces.extend(words(" | ", offset, write=str))
            offset += 3
        pieces.extend(replace(piece, offset=offset + piece.offset) for piece in cell)
    return Leaf(Block.PARAGRAPH, pieces or [NOTHING], path, stands_alone=True)


def simpler(leaf: Leaf, start: int) -> Leaf | None:
    """Give what else a leaf could be where a part has no room for one character of it; None if there is no such thing.

    Pieces before `start` have been given already.
    """
    if leaf.path:
        return replace(leaf, path=(), lines=[])
    if leaf.block is Block.CODE and leaf.opening:
        return replace(leaf, opening="", lines=[])
    if leaf.block in (Block.CODE, Block.HEADING):
        offset = leaf.offset(start)
        rest = unformatted(leaf.text[offset:], (), offset)
        return replace(rest, pieces=[*leaf.pieces[:start], *rest.pieces], first=start)
    return None
