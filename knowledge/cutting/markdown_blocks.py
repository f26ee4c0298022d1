"""Where a CommonMark text's headings, code and tables stand, line by line."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_KINDS: dict[str, Literal["heading", "fence", "code", "table"]] = {
    "heading_open": "heading",
    "fence": "fence",
    "code_block": "code",
    "table_open": "table",
}
_LONGEST_HEADING = 300


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is not prose.

    Attributes:
        kind: ``heading`` (of the text itself, not within a list or quotation), ``fence``, ``code``
            (indented) or ``table``.
        first: its first line, 0-based.
        end: the line after its last one.
        level: of a heading 1 to 6, else 0.
        title: of a heading its text without markup, else empty.
        marker: of a fence the characters that open and close it, else empty.
    """

    kind: Literal["heading", "fence", "code", "table"]
    first: int
    end: int
    level: int = 0
    title: str = ""
    marker: str = ""


@lru_cache(maxsize=1)
def _block_parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable("inline")


@lru_cache(maxsize=1)
def _inline_parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def blocks(text: str) -> list[Block]:
    """Return the headings, code and tables of a text, in its order; none lies within another.

    Lines are counted as CommonMark does: they end with ``\\n``, ``\\r`` or both.
    """
    tokens = _block_parser().parse(text)
    return [
        _block(token, tokens[place + 1] if token.type == "heading_open" else None)
        for place, token in enumerate(tokens)
        if token.type in _KINDS and token.map and (token.type != "heading_open" or token.level == 0)
    ]


def _block(token: "Token", inline: "Token | None") -> Block:
    first, end = token.map or (0, 0)
    level = int(token.tag[1:]) if inline else 0
    title = plain(inline.content) if inline else ""
    return Block(_KINDS[token.type], first, end, level, title, token.markup if token.type == "fence" else "")


def plain(markdown: str) -> str:
    """Return one paragraph's or heading's text without its markup, in one line."""
    tokens = _inline_parser().parseInline(markdown[:_LONGEST_HEADING])
    children = tokens[0].children or [] if tokens else []
    words = (
        " " if child.type.endswith("break") else child.content for child in children if child.type != "html_inline"
    )
    return " ".join("".join(words).split())
