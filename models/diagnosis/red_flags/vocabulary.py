"""Finds the words of rules in people's words, whatever their ending and with a letter wrong."""

from collections.abc import Collection, Iterator
from functools import cache, lru_cache

import Stemmer

_SHORTEST_WITH_TYPO = 6
_SHORTEST_WITH_SWAP = 4


EXACT = "="
"""Stands before a word of a rule that counts in this very form alone."""


class Vocabulary:
    """The words of all rules, by their stems (Porter's second English stemmer, from Snowball).

    A word that is none of them may be one with a typo: two neighbouring letters swapped in a word of four letters or
    more, or one letter missing, added or wrong in one of six or more. The first letter is always right, and a word in
    `real_words` is never a typo. Words that begin with ``=`` are found in this very form alone, and given with it.
    """

    def __init__(self, words: Collection[str], real_words: Collection[str]) -> None:
        self._exact = {word[1:] for word in words if word.startswith(EXACT)}
        words = [word for word in words if not word.startswith(EXACT)]
        self._stems = {stem(word) for word in words}
        self._real = {stem(word) for word in real_words}
        self._near: dict[str, list[tuple[str, str]]] = {}
        for word in sorted(words):
            for key in _keys(word):
                self._near.setdefault(key, []).append((word, stem(word)))
        self.stems_of = lru_cache(maxsize=20_000)(self._stems_of)

    def _stems_of(self, word: str) -> tuple[str, ...]:
        found = self._inflected(word)
        written = word if word in self._exact else f"{word}g"
        return (*found, EXACT + written) if written in self._exact else found

    def _inflected(self, word: str) -> tuple[str, ...]:
        plain = stem(word)
        if plain in self._stems:
            return (plain,)
        if plain in self._real or len(word) < _SHORTEST_WITH_SWAP or not word.isalpha():
            return ()
        for variant in _variants(word):
            if stem(variant) in self._stems:
                return (stem(variant),)
        return tuple(
            dict.fromkeys(
                found for key in _keys(word) for near, found in self._near.get(key, ()) if _is_typo(word, near)
            )
        )


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Give a word's stem."""
    return str(_stemmer().stemWord(word))


def _variants(word: str) -> Iterator[str]:
    """Yield ways of writing that no typo is: "bleedin", "soo"."""
    if word.endswith("in"):
        yield word + "g"
    for place in range(1, len(word)):
        if word[place] == word[place - 1]:
            yield word[:place] + word[place + 1 :]


def _keys(word: str) -> set[str]:
    """Give the word and each of its forms with a letter less: two words that share one are near each other."""
    if len(word) < _SHORTEST_WITH_SWAP:
        return set()
    return {word} | {word[:place] + word[place + 1 :] for place in range(1, len(word))}


def _is_typo(word: str, meant: str) -> bool:
    if word[0] != meant[0] or min(len(word), len(meant)) < _SHORTEST_WITH_SWAP:
        return False
    start = next((place for place, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), None)
    if start is None:
        return max(len(word), len(meant)) >= _SHORTEST_WITH_TYPO
    if len(word) == len(meant):
        swapped = meant[start + 1 : start + 2] + meant[start] + meant[start + 2 :]
        if word[start:] == swapped:
            return True
        return len(meant) >= _SHORTEST_WITH_TYPO and word[start + 1 :] == meant[start + 1 :]
    if max(len(word), len(meant)) < _SHORTEST_WITH_TYPO + 1:
        return False
    longer, shorter = (word, meant) if len(word) > len(meant) else (meant, word)
    return longer[start + 1 :] == shorter[start:]


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english", 0)
