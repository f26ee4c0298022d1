"""Where words of a question stand in a text: found as the index finds them, by their stems."""

import re
from collections.abc import Iterator

from knowledge.index.analysis import FUNCTION_TERMS, LONGEST_TERM, MARKS, UNSPACED, query_words, stems, terms

Span = tuple[int, int]
"""First character, and the one behind the last (code points)."""

_TOKEN = re.compile(rf"[{UNSPACED}\u3099\u309a]+|(?:[^\W_{UNSPACED}]|[{MARKS}\u0300-\u036f])+")
_UNSPACED_RUN = re.compile(rf"[{UNSPACED}]")
_POSSESSIVE = re.compile(r"(?<=\w)['’]s\b", re.IGNORECASE)


def matched(question: str, text: str) -> tuple[Span, ...]:
    """Return where words of `question` stand in `text`: in order, without overlaps. Never raises.

    A word counts in every form that has its stem ("bodies" for "body"); function words ("the", "what") only count
    where the question is made of nothing else. What the index takes for a misspelling is not looked for.
    """
    asked = {word.term for word in query_words(question)}
    wanted = frozenset(asked - FUNCTION_TERMS or asked)
    # A possessive is no part of its word; blanks in its stead keep all places as they are.
    bare = _POSSESSIVE.sub("  ", text)
    return tuple(_merged(_found(bare, wanted))) if wanted else ()


def _found(text: str, wanted: frozenset[str]) -> Iterator[Span]:
    tokens = list(_TOKEN.finditer(text))
    # All at once, which is right for most texts and takes a fraction of the time.
    stemmed = stems([token[0][:LONGEST_TERM].lower() for token in tokens])
    for token, term in zip(tokens, stemmed, strict=True):
        if _UNSPACED_RUN.match(token[0]):
            yield from _pairs(token[0], token.start(), wanted)
        elif term in wanted or not (token[0].isascii() or wanted.isdisjoint(terms(token[0]))):
            yield token.span()


def _pairs(run: str, start: int, wanted: frozenset[str]) -> Iterator[Span]:
    """Find the pairs of characters of which scripts without spaces are indexed."""
    for first in range(max(1, len(run) - 1)):
        pair = run[first : first + 2]
        if not wanted.isdisjoint(terms(pair)):
            yield start + first, start + first + len(pair)


def _merged(spans: Iterator[Span]) -> Iterator[Span]:
    """Join spans that overlap."""
    last: Span | None = None
    for start, end in spans:
        if last and start < last[1]:
            last = last[0], end
            continue
        if last:
            yield last
        last = start, end
    if last:
        yield last
