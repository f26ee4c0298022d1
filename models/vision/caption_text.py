"""Makes a sentence of what a captioner wrote, or nothing where it only stammered."""

import re
import unicodedata

LONGEST = 300
"""Characters of a caption at the most."""

_WORD = re.compile(r"\w[\w'’-]*")
# How decoders of BERT's kind leave what they took apart: "a man ' s hat", "black - and - white .".
_SPACE_BEFORE = re.compile(r" (?=[.,;:!?%)\]]|n't\b)| ?' ?(?=(?:s|re|ve|ll|d|m|t)\b)")
_TORN = re.compile(r"(?<=\w) - (?=\w)")
_STAMMER = 3
"""As often in a row a captioner must say the same for it to count as stammering."""
_LONGEST_STAMMER = 5
"""Words of what is said over and over, at the most."""
_MOST_OFTEN = 4
"""Said so often over a whole caption on average, its words say nothing."""


def sentence(written: str) -> str:
    """Give what was written as one clean sentence; empty where it has no words, or says the same over and over."""
    signs = unicodedata.normalize("NFC", written)
    plain = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in signs)
    line = _joined(" ".join(plain.split())).strip(" ,;:-–—")
    words = [word.lower() for word in _WORD.findall(line)]
    if not words or _stammers(words):
        return ""
    line = _shortened(line)
    return line[0].upper() + line[1:] + ("" if line.endswith((".", "!", "?", "…")) else ".")


def _joined(line: str) -> str:
    joined = _SPACE_BEFORE.sub(lambda found: "'" if "'" in found[0] else "", line)
    return _TORN.sub("-", joined) if joined == joined.lower() else joined


def _shortened(line: str) -> str:
    """Cut what is too long behind a word."""
    if len(line) < LONGEST:
        return line
    return line[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(" ,;:-–—.") + "…"


def _stammers(words: list[str]) -> bool:
    if len(words) >= _MOST_OFTEN * 2 and len(words) >= _MOST_OFTEN * len(set(words)):
        return True
    return any(_repeats(words, length) for length in range(1, _LONGEST_STAMMER + 1))


def _repeats(words: list[str], length: int) -> bool:
    """Whether so many words follow themselves again and again."""
    run = 0
    for word, earlier in zip(words[length:], words, strict=False):
        run = run + 1 if word == earlier else 0
        if run >= length * (_STAMMER - 1):
            return True
    return False
