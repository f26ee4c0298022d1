"""Walks a CommonMark text block by block and puts each down in a dialect."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from adapters.rendering.runs import Run, runs_of, runs_of_text
from adapters.rendering.tables import aligned_table

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# The parser leaves out what is nested deeper, and the interpreter's stack bears that much.
_DEEPEST = 40
_RULE = "─" * 12
_TASK = re.compile(r"\A\[([ xX])\](?=\s)")


class Dialect(ABC):
    """A platform's markup. A subclass supplies `inline`, `heading`, `code` and `marker`."""

    code_at_margin: bool
    """Whether code can stand neither in a list nor in a quotation, so that it is put between their lines."""

    @abstractmethod
    def inline(self, runs: Sequence[Run]) -> str:
        """Put running text down; its lines can be read as no other block."""

    @abstractmethod
    def heading(self, runs: Sequence[Run], level: int, *, in_list: bool) -> str:
        """Put a heading of a level from 1 to 6 down, on one line."""

    @abstractmethod
    def code(self, text: str, language: str) -> str:
        """Put a block of code down."""

    @abstractmethod
    def marker(self, depth: int, number: int | None) -> tuple[str, int]:
        """Give what stands before a list's item, and by how many columns its further lines are indented."""


def render(text: str, dialect: Dialect) -> str:
    """Put a CommonMark text (with tables, task lists and ~~strikethrough~~) down in a dialect.

    HTML is shown as text, and so is all of a text whose blocks are nested deeper than any reader could follow.
    """
    tokens = _parser().parse(text)
    if any(token.level >= _DEEPEST - 1 for token in tokens):
        return "\n".join(dialect.inline(runs_of_text(line)) for line in text.splitlines()).strip("\n")
    _tick_tasks(tokens)
    return _joined(list(_Walk(tokens, dialect).blocks()))


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    at_margin: bool = False
    gap: str = "\n\n"  # what parts it from the next


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    options = {"html": False, "maxNesting": _DEEPEST}
    return MarkdownIt("commonmark", options).enable(["table", "strikethrough"])


def _tick_tasks(tokens: Sequence["Token"]) -> None:
    for number, token in enumerate(tokens):
        if token.type != "list_item_open" or tokens[number + 1].type != "paragraph_open":
            continue
        for words in (tokens[number + 2].children or [])[:1]:
            words.content = _TASK.sub(lambda match: "☐" if match[1] == " " else "☑", words.content)


class _Walk:
    def __init__(self, tokens: Iterable["Token"], dialect: Dialect) -> None:
        self._tokens = iter(tokens)
        self._dialect = dialect

    def blocks(self, closing: str = "", depth: int = 0) -> Iterator[_Block]:
        for token in self._tokens:
            if token.type == closing:
                return
            yield from self._block(token, depth)

    def _block(self, token: "Token", depth: int) -> Iterator[_Block]:
        match token.type:
            case "paragraph_open":
                yield from self._words(self._dialect.inline(self._runs()), "\n\n")
            case "heading_open":
                heading = self._dialect.heading(self._runs(), int(token.tag[1:]), in_list=depth > 0)
                yield from self._words(heading, "\n")
            case "fence" | "code_block":
                yield self._code(token.content.removesuffix("\n"), token.info.strip())
            case "table_open":
                yield self._code(aligned_table(self._tokens), "")
            case "hr":
                yield _Block(_RULE)
            case "blockquote_open":
                yield from _quoted(self.blocks("blockquote_close", depth))
            case "bullet_list_open" | "ordered_list_open":
                yield from self._list(token, depth)

    def _runs(self) -> list[Run]:
        runs = runs_of(next(self._tokens).children or ())
        next(self._tokens)
        return runs

    def _words(self, text: str, gap: str) -> Iterator[_Block]:
        if text:
            yield _Block(text, gap=gap)

    def _code(self, text: str, language: str) -> _Block:
        return _Block(self._dialect.code(text, language), self._dialect.code_at_margin)

    def _list(self, opening: "Token", depth: int) -> Iterator[_Block]:
        closing = opening.type.replace("open", "close")
        number = int(opening.attrs.get("start", 1)) if opening.type == "ordered_list_open" else None
        blocks: list[_Block] = []
        for token in self._tokens:
            if token.type == closing:
                break
            blocks += self._item(*self._dialect.marker(depth, number), depth)
            number = None if number is None else number + 1
        yield from blocks[:-1]
        yield replace(blocks[-1], gap="\n\n")

    def _item(self, marker: str, indentation: int, depth: int) -> Iterator[_Block]:
        blocks = list(self.blocks("list_item_close", depth + 1))
        if not blocks or blocks[0].at_margin:
            blocks.insert(0, _Block(""))
        first, *others = (block if block.at_margin else _indented(block, indentation) for block in blocks)
        yield replace(first, text=(marker + first.text.lstrip(" ")).rstrip(), gap="\n")
        yield from (replace(block, gap="\n") for block in others)


def _indented(block: _Block, columns: int) -> _Block:
    lines = (" " * columns + line if line else "" for line in block.text.split("\n"))
    return replace(block, text="\n".join(lines))


def _quoted(blocks: Iterable[_Block]) -> Iterator[_Block]:
    for at_margin, group in groupby(blocks, key=lambda block: block.at_margin):
        if at_margin:
            yield from group
        else:
            lines = _joined(list(group)).split("\n")
            yield _Block("\n".join(f"> {line}" for line in lines))


def _joined(blocks: Sequence[_Block]) -> str:
    text = "".join(block.text + block.gap for block in blocks)
    return text.removesuffix(blocks[-1].gap) if blocks else ""
