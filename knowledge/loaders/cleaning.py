"""Text, titles, links and tags as they are kept: without control characters, broken signs or unsafe links."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Vertical tab and form feed mark pages, not lines: a space keeps the words apart and the line numbers true.
_PAGE_MARKS = str.maketrans({"\x0b": " ", "\x0c": " "})
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_SCHEMES = frozenset({"http", "https", "mailto"})
_UNSAFE_IN_URL = re.compile(r"[\s<>\"`{}|\\^\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class CleaningNote:
    """Something that was taken out of a text.

    Attributes:
        message: what, one sentence.
        fix: what to do about it, one sentence.
        offset: where the first of it stood, in the text with ``\\n`` line ends.
    """

    message: str
    fix: str
    offset: int


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without what must not be kept.

    Attributes:
        text: the clean text.
        source: the text as it was, but with ``\\n`` line ends; the notes' offsets point into it.
        notes: what was taken out.
    """

    text: str
    source: str
    notes: tuple[CleaningNote, ...]


def clean(text: str) -> Cleaned:
    """Give `text` plain line ends, leave out control characters and replace lone surrogates."""
    source = text.replace("\r\n", "\n").replace("\r", "\n").translate(_PAGE_MARKS) if _odd_space(text) else text
    notes: list[CleaningNote] = []
    text = _without_control(source, notes)
    text = _without_surrogates(text, source, notes)
    return Cleaned(text, source, tuple(notes))


def _odd_space(text: str) -> bool:
    return "\r" in text or "\x0b" in text or "\x0c" in text


def _without_control(source: str, notes: list[CleaningNote]) -> str:
    first = _CONTROL.search(source)
    if first is None:
        return source
    text, count = _CONTROL.subn("", source)
    message = f"{_counted(count, 'control character')} left out, the first is U+{ord(first[0]):04X}."
    notes.append(CleaningNote(message, "Remove what does not belong to the text.", first.start()))
    return text


def _without_surrogates(text: str, source: str, notes: list[CleaningNote]) -> str:
    first = None if source.isascii() else _SURROGATE.search(source)
    if first is None:
        return text
    text, count = _SURROGATE.subn(_REPLACEMENT, text)
    what = _counted(count, "half of a surrogate pair", "halves of surrogate pairs")
    message = f"{what} replaced by {_REPLACEMENT}."
    fix = f"Write the whole sign where \\u{ord(first[0]):04x} stands."
    notes.append(CleaningNote(message, fix, first.start()))
    return text


def _counted(count: int, one: str, many: str = "") -> str:
    return f"1 {one} was" if count == 1 else f"{count:,} {many or one + 's'} were"


def folded(text: str) -> str:
    """Return `text` in one line: every run of white space is one space, none at the ends."""
    return " ".join(text.split())


def without_blank_ends(text: str) -> str:
    """Return `text` without blank lines at its start and white space at its end; indentation stays."""
    kept = text.rstrip()
    blank = len(kept) - len(kept.lstrip())
    return kept[kept.rfind("\n", 0, blank) + 1 :]


def safe_url(text: str) -> str | None:
    """Return a link that can be shown to people, or None where `text` is not one.

    Only http, https and mailto links are safe. White space, quotes, angle brackets and invisible signs
    within are percent-encoded, so that the link cannot end early in Markdown or HTML.

    Args:
        text: what stands in the file, without control characters and lone surrogates.
    """
    link = folded(text)
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    names_something = bool(parts.path) if parts.scheme == "mailto" else bool(parts.netloc)
    if parts.scheme not in _SCHEMES or not names_something or " " in parts.netloc:
        return None
    return _UNSAFE_IN_URL.sub(lambda sign: quote(sign[0]), link)
