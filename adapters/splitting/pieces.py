"""The smallest things a text is made of: words, spaces, markers of emphasis, links, code spans, lines of code."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

# Blanks that forbid a break join what stands on both their sides.
_WORD = re.compile(r"\S+(?:[\u00a0\u2007\u202f]+\S+)*|\s+")
_MARKUP = re.compile(r"[\\`*_\[\]<&~]")


class Kind(Enum):
    """What a piece is, and so how it is written and what may become of it."""

    TEXT = auto()
    SPACE = auto()
    BREAK = auto()
    OPEN = auto()
    CLOSE = auto()
    LINK = auto()
    CODE = auto()
    LINE = auto()
    ROW = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a leaf.

    Attributes:
        kind: what it is.
        source: the Markdown that says it, on one line; for a break the break itself, for a code span its
            backticks as they were, and nothing for a bit of one.
        text: what its reader reads; a link or image reads ``[label](address)``, as it does when it has to be cut.
        offset: where `text` begins in the text of the whole leaf.
        spans: the markers of emphasis that are open before it, outermost first.
        cells: of a table's row, what it is made of.
    """

    kind: Kind
    source: str
    text: str
    offset: int
    spans: tuple[str, ...] = ()
    cells: tuple[tuple["Piece", ...], ...] = ()

    @property
    def end(self) -> int:
        """Where its text ends in the text of the whole leaf."""
        return self.offset + len(self.text)


def escape(text: str) -> str:
    """Give the Markdown of a text inside a line, without any formatting."""
    return _MARKUP.sub(r"\\\g<0>", text)


def words(text: str, offset: int, spans: tuple[str, ...] = (), write: Callable[[str], str] = escape) -> Iterator[Piece]:
    """Take a text without formatting apart into words, blanks and line breaks; `write` gives a word's Markdown."""
    for match in _WORD.finditer(text):
        word, start = match[0], offset + match.start()
        if not word.isspace():
            yield Piece(Kind.TEXT, write(word), word, start, spans)
        elif "\n" in word:
            yield Piece(Kind.BREAK, "\n", word, start, spans)
        else:
            yield Piece(Kind.SPACE, word, word, start, spans)


def taken_apart(piece: Piece) -> list[Piece]:
    """Take a link, a code span or a line of code apart, of which a platform takes only some at a time.

    A link becomes the text ``[label](address)``; code stays code.
    """
    if piece.kind is Kind.LINK:
        return list(words(piece.text, piece.offset, piece.spans))
    return [
        Piece(piece.kind, "", match[0], piece.offset + match.start(), piece.spans)
        for match in _WORD.finditer(piece.text)
    ]


def cut_at(piece: Piece, offsets: list[int]) -> list[Piece]:
    """Cut a word, or a bit of code, at places inside it, given as offsets in the leaf's text."""
    cuts = [piece.offset, *offsets, piece.end]
    bits = [(piece.text[start - piece.offset : end - piece.offset], start) for start, end in pairwise(cuts)]
    if piece.kind is not Kind.TEXT:
        return [Piece(piece.kind, "", bit, start, piece.spans) for bit, start in bits]
    return [inner for bit, start in bits for inner in words(bit, start, piece.spans)]
