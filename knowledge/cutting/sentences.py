"""Where sentences end: sentencex's rules, mended where texts of physics and technology show a need."""

import re
from collections.abc import Iterator
from itertools import pairwise

# sentencex is quadratic in the quotation marks of what it is given: windows keep its time linear.
_WINDOW = 5_000
# No sentence is mended to more than this, lest a text made of abbreviations become one.
_LONGEST_GLUED = 1_000
_SURROGATES = re.compile(r"[\ud800-\udfff]")

# sentencex splits after these although a number or a word in lower case shows that the sentence goes on.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:approx|avg|ca|cf|ch|chap|const|def|eqn?s?|equiv|est|excl|figs?|incl|max|min|nos?|pp?|pt|"
    r"refs?|resp|secs?|sect|temp|vols?|vs|tabs?)\.\s*$",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"[\d(=≈~<>±a-zα-ω]")

# sentencex takes a short word before a full stop for an initial or an abbreviation. It is none where it is a unit
# (3 m/s, 50 min), a power of ten, the end of a formula (E = h f), or a quantity's letter (“at the speed of c”).
_UNITS = "[kMGTmnpµμ]?(?:[A-Za-zΩ]|Pa|Hz|eV|Wb|mol|bar|cal)|min|cd|lm|lx|sr|rad|dB|cm|dm|ha"
_STOP_INSIDE = re.compile(r"\.\s+(?=[A-ZÀ-ÖØ-Þ])")
_SYMBOL = re.compile(
    rf"(?:[\d⁰¹²³⁴-⁹]\s(?:{_UNITS})|[⁰¹²³⁴-⁹]|/[A-Za-z]|=[^.=]{{0,40}}[\s·×/+−][A-Za-zΩ]|\b[a-z]{{2,}}\s[a-zα-ω])$"
)
_LONGEST_SYMBOL = 50

# sentencex takes a letter in brackets for the mark of a list: not so within a sentence (mega (M), giga (G)).
_LETTER_IN_BRACKETS = re.compile(r"\(\w\)")


def sentences(text: str) -> list[str]:
    """Split a text into sentences that, joined, are the text again.

    White space after a sentence belongs to it. Lines of a list and paragraphs end a sentence; other line
    breaks do not. Never raises, whatever the text.

    Args:
        text: English text; other languages are split at the signs that end their sentences.

    Returns:
        The sentences, none blank unless the whole text is; an empty list for an empty text.
    """
    starts: list[int] = []
    blank_so_far = True
    for start, end in _spans(text):
        blank = text[start:end].isspace()
        if not starts or not (blank or blank_so_far or _continues(text, starts[-1], start, end)):
            starts.append(start)
        blank_so_far = blank_so_far and blank
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of what sentencex, mended, makes of the text; no span is empty."""
    start = 0
    for piece in _pieces(text):
        stop = start + len(piece)
        for stop_inside in _STOP_INSIDE.finditer(piece):
            before = stop_inside.start()
            if _SYMBOL.search(piece, max(0, before - _LONGEST_SYMBOL), before):
                end = stop - len(piece) + stop_inside.end()
                yield start, end
                start = end
        yield start, stop
        start = stop


def _pieces(text: str) -> Iterator[str]:
    """Yield sentencex's sentences, window by window; each window begins where a sentence does."""
    from sentencex import segment

    # Rust strings hold no lone surrogates; a sign of the same length stands in, so that the spans stay true.
    safe = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
    start = 0
    while start < len(safe):
        pieces: list[str] = segment("en", safe[start : start + _WINDOW])
        # What the window's end has cut is looked at again, unless that would mean to get nowhere.
        if start + _WINDOW < len(safe) and len(pieces[-1]) <= _WINDOW // 2:
            pieces.pop()
        yield from pieces
        start += sum(map(len, pieces))


def _continues(text: str, sentence: int, start: int, end: int) -> bool:
    """Tell whether the piece from `start` to `end` belongs to the sentence before it."""
    if start - sentence > _LONGEST_GLUED:
        return False
    if _ABBREVIATION.search(text, max(sentence, start - 20), start) and _GOES_ON.match(text, start):
        return True
    if _LETTER_IN_BRACKETS.match(text, start) and text[start - 1] == " " and text[start - 2].isalnum():
        return True
    # An odd number of backticks on both sides of the bound means that it lies within a code span.
    ticks, ticks_after = text.count("`", sentence, start), text.count("`", start, end)
    return ticks % 2 == 1 and ticks_after % 2 == 1 and "\n\n" not in text[sentence:start]
