"""How a text becomes index terms: normalised, cut into words, stemmed."""

import re
import threading
import unicodedata
from typing import NamedTuple

import Stemmer

LONGEST_TERM = 64
"""Characters of a word that count; what is longer is a number, a key or noise, and is cut."""

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Characters of scripts without spaces (Chinese, Japanese), for a class of a regular expression."""

MARKS = "\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u109f"
"""Characters that belong to the word they stand in (Hebrew, Arabic, the scripts of India and Burma), the same way."""

_WORD = re.compile(rf"[{UNSPACED}]+|(?:[^\W_{UNSPACED}]|[{MARKS}])+")
_UNSPACED_RUN = re.compile(rf"[{UNSPACED}]+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_POSSESSIVE = re.compile(r"(?<=\w)['’]s\b", re.IGNORECASE)

FUNCTION_WORDS = frozenset(
    """
    a about an and are as at be been being by can could define describe did do does explain for from had has have
    hello hi how i if in into is it its me my of on one ones or please should so such than thank thanks that the
    their them then there these they this those to was we were what when where which who whom whose why will with
    would you your
    """.split()  # noqa: SIM905 (one line a word would bury the module)
)
"""English words that ask or join but name nothing; no ordinal, number or negation is among them."""


class QueryWord(NamedTuple):
    """A word of a question.

    Attributes:
        written: the word as the asker wrote it.
        normal: the same, normalised.
        term: its index term.
    """

    written: str
    normal: str
    term: str


class _Local(threading.local):
    """PyStemmer's objects must not be shared between threads, so that each has its own."""

    def __init__(self) -> None:
        self.stem = Stemmer.Stemmer("english").stemWords


_local = _Local()


def normalise(text: str) -> str:
    """Return `text` in Unicode form NFKC, casefolded, without accents: ``Schrödinger`` gives ``schrodinger``."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", folded))


def words(text: str) -> list[str]:
    """Return the normalised words of `text`, in order.

    A word is a run of letters and digits, cut to `LONGEST_TERM` characters; a possessive ’s is dropped. Scripts
    without spaces (Chinese, Japanese) give overlapping pairs of characters. Never raises.
    """
    return _split(normalise(text))


def terms(text: str) -> list[str]:
    """Return the index terms of `text`, in order: its words, stemmed (Snowball's English). Never raises."""
    return stems(words(text))


def stems(normal_words: list[str]) -> list[str]:
    """Return the index term of each normalised word."""
    stemmed: list[str] = _local.stem(normal_words)
    return stemmed


FUNCTION_TERMS = frozenset(stems(sorted(FUNCTION_WORDS)))
"""The index terms of the function words."""


class TermMemo(dict[str, str]):
    """Index terms by normalised word, for many texts: each distinct word is stemmed once and remembered."""

    def __init__(self) -> None:
        super().__init__()
        self._stem = Stemmer.Stemmer("english", 0).stemWord

    def __missing__(self, word: str) -> str:
        term: str = self._stem(word)
        self[word] = term
        return term


def query_words(text: str) -> list[QueryWord]:
    """Return the words of a question, each with its term and as it was written; the terms are ``terms(text)``."""
    written, normal = _ascii_query(text) if text.isascii() else _any_query(text)
    return list(map(QueryWord, written, normal, stems(normal)))


def _ascii_query(text: str) -> tuple[list[str], list[str]]:
    written = _ASCII_WORD.findall(_POSSESSIVE.sub("", text))
    return written, [word[:LONGEST_TERM].lower() for word in written]


def _any_query(text: str) -> tuple[list[str], list[str]]:
    """Normalising may change a text's length, so that words are told apart chunk by chunk."""
    written: list[str] = []
    normal: list[str] = []
    for chunk in text.split():
        found = words(chunk)
        written.extend([_bare(chunk)] if len(found) == 1 else found)
        normal.extend(found)
    return written, normal


def _bare(chunk: str) -> str:
    """Strip the punctuation around the only word of `chunk`."""
    first = next((i for i, sign in enumerate(chunk) if sign.isalnum()), 0)
    last = next((i for i, sign in enumerate(reversed(chunk)) if sign.isalnum()), 0)
    return _POSSESSIVE.sub("", chunk[first : len(chunk) - last])


def _split(normal: str) -> list[str]:
    normal = _POSSESSIVE.sub("", normal)
    if normal.isascii():
        return [word[:LONGEST_TERM] for word in _ASCII_WORD.findall(normal)]
    found: list[str] = []
    for word in _WORD.findall(normal):
        if _UNSPACED_RUN.match(word):
            found.extend(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        else:
            found.append(word[:LONGEST_TERM])
    return found
