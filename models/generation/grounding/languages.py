"""Tells the language that a text is written in, where that can be told."""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

FEWEST_WORDS = 6
"""In fewer words than these no answer is said to be in a wrong language."""

_SURE = 0.9
_SURE_OF_QUESTION = 0.8
_FEWEST_OF_QUESTION = 4
_LONGEST = 1_500
_WORD = re.compile(r"[^\W\d_]{2,}")
_CODE = re.compile(r"`[^`]*`|\$[^$]*\$|https?://\S+|\\[a-z]+")


def language_of(text: str, fewest_words: int = FEWEST_WORDS, sure: float = _SURE) -> str:
    """Give the ISO 639-1 code of a text's language; empty where it has too few words or it is not sure.

    Signs of Chinese and Japanese count as words of one sign each.
    """
    words = _WORD.findall(_CODE.sub(" ", text[:_LONGEST]))
    signs = sum(len(word) for word in words if word[0] > "\u2e7f")
    if len(words) + signs < fewest_words:
        return ""
    language, sureness = _identifier().classify(" ".join(words))
    return str(language) if sureness >= sure else ""


def is_foreign(answer: str, question: str, passages: Sequence[str]) -> bool:
    """Whether an answer is surely in another language than the question and the passages, and these are known."""
    written = language_of(answer)
    if not written:
        return False
    known = {language_of(question, _FEWEST_OF_QUESTION, _SURE_OF_QUESTION), language_of(" ".join(passages))} - {""}
    return bool(known) and written not in known


@cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
