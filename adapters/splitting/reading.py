"""CommonMark (with GFM's tables and strikethrough) read into leaves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.splitting.inline import References, pieces_of
from adapters.splitting.leaves import NOTHING, Block, Container, Leaf, unformatted
from adapters.splitting.pieces import Kind, Piece
from adapters.splitting.running_text import row_of

# The parser would leave out what lies deeper than this, and renderers leave it out from 20 levels on.
_DEEPEST = 100
_BLOCKS = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable("table")
# What lies in more lists and quotes is given as lying in the innermost ones: readers of Markdown stop at 20 levels,
# of which a list takes two.
_MOST_CONTAINERS = 8
_LARGEST_NUMBER = 999_999_999
_OTHER_MARKUP = {"-": "+", "*": "-", "+": "-", ".": ")", ")": "."}
_DASHES = {"": "---", "left": ":---", "right": "---:", "center": ":---:"}


def leaves_of(text: str) -> list[Leaf]:
    """Read a document; linear time. Definitions of links are no leaves: links are written out where they stand."""
    env: dict[str, References] = {}
    source = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    tokens: list[Token] = []
    _BLOCKS.block.parse(source, _BLOCKS, env, tokens)
    if any(token.level >= _DEEPEST - 1 for token in tokens):
        return [unformatted(paragraph, ()) for paragraph in source.split("\n\n") if paragraph.strip()]
    reader = _Reader(tokens, env.get("references", {}))
    for position, token in enumerate(tokens):
        reader.take(position, token)
    return reader.leaves


@dataclass(slots=True)
class _List:
    markup: str
    numbers: Iterator[int] | None
    is_tight: bool


@dataclass(slots=True)
class _Reader:
    """Walks over the tokens of a document's blocks."""

    tokens: Sequence[Token]
    references: References
    leaves: list[Leaf] = field(default_factory=list)
    path: tuple[Container, ...] = ()
    lists: list[_List] = field(default_factory=list)
    closed: tuple[int, str, int] = (0, "", 0)
    """The level and markup of the list that was closed last, and how many leaves there were."""
    counts: list[int] = field(default_factory=list)
    """How many leaves there were when each open container was opened."""

    def take(self, position: int, token: Token) -> None:
        match token.type:
            case "blockquote_open":
                self._enter(Container("> ", token))
            case "bullet_list_open" | "ordered_list_open":
                self._open_list(position, token)
            case "bullet_list_close" | "ordered_list_close":
                self.closed = (token.level, self.lists.pop().markup, len(self.leaves))
            case "list_item_open":
                self._enter(self._item())
            case "blockquote_close" | "list_item_close":
                self._leave()
            case _:
                self._take_leaf(position, token)

    def _take_leaf(self, position: int, token: Token) -> None:
        match token.type:
            case "paragraph_open":
                self._add(Block.PARAGRAPH, self._inline(position + 1))
            case "heading_open":
                self._add(Block.HEADING, self._inline(position + 1), "#" * int(token.tag[1:]))
            case "fence" | "code_block":
                self._add(Block.CODE, _lines(token.content), token.info.strip())
            case "html_block":
                self.leaves.append(unformatted(token.content.strip(), self._shown_path()))
            case "hr":
                self._add(Block.RULE, [])
            case "table_open":
                self._add_table(position)

    def _inline(self, position: int) -> list[Piece]:
        return pieces_of(self.tokens[position].content, self.references)

    def _add(self, block: Block, pieces: list[Piece], opening: str = "") -> None:
        self.leaves.append(Leaf(block, pieces or [NOTHING], self._shown_path(), opening))

    def _shown_path(self) -> tuple[Container, ...]:
        return self.path[-_MOST_CONTAINERS:]

    def _enter(self, container: Container) -> None:
        self.path = (*self.path, container)
        self.counts.append(len(self.leaves))

    def _leave(self) -> None:
        if self.counts.pop() == len(self.leaves):
            self._add(Block.EMPTY, [])
        self.path = self.path[:-1]

    def _open_list(self, position: int, token: Token) -> None:
        markup = token.markup
        # Two lists between which nothing is written would become one.
        if self.closed == (token.level, markup, len(self.leaves)):
            markup = _OTHER_MARKUP[markup]
        numbers = count(int(token.attrs.get("start", 1))) if token.tag == "ol" else None
        self.lists.append(_List(markup, numbers, self._is_tight(position)))

    def _is_tight(self, position: int) -> bool:
        level = self.tokens[position].level
        for token in self.tokens[position + 1 :]:
            if token.level <= level:
                break
            if token.type == "paragraph_open" and token.level == level + 2:
                return token.hidden
        return False

    def _item(self) -> Container:
        innermost = self.lists[-1]
        if innermost.numbers is None:
            marker = f"{innermost.markup} "
        else:
            marker = f"{min(next(innermost.numbers), _LARGEST_NUMBER)}{innermost.markup} "
        return Container(marker, innermost, innermost.is_tight)

    def _add_table(self, position: int) -> None:
        rows: list[Piece] = []
        cells: list[list[Piece]] = []
        dashes: list[str] = []
        offset = 0
        for number in range(position + 1, len(self.tokens)):
            token = self.tokens[number]
            match token.type:
                case "th_open" | "td_open":
                    cells.append(self._inline(number + 1))
                    if token.type == "th_open":
                        dashes.append(_DASHES[str(token.attrGet("style") or "").removeprefix("text-align:")])
                case "tr_close":
                    rows.append(row_of(cells, offset))
                    offset = rows[-1].end
                    cells = []
                case "table_close":
                    break
        self._add(Block.TABLE, rows, f"| {' | '.join(dashes)} |")


def _lines(code: str) -> list[Piece]:
    pieces: list[Piece] = []
    offset = 0
    for line in code.split("\n")[: -1 if code.endswith("\n") else None]:
        pieces.append(Piece(Kind.LINE, "", f"{line}\n", offset))
        offset = pieces[-1].end
    return pieces
