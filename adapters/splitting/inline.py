"""Running text taken apart into pieces, by markdown-it's own rules, each with the source it was written in."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from adapters.splitting.pieces import Kind, Piece, escape, words
from adapters.splitting.running_text import running_text

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# The tokens of one step have to stay apart until the step has been told apart.
MARKDOWN.inline.ruler2.disable("fragments_join")

References = Mapping[str, Any]

_BLANK_AND_WORD = re.compile(r"[ \t]+[^\s\\]")
_ENTITY = re.compile(r"&(?=#?\w+;)")


@dataclass(frozen=True, slots=True)
class _Step:
    """What one rule took: its name, where in the source, and which tokens it left."""

    rule: str
    start: int
    stop: int
    tokens: slice


@dataclass(slots=True)
class _Pieces:
    """Pieces as they are found, with the text so far and the emphasis that is open."""

    found: list[Piece] = field(default_factory=list)
    offset: int = 0
    spans: tuple[str, ...] = ()

    def add(self, kind: Kind, source: str, text: str) -> None:
        self.found.append(Piece(kind, source, text, self.offset, self.spans))
        self.offset += len(text)

    def add_words(self, text: str, write: Callable[[str], str]) -> None:
        self.found.extend(words(text, self.offset, self.spans, write))
        self.offset += len(text)

    def open(self, marker: str) -> None:
        self.add(Kind.OPEN, marker, "")
        self.spans = (*self.spans, marker)

    def close(self, marker: str) -> None:
        self.add(Kind.CLOSE, marker, "")
        self.spans = self.spans[:-1]


def pieces_of(source: str, references: References) -> list[Piece]:
    """Take the source of running text (a paragraph's, a heading's, a cell's) apart; linear time.

    `references` are the document's link definitions as markdown-it collects them.
    """
    return _pieces_between(source, 0, len(source), references)


def _pieces_between(source: str, start: int, stop: int, references: References) -> list[Piece]:
    state = StateInline(source, MARKDOWN, {"references": references}, [])
    state.pos, state.posMax = start, stop
    steps = list(_steps(state))
    for pair_up in MARKDOWN.inline.ruler2.getRules(""):
        pair_up(state)
    pieces = _Pieces()
    plain_from = start
    for step in steps:
        if step.rule in ("text", ""):
            continue
        # What no rule but the one for text has taken is its own source.
        pieces.add_words(source[plain_from : step.start], str)
        _add(step, state, pieces)
        plain_from = step.stop
    pieces.add_words(source[plain_from:stop], str)
    return pieces.found


def _steps(state: StateInline) -> Iterator[_Step]:
    ruler = MARKDOWN.inline.ruler
    rules = list(zip(ruler.get_active_rules(), ruler.getRules(""), strict=True))
    while state.pos < state.posMax:
        start, count, waiting = state.pos, len(state.tokens), bool(state.pending)
        name = next((name for name, rule in rules if rule(state, False)), "")
        if not name:
            state.append_pending(state.src[start])
            state.pos += 1
        # Text that was waiting became a token of its own before the step's first.
        first = count + (waiting and len(state.tokens) > count + (name == "newline"))
        yield _Step(name, start, state.pos, slice(first, len(state.tokens)))


def _add(step: _Step, state: StateInline, pieces: _Pieces) -> None:
    source = state.src[step.start : step.stop]
    tokens = state.tokens[step.tokens]
    match step.rule:
        case "emphasis" | "strikethrough":
            _add_markers(step, state, pieces)
        case "link" | "image" | "autolink":
            pieces.add(Kind.LINK, _link_source(step, state, tokens), read(tokens))
        case "html_inline":
            pieces.add_words(source, escape)
        case "backticks" if tokens:
            pieces.add(Kind.CODE, tokens[0].markup, tokens[0].content)
        case "backticks":
            pieces.add(Kind.TEXT, source.replace("`", r"\`"), source)
        case _ if tokens[-1].type == "hardbreak":
            pieces.add(Kind.BREAK, "\\\n", "\n")
        case "escape" if tokens[-1].content == source:
            pieces.add_words(source, escape)
        case "newline":
            pieces.add(Kind.BREAK, "\n", "\n")
        case _:
            pieces.add(Kind.TEXT, source, tokens[-1].content)


def _add_markers(step: _Step, state: StateInline, pieces: _Pieces) -> None:
    before = state.src[step.start - 1] if step.start else " "
    after = state.src[step.stop] if step.stop < state.posMax else " "
    stands_apart = before.isspace() and _BLANK_AND_WORD.match(state.src, step.stop, state.posMax)
    source = state.src[step.start : step.stop]
    if source[0] == "_" and before.isalnum() and after.isalnum():
        pieces.add(Kind.TEXT, source, source)
        return
    for token in state.tokens[step.tokens]:
        if token.nesting > 0:
            pieces.open(token.markup)
        elif token.nesting < 0:
            pieces.close(token.markup)
        elif stands_apart and not pieces.spans:
            pieces.add(Kind.TEXT, token.content, token.content)
        elif token.content:
            pieces.add(Kind.TEXT, "".join(f"\\{sign}" for sign in token.content), token.content)


def _link_source(step: _Step, state: StateInline, tokens: Sequence[Token]) -> str:
    """Give the Markdown of a link or an image: on one line, without a definition or a backtick's twin elsewhere."""
    source = state.src[step.start : step.stop]
    if step.rule == "autolink" or not (state.env["references"] or "\n" in source or "`" in source):
        return source
    references = state.env["references"]
    start = step.start + (2 if step.rule == "image" else 1)
    stop = MARKDOWN.helpers.parseLinkLabel(state, start - 1, step.rule == "link")
    # The parser reads an image's label by itself but a link's where it stands: after a bracket, which matters to marks.
    if step.rule == "image":
        label = pieces_of(state.src[start:stop], references)
    else:
        label = _pieces_between(state.src, start, stop, references)
    return f"{state.src[step.start : start]}{running_text(label, soft=' ', hard=' ')}]({_target(tokens[0])})"


def _target(token: Token) -> str:
    address = _ENTITY.sub("&amp;", str(token.attrGet("href" if token.type == "link_open" else "src") or ""))
    title = str(token.attrGet("title") or "")
    if re.search(r"[()\s\\]", address) or (title and not address):
        address = f"<{address}>"
    if not title:
        return address
    quoted = _ENTITY.sub("&amp;", re.sub(r'["\\]', r"\\\g<0>", " ".join(title.split())))
    return f'{address} "{quoted}"'


def read(tokens: Sequence[Token]) -> str:
    """Give what running text says, as text; of a link and an image also where it leads."""
    parts: list[str] = []
    targets: list[str] = []
    for token in tokens:
        match token.type:
            case "link_open":
                targets.append("" if token.markup == "autolink" else f"]({_shown_target(token)})")
                parts.append("[" if targets[-1] else "")
            case "link_close":
                parts.append(targets.pop())
            case "image":
                parts.append(f"![{read(token.children or ())}]({_shown_target(token)})")
            case "softbreak" | "hardbreak":
                parts.append(" ")
            case _:
                parts.append(token.content)
    return "".join(parts)


def _shown_target(token: Token) -> str:
    address = token.attrGet("href" if token.type == "link_open" else "src") or ""
    title = token.attrGet("title")
    return f'{address} "{" ".join(str(title).split())}"' if title else str(address)
