"""Where a text may be cut, and how well: after a sentence, after a word, between characters, or hardly ever."""

import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from itertools import accumulate

import sentencex
from wcwidth import iter_graphemes


class Gap(IntEnum):
    """How good a place is for a cut, from the worst."""

    CODE_POINT = 0
    """Inside a grapheme."""
    PROTECTED = 1
    """Inside an address, a mention or an emoji's name."""
    GRAPHEME = 2
    WORD = 3
    SENTENCE = 4


# Addresses, and what Discord and Slack write for mentions, emoji, dates and commands.
_PROTECTED = re.compile(
    r"<(?:[@#!/:][^<>\s|]+|(?:a|t|id|https?|mailto):[^<>\s|]+)(?:\|[^<>\n]{0,300})?>"
    r"|<!date\^[^<>\n]{1,300}>"
    r"|\b[a-zA-Z][a-zA-Z0-9+.-]{1,30}://\S+"
    r"|\bwww\.\S+"
    r"|:[\w+'-]{1,64}:"
)
# Where no blank follows, only these end a sentence.
_FULL_STOPS = "。！？｡"
# sentencex takes quadratic time where quotation marks stand thick, so it is given so much at a time.
_STRETCH = re.compile(r".{1,8000}(?:\s|$)|.{1,8000}", re.DOTALL)


def gaps_in(text: str, is_code: bool, fits: Callable[[str], bool]) -> bytes:
    """Tell for each place of a text, from 0 to its length, which `Gap` a cut before it is.

    Args:
        text: running text as it is read, or code, whose lines stand for sentences.
        is_code: which of both.
        fits: whether an address (or the like) goes into one part; one that doesn't is not kept whole.
    """
    gaps = bytearray(len(text) + 1)
    for end in accumulate(map(len, iter_graphemes(text))):
        gaps[end] = Gap.WORD if text[end - 1].isspace() else Gap.GRAPHEME
    for end in _line_ends(text) if is_code else _sentence_ends(text):
        if (gaps[end] == Gap.WORD and not text[end : end + 1].islower()) or text[end - 1] in _FULL_STOPS or is_code:
            gaps[end] = max(gaps[end], Gap.SENTENCE)
    for match in _PROTECTED.finditer(text):
        if fits(match[0]):
            start, end = match.start() + 1, match.end()
            gaps[start:end] = bytes(min(gap, Gap.PROTECTED) for gap in gaps[start:end])
    gaps[-1] = Gap.SENTENCE
    return bytes(gaps)


def _line_ends(text: str) -> Iterator[int]:
    return (match.end() for match in re.finditer(r"\n", text))


def _sentence_ends(text: str) -> Iterator[int]:
    # A lone surrogate, which JSON can hold, is not for sentencex; a question mark is as long.
    valid = text.encode("utf-8", "replace").decode()
    for stretch in _STRETCH.finditer(valid):
        lengths = map(len, sentencex.segment("en", stretch[0]))
        yield from (stretch.start() + end for end in accumulate(lengths))
