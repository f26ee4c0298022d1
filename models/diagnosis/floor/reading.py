"""Reads a text: its words, and which of them it denies ("no fever or chills")."""

import re
import unicodedata
from typing import NamedTuple

LONGEST_TEXT = 20_000
"""Characters of a text that are read."""

_SCOPE = 5
"""Words that a denial reaches, unless punctuation or a turn of the sentence ends it before."""

# A longer run of letters, as of a script without blanks, is several words.
_WORD_OR_STOP = re.compile(r"[^\W_]{1,40}(?:'[^\W_]{1,40})?|[.,;:!?()\n–—-]")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")
_DENIALS = frozenset(
    """
    no not without never nor neither none nothing nobody cannot hardly barely denies cant dont doesnt didnt isnt wasnt
    arent werent hasnt havent wont aint
    """.split()  # noqa: SIM905 - one line a word would bury the module
)
_TURNS = frozenset(("but", "though", "although", "except", "only", "just", "then", "instead", "however", "yet"))


class Reading(NamedTuple):
    """The words of a text in order, casefolded and without accents, and of each whether it is denied."""

    words: list[str]
    denied: list[bool]


def read(text: str) -> Reading:
    """Read a text, its first 20,000 characters at the most. Never raises."""
    words: list[str] = []
    denied: list[bool] = []
    reach = 0
    for token in _WORD_OR_STOP.findall(_folded(text[:LONGEST_TEXT])):
        if not token[0].isalnum():
            reach = 0
            continue
        if token in _TURNS:
            reach = 0
        words.append(token)
        denied.append(reach > 0)
        reach = _SCOPE if token in _DENIALS or token.endswith("n't") else reach - 1
    return Reading(words, denied)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))).casefold()
