"""The blocks of a CommonMark text: running text, headings, and what is kept as it stands (code, tables)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# A text without any of these at the start of a line, and without a bar, is paragraphs alone: no parser needed.
_MARKUP = re.compile(r"^(?: {0,3}(?:[#>`~*+=<\[_-]|\d{1,9}[.)](?:\s|$))|[ ]{4}|[ ]{0,3}\t)|\|", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CONTAINER_ENDS = {"bullet_list_close", "ordered_list_close", "blockquote_close"}
_LONGEST_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a text.

    Attributes:
        text: running text without the marks of its containers; of a verbatim block, CommonMark of its own.
        is_heading: whether it is a heading.
        is_verbatim: whether it has to be kept whole, line by line.
        belongs_to_previous: whether the running text before it introduces it.
    """

    text: str
    is_heading: bool = False
    is_verbatim: bool = False
    belongs_to_previous: bool = False


def blocks_of(text: str) -> list[Block]:
    """Take a text apart. HTML comments and link definitions are left out, other HTML is running text.

    A text of nothing but what is left out counts as running text.
    """
    text = text.strip()
    if "\n" not in text and not _MARKUP.match(text):
        return [Block(text)] if text else []
    if not _MARKUP.search(text):
        return [Block(part) for part in _BLANK_LINES.split(text) if part]
    parsed = _parser().parse(text)
    return [block for block in _Reader(text.splitlines(), parsed).blocks() if block.text] or [Block(text)]


def ends_in_block(text: str) -> bool:
    """Whether words put after `text` on its last line would fall into a code block, a table or the like."""
    blocks = blocks_of(text)
    return bool(blocks) and (blocks[-1].is_verbatim or blocks[-1].is_heading)


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable(["inline", "text_join"])
    return parser


class _Reader:
    """Walks the parser's tokens once."""

    def __init__(self, lines: Sequence[str], tokens: Sequence["Token"]) -> None:
        self._lines = lines
        self._tokens = tokens
        self._introduction = ""
        self._next = 0

    def blocks(self) -> Iterator[Block]:
        while self._next < len(self._tokens):
            token = self._tokens[self._next]
            block = self._block(token)
            if block is not None:
                self._introduction = "" if block.is_verbatim or block.is_heading else block.text
                yield block
            self._next += 1

    def _block(self, token: "Token") -> Block | None:
        if token.type in _CONTAINER_ENDS:
            self._introduction = ""
        if token.type == "inline":
            return Block(token.content, is_heading=self._tokens[self._next - 1].type == "heading_open")
        if token.type in {"fence", "code_block"}:
            return self._verbatim(_fenced(token))
        if token.type == "html_block":
            return Block(_COMMENT.sub("", token.content).strip())
        if token.type == "table_open":
            table = self._source(token)
            self._skip_to("table_close", token.level)
            return self._verbatim(table)
        if token.type.endswith("_list_open") and token.level == 0 and self._introduction.endswith(":"):
            items = self._source(token)
            self._skip_to(token.type.replace("open", "close"), token.level)
            return self._verbatim(items)
        return None

    def _verbatim(self, text: str) -> Block:
        return Block(text, is_verbatim=True, belongs_to_previous=bool(self._introduction))

    def _skip_to(self, closing: str, level: int) -> None:
        while self._tokens[self._next].type != closing or self._tokens[self._next].level != level:
            self._next += 1

    def _source(self, token: "Token") -> str:
        """The lines of a block, without the marks of the quotation or list it stands in."""
        start, end = token.map or (0, 0)
        lines = self._lines[start:end]
        return "\n".join(line.lstrip("> \t") if token.level else line for line in lines).strip("\n")


def _fenced(token: "Token") -> str:
    longest = max((len(run) for run in _LONGEST_FENCE.findall(token.content)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{token.info.strip()}\n{token.content.rstrip()}\n{fence}"
