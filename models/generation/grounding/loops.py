"""Notices when a text goes round in circles, while it is being written."""

import re
from collections import Counter

_LONGEST_PERIOD = 12
# The same word so often in a row, a longer round so often one after the other: nobody writes so.
_WORDS_IN_A_ROW = 4
_ROUNDS = 3
_NUMBERS_IN_A_ROW = 8
_SENTENCES = 3
# Characters: a word so long is looked at for rounds inside it, every so often.
_LONG_WORD = 48
_MEANT = re.compile(r"[^\W_]")
_BARE = re.compile(r"\W+")


class LoopWatch:
    """Watches one text. Holds a few words of it, and takes linear time."""

    def __init__(self) -> None:
        self._word = ""
        self._last: list[str] = []
        self._runs = [0] * (_LONGEST_PERIOD + 1)
        self._sentences: Counter[int] = Counter()
        self.found = False

    def read(self, piece: str) -> bool:
        """Take in what was written next, and say whether the text goes round in circles by now."""
        first, *others = re.split(r"\s+", piece) if not piece.isalnum() else [piece]
        self._word += first
        for word in others:
            self._end_word()
            self._word = word
        if len(self._word) >= _LONG_WORD and _is_round(self._word):
            self.found = True
        return self.found

    def repeats(self, sentence: str) -> int:
        """Count a sentence, and say how often it was there before; the second time round the text is stuck."""
        bare = _BARE.sub(" ", sentence.casefold()).strip()
        if " " not in bare:
            return 0
        key = hash(bare)
        self._sentences[key] += 1
        self.found = self.found or self._sentences[key] >= _SENTENCES
        return self._sentences[key] - 1

    def _end_word(self) -> None:
        word = self._word.casefold().strip(".,;:!?")
        if not _MEANT.search(word):
            return
        for period in range(1, min(_LONGEST_PERIOD, len(self._last)) + 1):
            self._runs[period] = self._runs[period] + 1 if self._last[-period] == word else 0
            if self._runs[period] >= _run_needed(period, word):
                self.found = True
        self._last = [*self._last[1 - _LONGEST_PERIOD :], word]


def _run_needed(period: int, word: str) -> int:
    if period > 1:
        return period * (_ROUNDS - 1) if not word.isdigit() else period * _NUMBERS_IN_A_ROW
    return (_WORDS_IN_A_ROW if not word.isdigit() else _NUMBERS_IN_A_ROW) - 1


def _is_round(word: str) -> bool:
    """Whether the end of a word consists of rounds; rules and rows of dots don't count."""
    end = word[-_LONG_WORD:]
    if not _MEANT.search(end):
        return False
    return any(end[period:] == end[:-period] for period in range(1, _LONGEST_PERIOD + 1))
