"""When two passages say the same: exactly, or once case, spacing, punctuation and markup are put aside."""

import re
import unicodedata
from hashlib import blake2b

from knowledge.passages import Passage

# Signs that only dress a sentence. Those that change what is said (- + % # = < > / & @ …) are kept: "C#" is not
# "C++", and "-5 °C" is not "5 °C".
_DRESSING = re.compile(r"[\s.,;:!?…'\"’‘“”„«»()\[\]{}*_`~|–—]+")
_SHORT = 80


def normalised(text: str) -> str:
    """`text` in NFKC, casefolded, with every run of white space and dressing punctuation as one space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _DRESSING.sub(" ", folded).strip()


def likeness(passage: Passage) -> int:
    """64 bits that two passages share when one of them is superfluous.

    A ready answer counts with its question. A text of fewer than 80 characters ("Run `make`.") means what its
    title makes of it, so there the title counts too; of a longer text, titles may differ.
    """
    text = normalised(passage.text)
    title = normalised(passage.title) if len(text) < _SHORT else ""
    return _bits(text, normalised(passage.question), title)


def content_digest(passage: Passage) -> int:
    """64 bits of all that a reader sees of a passage, wherever it stands: tells what a reload added or removed."""
    return _bits(passage.text, passage.question, passage.title, passage.url, *passage.tags)


def question_digest(question: str) -> int:
    """64 bits that questions share which differ by case, spacing and punctuation alone."""
    return _bits(normalised(question))


def _bits(*parts: str) -> int:
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(joined, digest_size=8).digest(), "little")
