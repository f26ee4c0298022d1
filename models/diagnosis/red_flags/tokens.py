"""Turns a description as people type it into plain words with the sentence and the clause that each stands in."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|[.!?\n…]+|[,;:()—–]|\s-+\s")
_APOSTROPHES = re.compile(r"(?<=\w)['’‘`´ʼ](?=\w)")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_COMBINING = re.compile(r"[\u0300-\u036f]")
_SENTENCE_END = frozenset(".!?\n…")

_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty
    """.split()  # noqa: SIM905
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100"}
_NEGATED = {"can": "cant", "do": "dont", "does": "doesnt", "did": "didnt", "is": "isnt", "will": "wont"} | {
    "has": "hasnt", "have": "havent", "was": "wasnt", "are": "arent", "could": "couldnt", "would": "wouldnt",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """A text as words, with the numbers, from 0, of the sentence and the clause that each stands in, and questions.

    Attributes:
        words: in lower case, without accents and apostrophes; common chat spellings are written out.
        sentences: one number a word.
        clauses: one number a word, which grows at commas, too.
        questions: the numbers of sentences that end with a question mark.
    """

    words: list[str]
    sentences: list[int]
    clauses: list[int]
    questions: frozenset[int]


def words_of(text: str) -> Words:
    """Take a text apart, in time linear in its length."""
    words: list[str] = []
    sentences: list[int] = []
    clauses: list[int] = []
    questions = set()
    sentence = clause = 0
    for token in _TOKEN.findall(_plain(text)):
        if token[0].isalnum():
            for word in _spellings().get(token, token).split():
                if word == "not" and words and words[-1] in _NEGATED and clauses[-1] == clause:
                    words[-1] = _NEGATED[words[-1]]
                    continue
                words.append(_NUMBERS.get(word, word.replace(",", ".")))
                sentences.append(sentence)
                clauses.append(clause)
            continue
        clause += 1
        if token[0] in _SENTENCE_END:
            if "?" in token:
                questions.add(sentence)
            sentence += 1
    return Words(words, sentences, clauses, frozenset(questions))


def spelt_out(word: str) -> str:
    """Give a word as `words_of` would; one that stands for several stays as it is."""
    if word.startswith("="):
        return word
    spelt = _spellings().get(word, word)
    return _NUMBERS.get(spelt, word if " " in spelt else spelt)


def _plain(text: str) -> str:
    """Without accents, apostrophes and drawn-out letters, in lower case."""
    if not text.isascii():
        text = _COMBINING.sub("", unicodedata.normalize("NFKD", _APOSTROPHES.sub("'", text)))
    return _DRAWN_OUT.sub(r"\1\1", _APOSTROPHES.sub("", text).casefold())


@cache
def _spellings() -> Mapping[str, str]:
    words = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    spellings: Mapping[str, str] = words["spellings"]
    return spellings
