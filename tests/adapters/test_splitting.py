"""Long answers are cut into parts that a platform takes, and whoever reads the parts has read the answer."""

import html
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from wcwidth import iter_graphemes

from adapters.splitting import split
from tests.adapters.markdown_documents import EMOJI, MENTIONS, documents, worst

SHARED = Path(__file__).parents[3] / "shared"
PARSER = MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"])


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def as_html(text: str) -> int:
    return len(html.escape(text))


counters: st.SearchStrategy[Callable[[str], int]] = st.sampled_from([len, utf16, as_html])
limits = st.one_of(st.integers(40, 4000), st.integers(40, 200))


def read(text: str) -> str:
    """Give what a reader reads, without white space: the oracle, by markdown-it and nothing of the splitter's."""
    return "".join("".join(words) for words in _blocks(PARSER.parse(text)))


def expected(text: str) -> str:
    """Give what the parts have to say; of lists and quotes deeper than a parser goes, their signs as well."""
    is_too_deep = any(token.level >= 99 for token in PARSER.parse(text))
    return _bare(text.replace("\0", "\ufffd")) if is_too_deep else read(text)


def read_parts(parts: Iterable[str]) -> str:
    """The same for parts, a table's header being read once."""
    seen: set[str] = set()
    words: list[str] = []
    for part in parts:
        for kind, text in _kinds(PARSER.parse(part)):
            if kind == "header" and text in seen:
                continue
            words.append(text)
            seen.update([text] if kind == "header" else [])
    return "".join(words)


def _blocks(tokens: list[Token]) -> Iterator[str]:
    return (text for _, text in _kinds(tokens))


def _kinds(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    cells: list[str] = []
    for position, token in enumerate(tokens):
        if token.type in ("th_open", "td_open"):
            cells.append(_bare(_inline(tokens[position + 1].children or [])))
        elif token.type == "inline" and tokens[position - 1].type not in ("th_open", "td_open"):
            yield "text", _bare(_inline(token.children or []))
        elif token.type in ("fence", "code_block", "html_block"):
            yield "text", _bare(token.content)
        elif token.type == "hr":
            yield "text", "―"
        elif token.type == "tr_close":
            yield "header" if tokens[position + 1].type == "thead_close" else "text", "|".join(cells)
            cells = []


def _inline(tokens: list[Token]) -> str:
    ends: list[str] = []
    words: list[str] = []
    for token in tokens:
        title = f'"{token.attrs["title"]}"' if "title" in token.attrs else ""
        if token.type == "link_open":
            ends.append("" if token.markup == "autolink" else f"]({token.attrs['href']}{title})")
            words.append("[" if ends[-1] else "")
        elif token.type == "link_close":
            words.append(ends.pop())
        elif token.type == "image":
            words.append(f"![{_inline(token.children or [])}]({token.attrs['src']}{title})")
        else:
            words.append(token.content)
    return "".join(words)


def _bare(text: str) -> str:
    return "".join(text.split())


def assert_is_whole(parts: list[str], text: str, limit: int, length: Callable[[str], int] = len) -> None:
    assert all(length(part) <= limit for part in parts)
    assert all(part.strip() for part in parts)
    assert read_parts(parts) == (read(text) if parts == [text] else expected(text))
    for part in parts if len(parts) > 1 else []:
        *_, last, _ = PARSER.parse(f"{part}\n\nThe end.")
        assert (last.type, last.content, last.level) == ("inline", "The end.", 1), "a part leaves something open"


@given(documents, limits, counters)
@settings(deadline=None)
def test_the_parts_of_any_document_hold_all_of_it_and_keep_the_limit(
    text: str, limit: int, length: Callable[[str], int]
) -> None:
    assert_is_whole(split(text, limit, length), text, limit, length)


@given(worst, limits, counters)
@settings(deadline=None)
def test_the_parts_of_whatever_is_sent_hold_all_of_it_and_keep_the_limit(
    text: str, limit: int, length: Callable[[str], int]
) -> None:
    assert_is_whole(split(text, limit, length), text, limit, length)
