"""Takes a text apart into what the floor counts: stems and pairs of them, pieces of words, and concepts."""

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, combinations

import Stemmer

from models.diagnosis.floor.concepts import concepts_in
from models.diagnosis.floor.reading import Reading, read

_REACH = 2
_SHORTEST_PIECE, _LONGEST_PIECE = 3, 5
_LETTERS_A_LENGTH, _LONGEST_LENGTH = 40, 5


class _Local(threading.local):
    """PyStemmer's objects must not be shared between threads, so that each has its own."""

    def __init__(self) -> None:
        self.stem = Stemmer.Stemmer("english").stemWords


_local = _Local()


def terms_of(text: str) -> tuple[Sequence[str], Iterable[str], Sequence[str]]:
    """Give the terms of a text: stems and pairs of them; pieces of words; concepts and pairs of them.

    What a text denies counts as a stem and a concept of its own, and not at all among the pieces.
    """
    reading = read(text)
    stems: list[str] = _local.stem(reading.words)
    return _stem_terms(stems, reading.denied), _pieces_in(reading), _concept_terms(text, stems, reading.denied)


def _stem_terms(stems: list[str], denied: list[bool]) -> list[str]:
    """Give each stem, and every two that stand at most 2 apart, whichever comes first."""
    told = [f"not {stem}" if no else stem for stem, no in zip(stems, denied, strict=True)]
    pairs = (
        f"{one}|{other}" if one < other else f"{other}|{one}"
        for distance in range(1, _REACH + 1)
        for one, other in zip(told, told[distance:], strict=False)
    )
    return [*told, *pairs]


def _pieces_in(reading: Reading) -> Iterable[str]:
    said = (word for word, no in zip(reading.words, reading.denied, strict=True) if not no)
    return chain.from_iterable(map(_pieces, said))


@lru_cache(maxsize=20_000)
def _pieces(word: str) -> tuple[str, ...]:
    """Give the runs of 3 to 5 characters of a word with a space at either end; they stand up to slips of the pen."""
    padded = f" {word} "
    return tuple(
        padded[start : start + length]
        for length in range(_SHORTEST_PIECE, _LONGEST_PIECE + 1)
        for start in range(len(padded) - length + 1)
    )


def _concept_terms(text: str, stems: list[str], denied: list[bool]) -> list[str]:
    """Give each concept, every two anywhere in the text, and what tells small talk: a question mark, a length."""
    found = concepts_in(tuple(stems), denied)
    pairs = [f"{one}&{other}" for one, other in combinations(sorted(set(found)), 2)]
    length = f"length {min(_LONGEST_LENGTH, len(text) // _LETTERS_A_LENGTH)}"
    return [*found, *pairs, length, *(["?"] if "?" in text else [])]
