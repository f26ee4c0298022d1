"""The terms of an index on disk: found by hash, without being read into memory."""

from bisect import bisect_left
from collections.abc import Sequence
from math import isqrt
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


def hash_order(words: Sequence[str]) -> NDArray[np.int64]:
    """Return the order in which a `Vocabulary` holds `words`: by the CRC-32 of their UTF-8 bytes."""
    return np.argsort(_hashes(words), kind="stable")


def packed(words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return where each word starts, and at last the end, and the words' UTF-8 bytes one after another."""
    encoded = [word.encode() for word in words]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(word) for word in encoded], out=offsets[1:])
    return offsets, np.frombuffer(b"".join(encoded), np.uint8)


def _hashes(words: Sequence[str]) -> NDArray[np.uint32]:
    return np.fromiter((crc32(word.encode()) for word in words), np.uint32, len(words))


class Vocabulary:
    """Distinct words numbered from 0, ordered by hash.

    Attributes:
        hashes: CRC-32 of each word's UTF-8 bytes, ascending, shape (words,), uint32.
        offsets: where each word starts in `blob`, and at last its end, shape (words + 1,), int64.
        blob: the words' UTF-8 bytes, shape (bytes,), uint8.
    """

    ARRAYS = ("hashes", "offsets", "blob")

    def __init__(self, hashes: NDArray[np.uint32], offsets: NDArray[np.int64], blob: NDArray[np.uint8]) -> None:
        self.hashes = hashes
        self.offsets = offsets
        self.blob = blob
        # Python's own numbers and bytes out of these arrays, one at a time, come faster through memory views.
        self._hashes, self._offsets, self._text = hashes.data, offsets.data, blob.data
        # Hashes are evenly spread, so that a word is seldom further than this from where its hash would put it.
        self._spread = 4 * isqrt(len(hashes)) + 1

    @classmethod
    def of(cls, words: Sequence[str]) -> "Vocabulary":
        """Return a vocabulary of `words`, which must be distinct and in `hash_order`."""
        return cls(_hashes(words), *packed(words))

    def __len__(self) -> int:
        return len(self._hashes)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays it consists of, by name."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def word(self, number: int) -> str:
        """Return the word of that number."""
        return self._bytes(number).decode(errors="replace")

    def find(self, word: str) -> int:
        """Return the number of `word`, -1 if it is not here."""
        encoded = word.encode()
        hashed = crc32(encoded)
        number = self._first(hashed)
        while number < len(self._hashes) and self._hashes[number] == hashed:
            if self._bytes(number) == encoded:
                return number
            number += 1
        return -1

    def _first(self, hashed: int) -> int:
        """Return where the first hash stands that is not below `hashed`."""
        hashes = self._hashes
        guess = hashed * len(hashes) >> 32
        low, high = max(guess - self._spread, 0), min(guess + self._spread, len(hashes))
        if (low == 0 or hashes[low - 1] < hashed) and (high == len(hashes) or hashes[high] >= hashed):
            return bisect_left(hashes, hashed, low, high)
        return bisect_left(hashes, hashed)

    def _bytes(self, number: int) -> bytes:
        return bytes(self._text[self._offsets[number] : self._offsets[number + 1]])
