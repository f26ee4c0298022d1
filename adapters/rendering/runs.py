"""Running text as a row of runs: what is said, and how it is emphasised."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING

from adapters.rendering.links import bare_addresses, is_reachable, misleads, names_itself

if TYPE_CHECKING:
    from markdown_it.token import Token


class Style(Enum):
    """An emphasis."""

    BOLD = "strong"
    ITALIC = "em"
    STRUCK = "s"


class Kind(Enum):
    """What a run is: words, code, an address that shows itself, a link under a label, or a line break."""

    TEXT = "text"
    CODE = "code"
    ADDRESS = "address"
    LINK = "link"
    BREAK = "break"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one kind and one emphasis.

    Attributes:
        text: what the reader sees, without any markup; never holds a line break.
        kind: what it is.
        styles: its emphases, the outermost first, each once.
        url: where an address or a link leads: http, https or mailto.
    """

    text: str
    kind: Kind = Kind.TEXT
    styles: tuple[Style, ...] = ()
    url: str = ""


# A character entity can name a line's end inside a line.
_LINE_ENDS = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_STYLES = {style.value: style for style in Style}


def runs_of(tokens: Iterable["Token"]) -> list[Run]:
    """Read markdown-it's inline tokens. A line that is merely wrapped goes on, as it does in a browser."""
    merged = _merged(_read(iter(tokens), _Emphasis()))
    return [part for run in merged for part in _resolved(run)]


def runs_of_text(text: str) -> list[Run]:
    """Give the runs of a line that is no Markdown."""
    return list(_resolved(Run(_LINE_ENDS.sub(" ", text))))


def without_breaks(runs: Iterable[Run]) -> list[Run]:
    """Put everything on one line."""
    return [Run(" ") if run.kind is Kind.BREAK else run for run in runs]


class _Emphasis:
    """Which emphases are open; one within its like counts for nothing."""

    def __init__(self) -> None:
        self._depth = dict.fromkeys(Style, 0)
        self.styles: tuple[Style, ...] = ()

    def turn(self, tag: str, nesting: int) -> None:
        style = _STYLES[tag]
        before, after = self._depth[style], self._depth[style] + nesting
        self._depth[style] = after
        if not before:
            self.styles = (*self.styles, style)
        elif not after:
            self.styles = tuple(other for other in self.styles if other is not style)


def _read(tokens: Iterator["Token"], emphasis: _Emphasis) -> Iterator[Run]:
    for token in tokens:
        if token.nesting and token.tag in _STYLES:
            emphasis.turn(token.tag, token.nesting)
        elif token.type == "link_open":
            yield _link(tokens, str(token.attrs["href"]), emphasis)
        elif token.type == "link_close":
            return
        elif token.type == "image":
            alternative = _words(_read(iter(token.children or ()), _Emphasis()))
            yield Run(alternative, Kind.LINK, emphasis.styles, str(token.attrs["src"]))
        elif token.type == "hardbreak":
            yield Run("", Kind.BREAK)
        elif token.type == "softbreak":
            yield Run(" ", styles=emphasis.styles)
        else:
            kind = Kind.CODE if token.type == "code_inline" else Kind.TEXT
            yield Run(_LINE_ENDS.sub(" ", token.content), kind, emphasis.styles)


def _link(tokens: Iterator["Token"], url: str, emphasis: _Emphasis) -> Run:
    """A label is plain on both platforms; emphasis that holds for the whole of it goes around the link."""
    inner = list(_read(tokens, emphasis))
    shown = [run.styles for run in inner if run.text.strip()] or [()]
    return Run(_words(inner), Kind.LINK, tuple(style for style in shown[0] if all(style in s for s in shown)), url)


def _words(runs: Iterable[Run]) -> str:
    return "".join(" " if run.kind is Kind.BREAK else run.text for run in runs).strip()


def _merged(runs: Iterable[Run]) -> Iterator[Run]:
    """Parsers hand words over in pieces; an address is found in them only when they are whole."""
    for (kind, styles), group in groupby(runs, key=lambda run: (run.kind, run.styles)):
        if kind is Kind.TEXT:
            yield Run("".join(run.text for run in group), kind, styles)
        else:
            yield from group


def _resolved(run: Run) -> Iterator[Run]:
    if run.kind is Kind.TEXT:
        for text, is_address in bare_addresses(run.text):
            yield replace(run, text=text, kind=Kind.ADDRESS, url=text) if is_address else replace(run, text=text)
    elif run.kind is not Kind.LINK:
        yield run
    elif not is_reachable(run.url):
        yield replace(run, text=run.text or run.url, kind=Kind.TEXT, url="")
    elif names_itself(run.text, run.url):
        yield replace(run, text=run.text or run.url, kind=Kind.ADDRESS)
    elif misleads(run.text, run.url):
        yield replace(run, text=f"{run.text} (", kind=Kind.TEXT, url="")
        yield replace(run, text=run.url, kind=Kind.ADDRESS)
        yield replace(run, text=")", kind=Kind.TEXT, url="")
    else:
        yield run
