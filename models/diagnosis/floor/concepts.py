"""Knows what people mean by their words: "pee", "wee" and "waterworks" are one concept, "short of breath" another."""

from functools import cache
from pathlib import Path

import Stemmer

CONCEPTS = Path(__file__).with_name("concepts.txt")
"""Lines ``concept: word, phrase, …``, indented where one goes on; a word may stand for several concepts."""


def concepts_in(stems: tuple[str, ...], denied: list[bool]) -> list[str]:
    """Give the concepts in the order of their words, each as often as it occurs; denied ones begin with ``not``.

    Args:
        stems: of the words of a text, in order.
        denied: of each whether the text denies it; of a phrase, its first word tells.
    """
    phrases = _phrases()
    return [
        f"not {concept}" if no else concept
        for place, (stem, no) in enumerate(zip(stems, denied, strict=True))
        for phrase, concept in phrases.get(stem, ())
        if stems[place : place + len(phrase)] == phrase
    ]


@cache
def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Give the stemmed phrases of all concepts by their first word."""
    stem = Stemmer.Stemmer("english").stemWords
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for line in CONCEPTS.read_text(encoding="utf-8").replace("\n    ", " ").splitlines():
        concept, _, written = line.partition(": ")
        for phrase in sorted({tuple(stem(words.split())) for words in written.split(", ")}):
            phrases.setdefault(phrase[0], []).append((phrase, concept))
    return phrases
