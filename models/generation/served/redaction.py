"""Hides what is nobody else's business from a server that writes answers, and puts it back into what it writes."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from models.generation.served.personal_data import has_check_digits, is_address, is_card, is_phone_number, looks_secret


class Restoration:
    """Puts back into one answer, as it comes, what was hidden from who writes it.

    Args:
        originals: by the placeholder that stands for each, as ``<email-1>``; placeholders in lower case.
    """

    def __init__(self, originals: Mapping[str, str]) -> None:
        self.originals = originals
        self._pattern = re.compile("|".join(map(re.escape, originals)) or r"(?!)", re.IGNORECASE)
        self._held = ""

    def read(self, piece: str) -> str:
        """Take in what was written next and give what can be shown of it: a placeholder that may go on is held back."""
        if not self.originals:
            return piece
        text = self._held + piece
        end = self._end_of_the_certain(text)
        self._held = text[end:]
        return self._restored(text[:end])

    def finish(self) -> str:
        """Give what was held back; the answer is complete."""
        rest, self._held = self._held, ""
        return self._restored(rest)

    def _end_of_the_certain(self, text: str) -> int:
        opening = text.rfind("<")
        tail = text[opening:].lower()
        may_go_on = opening >= 0 and any(one.startswith(tail) and one != tail for one in self.originals)
        return opening if may_go_on else len(text)

    def _restored(self, text: str) -> str:
        return self._pattern.sub(lambda match: self.originals[match[0].lower()], text)


class Redactor(Protocol):
    """Hides what must not leave this machine."""

    def hide(self, texts: Sequence[str]) -> tuple[list[str], Restoration]:
        """Give the texts with placeholders in them, in their order, and what puts the originals back.

        The same original has the same placeholder in all of them.
        """


@dataclass(frozen=True, slots=True)
class _Kind:
    """Something that is hidden: the group ``hidden`` of what `pattern` finds, or all of it, where `is_one` agrees."""

    label: str
    pattern: re.Pattern[str]
    is_one: Callable[[re.Match[str]], bool] = bool


_SEPARATOR = r"[ \u00a0./-]"
_WORDS_FOR_SECRETS = r"api[ _-]?key|access[ _-]?key|key|token|secret|bearer|authorization"
_WORDS_FOR_PHONES = r"tel|telephone|phone|mobile|cell|fax|whatsapp|telefon|mobil|handy|téléphone|teléfono|hotline"

# Tried in this order; what an earlier one found is out of the later ones' sight.
_KINDS = (
    _Kind(
        "key",
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{1,10000}?-----END [A-Z ]{0,30}PRIVATE KEY-----"
            r"|\b(?:xox[a-z]-|xapp-)[\w-]{8,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
            r"|\bAIza[\w-]{30,}|\bAQ\.[\w-]{30,}|\b(?:sk|pk|rk)[-_][\w-]{16,}|\bhf_\w{20,}|\bAKIA[A-Z0-9]{16}\b"
            r"|\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*|\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}",
            re.ASCII,
        ),
    ),
    _Kind(
        "key",
        re.compile(r"(?i:\b(?:password|passwd|passphrase|pwd|passwort)\"?\s{0,3}[:=]\s{0,3})(?P<hidden>\S{4,200})"),
    ),
    _Kind(
        "key",
        re.compile(
            rf"(?i:(?:\b|_)(?:{_WORDS_FOR_SECRETS})[\"']?\s{{0,3}}[:= ]\s{{0,3}}[\"']?)(?P<hidden>[\w./+=~-]{{16,500}})"
        ),
        looks_secret,
    ),
    _Kind("key", re.compile(r"(?<=://)(?P<hidden>[^\s/:@]{1,100}:[^\s/@]{1,200})(?=@)")),
    _Kind(
        "email",
        re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"),
    ),
    _Kind(
        "iban", re.compile(r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", re.ASCII), has_check_digits
    ),
    _Kind(
        "card",
        re.compile(r"(?<![\w.,-])[2-6]\d{3}(?:([ -]?)\d{4}\1\d{4}\1\d{1,7}|[ -]?\d{6}[ -]?\d{5})(?![\w-]|[.,]\d)"),
        is_card,
    ),
    _Kind(
        "ip",
        re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-fA-F]{0,4}(?::[\da-fA-F]{0,4}){2,7})(?![\w:]|\.\d)"),
        is_address,
    ),
    _Kind(
        "phone",
        re.compile(
            rf"(?i:(?<!\w)(?:{_WORDS_FOR_PHONES})\b[^\d\n+(]{{0,12}})"
            rf"(?P<hidden>\+?\(?\d(?:{_SEPARATOR}?[()]?{_SEPARATOR}?\d){{5,14}})(?!\d)"
        ),
        is_phone_number,
    ),
    _Kind(
        "phone",
        re.compile(
            # +49 (0)30 1234567, +1-415-555-2671, 0049 30 1234567
            r"(?<![\w.,+/)(-])(?:\+|00(?=[1-9]))[1-9]\d{0,3}(?:[ \u00a0/-]?(?:\(\d{1,4}\)|\d{1,12})){1,6}(?!\w|[.,]\d)"
            # +1.415.555.2671
            r"|(?<![\w.,+/-])\+\d{1,3}(?:\.\d{2,4}){3,4}(?!\w|[.,]\d)"
            # (415) 555-2671, 415-555-2671, 415.555.2671
            r"|(?<![\w.,)-])\(0?\d{2,5}\)[ \u00a0-]?\d{3,4}[ .-]?\d{3,5}(?!\w|[.,-]\d)"
            r"|(?<![\w.,-])\d{3}([.-])\d{3}\1\d{4}(?![\w-]|[.,]\d)"
            # 030 1234567, 0171/1234567, 020 7946 0958, 01 23 45 67 89, 01712345678
            r"|(?<![\w.,:/-])0[1-9]\d{0,3}(?:[ \u00a0/-]\d{2,8}){1,4}(?!\w|[.,:-]\d)"
            r"|(?<![\w.,:/-])0[1-9]\d{8,9}(?!\w|[.,:-]\d)"
        ),
        is_phone_number,
    ),
)


class PatternRedactor:
    """Hides by their shape: e-mail addresses, phone numbers, cards (Luhn), IBANs (ISO 13616), keys, IP addresses.

    Linear in the texts' length. Names of people have no shape and stay; so do years, quantities and formulas.
    """

    def hide(self, texts: Sequence[str]) -> tuple[list[str], Restoration]:
        """See `Redactor.hide`."""
        placeholders = _Placeholders(texts)
        hidden = list(texts)
        for kind in _KINDS:
            hidden = [kind.pattern.sub(partial(_replaced, kind, placeholders), text) for text in hidden]
        return hidden, Restoration(placeholders.originals())


def _replaced(kind: _Kind, placeholders: "_Placeholders", match: re.Match[str]) -> str:
    if not kind.is_one(match):
        return match[0]
    if "hidden" not in kind.pattern.groupindex:
        return placeholders.of(kind.label, match[0])
    start, end = match.start("hidden") - match.start(), match.end("hidden") - match.start()
    return match[0][:start] + placeholders.of(kind.label, match["hidden"]) + match[0][end:]


class _Placeholders:
    """Gives each original its placeholder, none that stands in one of the texts already."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._taken = "\n".join(texts).lower()
        self._given: dict[str, str] = {}
        self._last: dict[str, int] = {}

    def of(self, label: str, original: str) -> str:
        if original not in self._given:
            self._given[original] = self._new(label)
        return self._given[original]

    def originals(self) -> dict[str, str]:
        return {placeholder: original for original, placeholder in self._given.items()}

    def _new(self, label: str) -> str:
        while True:
            self._last[label] = self._last.get(label, 0) + 1
            placeholder = f"<{label}-{self._last[label]}>"
            if placeholder not in self._taken:
                return placeholder
