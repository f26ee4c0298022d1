"""A long text as units that are not to be torn: sentences, headings, code and tables."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from knowledge.cutting.markdown_blocks import Block, blocks
from knowledge.cutting.sentences import sentences

# The Markdown parser reads a few MB a second at best: what is longer is taken for prose throughout.
_LONGEST_MARKDOWN = 2_000_000
# Parsing is spared for a text that has no line that could be a heading, a fence or a table.
_MARKUP = re.compile(
    r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(?:#{1,6}(?:\s|$)|```|~~~|=+[ \t]*$|-+[ \t]*$)|\|", re.MULTILINE
)
_LINE_END = re.compile(r"\r\n?|\n")
_BLANK_LINES = re.compile(r"(?:[ \t]*(?:\r\n?|\n))*")
_JOINER = "\N{ZERO WIDTH JOINER}"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_LONGEST_CLUSTER = 30


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of a text.

    Attributes:
        start: the offset of its first character.
        stop: the offset after its last character that is not white space.
        kind: ``sentence``; ``fragment`` for a part of a sentence that was too long; ``heading``;
            ``block`` for code and tables, however long.
        block: what the block is, for that kind.
    """

    start: int
    stop: int
    kind: Literal["sentence", "fragment", "heading", "block"]
    block: Block | None = None

    def __len__(self) -> int:
        return self.stop - self.start


def units(text: str, longest: int) -> Iterator[Unit]:
    """Yield the units of a text in order; between them is nothing but white space.

    Args:
        text: CommonMark or plain text.
        longest: no unit but a block is longer; at least 1.
    """
    done = 0
    for block, start, stop in _located_blocks(text):
        yield from _prose(text, done, start, longest)
        yield from _block_units(text, block, start, stop, longest)
        done = stop
    yield from _prose(text, done, len(text), longest)


def _located_blocks(text: str) -> Iterator[tuple[Block, int, int]]:
    if len(text) > _LONGEST_MARKDOWN or not _MARKUP.search(text):
        return
    ends = [match.end() for match in _LINE_END.finditer(text)]
    starts = [0, *ends, len(text)]
    for block in blocks(text):
        yield block, starts[block.first], starts[min(block.end, len(starts) - 1)]


def _block_units(text: str, block: Block, start: int, stop: int, longest: int) -> Iterator[Unit]:
    visible = len(text[start:stop].rstrip())
    if block.kind != "heading":
        yield Unit(start, start + visible, "block", block)
    elif visible <= longest:
        yield Unit(start, start + visible, "heading")
    else:
        yield from fragments(text, start, start + visible, longest)


def _prose(text: str, start: int, stop: int, longest: int) -> Iterator[Unit]:
    for sentence in sentences(text[start:stop]):
        blank = _BLANK_LINES.match(sentence)
        first = start + (blank.end() if blank else 0)
        last = start + len(sentence.rstrip())
        if last - first > longest:
            yield from fragments(text, first, last, longest)
        elif last > first:
            yield Unit(first, last, "sentence")
        start += len(sentence)


def fragments(text: str, start: int, stop: int, longest: int) -> Iterator[Unit]:
    """Cut ``text[start:stop]`` between words, or where one word is too long between characters.

    Args:
        text: the whole text.
        start: where the stretch begins.
        stop: where it ends.
        longest: the most characters of a fragment, at least 1.
    """
    while stop - start > longest:
        end = _bound(text, start, start + longest)
        visible = len(text[start:end].rstrip())
        if visible:
            yield Unit(start, start + visible, "fragment")
        start = end
    if text[start:stop].strip():
        yield Unit(start, stop, "fragment")


def _bound(text: str, start: int, latest: int) -> int:
    """Return the best place to cut up to `latest`: after white space, else between whole characters."""
    half = start + (latest - start) // 2
    if text[latest].isspace():
        return latest
    for place in range(latest, half, -1):
        if text[place - 1].isspace():
            return place
    for place in range(latest, max(half, latest - _LONGEST_CLUSTER), -1):
        if not _joins(text, place):
            return place
    return latest


def _joins(text: str, place: int) -> bool:
    """Tell whether the characters on both sides of `place` make one sign for a reader."""
    following = text[place]
    return (
        unicodedata.category(following).startswith("M")
        or following == _JOINER
        or text[place - 1] == _JOINER
        or ord(following) in _SKIN_TONES
    )
