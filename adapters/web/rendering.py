"""Makes what people, documents and models wrote safe to show: CommonMark as harmless HTML, and text for labels.

Nothing of theirs reaches the page but through here. HTML of their own is shown as text, an image as a link to it, and
a link leads to the web or to a mail program alone.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

LABEL_LENGTH = 160
"""Characters of a text that a label shows."""

_SCHEMES = frozenset({"http", "https", "mailto"})
_LEVELS_BELOW = 1
"""How much deeper headings of an answer stand: the page's own title is the first."""

_HIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F)), " ")
_HIDDEN |= dict.fromkeys((*range(0x2066, 0x206A), 0xFEFF), " ") | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
"""Controls of terminals, what turns the direction of writing for all that follows, and halves of characters."""

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_WORD_JOINER = "\u2060"


def prose(text: str) -> str:
    """Give CommonMark as HTML for `st.html`, in one element; empty text gives an empty element."""
    reader = _reader()
    tokens = reader.parse(harmless(text), {})
    return f'<div class="prose">{reader.renderer.render(list(_tamed(tokens)), reader.options, {})}</div>'


def marked(text: str, spans: Iterable[Sequence[int]] = ()) -> str:
    """Give plain text as HTML for `st.html`, in one element, with its matched words marked.

    Args:
        text: taken as it stands, line breaks included.
        spans: first character of each match and the one behind its last; those outside the text are cut.
    """
    parts, end = [], 0
    for first, last in sorted((max(0, first), min(len(text), last)) for first, last in spans):
        if last <= max(first, end):
            continue
        first = max(first, end)
        parts += [escaped(text[end:first]), f"<mark>{escaped(text[first:last])}</mark>"]
        end = last
    return f'<div class="passage">{"".join((*parts, escaped(text[end:])))}</div>'


def escaped(text: str) -> str:
    """Give plain text as it may stand within HTML, in an attribute, too."""
    return html.escape(harmless(text))


def plain(text: str, limit: int = LABEL_LENGTH) -> str:
    """Give plain text for what reads Markdown though it should not: labels, titles, captions, notices.

    Args:
        text: its blanks and line breaks become single blanks.
        limit: how many characters of it are shown.
    """
    line = " ".join(harmless(text).split())
    line = line if len(line) <= limit else f"{line[:limit].rstrip()}…"
    # Shortcodes of emojis and icons (":smile:") are looked for after escapes are gone; a joiner keeps them apart.
    return _PUNCTUATION.sub(r"\\\1", line).replace("\\:", f"\\:{_WORD_JOINER}")


def link(address: str, words: str) -> str:
    """Give a link as HTML; only its words where the address is none that may be followed."""
    if not _is_followed(address):
        return escaped(words)
    return f'<a href="{escaped(address)}" target="_blank" rel="noopener noreferrer">{escaped(words)}</a>'


def harmless(text: str) -> str:
    """Replace control characters, and what would turn the direction of writing."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_HIDDEN)


class _Reader(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - named by markdown-it
        return _is_followed(url)


@cache
def _reader() -> MarkdownIt:
    return _Reader("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _is_followed(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme.lower() in _SCHEMES and bool(parts.netloc or parts.scheme.lower() == "mailto")


def _tamed(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + _LEVELS_BELOW)}"
        elif token.type in ("fence", "code_block"):
            # A block scrolls sideways, with the keyboard, too. Its language is a word of whoever wrote the text, and
            # would become the name of a class.
            token.type, token.info, token.attrs = "code_block", "", {"tabindex": "0"}
        elif token.type == "table_open":
            token.attrs = {"tabindex": "0"}
        elif token.type in ("th_open", "td_open"):
            token.attrs = {}
        if token.children is not None:
            token.children = list(_tamed_inline(token.children))
        yield token


def _tamed_inline(tokens: Iterable[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "link_open":
            token.attrs = _link_attributes(str(token.attrs.get("href", "")))
        if token.type == "image":
            yield from _as_link(token, is_within_link=depth > 0)
        else:
            yield token


def _as_link(image: Token, *, is_within_link: bool) -> Iterator[Token]:
    address = str(image.attrs.get("src", ""))
    words = Token("text", "", 0, content=image.content or address)
    if is_within_link or not _is_followed(address):
        yield words
        return
    yield Token("link_open", "a", 1, attrs=_link_attributes(address))
    yield words
    yield Token("link_close", "a", -1)


def _link_attributes(address: str) -> dict[str, str | int | float]:
    return {"href": address, "target": "_blank", "rel": "noopener noreferrer"}
