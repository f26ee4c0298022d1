"""Cleans what people type, lets it pass as a question, and repeats it as plain text."""

import re
import textwrap
import unicodedata

from bot.errors import QuestionEmptyError, QuestionTooLongError

LONGEST_QUOTE = 300
"""Characters of a question that are repeated where it is quoted."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANK_CONTROLS = str.maketrans(dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), " "))


def clean(text: str) -> str:
    """Replace lone surrogates and control characters, compose accents (NFC) and drop blanks at the ends."""
    whole = _SURROGATES.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", whole).translate(_BLANK_CONTROLS).strip()


def require_question(text: str, longest: int, *, what: str = "question", example: str = "What is Ohm's law?") -> None:
    """Let a question pass, or whatever else people say in words.

    Args:
        text: what they said.
        longest: how many characters it may have.
        what: what it is called in the messages.
        example: one of it.

    Raises:
        QuestionEmptyError: there is no letter and no digit in it.
        QuestionTooLongError: it has more than `longest` characters.
    """
    if len(text) > longest:
        raise QuestionTooLongError(
            f"That is {len(text):,} characters long; I read up to {longest:,}.", f"Send a shorter {what}."
        )
    if not any(character.isalnum() for character in text):
        raise QuestionEmptyError(f"I see no {what} in that.", f"Say it in words, for example: {example}")


def plain(text: str) -> str:
    """Escape what CommonMark would take for markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", text)


def shortened(text: str, longest: int) -> str:
    """Give a text on one line, cut at a word with an ellipsis where it is longer than `longest` characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else textwrap.shorten(line, longest, placeholder=" …") or f"{line[:longest]}…"
