"""Hides what is nobody else's business from a server that writes answers, and puts it back into what it writes."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from models.generation.served.personal_data import (
    has_check_digits,
    is_account,
    is_address,
    is_card,
    is_phone_number,
    looks_secret,
)


class Restoration:
    """Puts back into one answer, as it comes, what was hidden from who writes it.

    Args:
        originals: by the placeholder that stands for each, as ``<email-1>``; placeholders in lower case.
    """

    def __init__(self, originals: Mapping[str, str]) -> None:
        self.originals = originals
        # Placeholders are ASCII; else a dotless i would count as an i, and stand for nothing.
        self._pattern = re.compile("|".join(map(re.escape, originals)) or r"(?!)", re.IGNORECASE | re.ASCII)
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


_SHORTEST_NAME = 2
_SEPARATOR = r"[ \u00a0./-]"
_WORDS_FOR_SECRETS = r"api[ _-]?key|access[ _-]?key|key|token|secret|bearer|authorization"
_WORDS_FOR_PHONES = (
    r"tel|telephone|phone|mobile|cell|fax|whatsapp|telefon|mobil|handy|téléphone|portable|teléfono|móvil|telefono"
    r"|cellulare|telefone|celular|telefoon|mobiel|hotline"
)
_WORDS_FOR_ACCOUNTS = (
    r"account|acct|acc(?=[ .-]{0,2}n)|a/c|sort(?=[ -]?code)|routing(?=[ -]n)|ssn|social[ -]security|tax[ -]id"
    r"|konto|kto|blz|bankleitzahl|steuer-?id|compte|cuenta|conto|rekening|conta"
)

# Tried in this order; what an earlier one found is out of the later ones' sight.
_KINDS = (
    _Kind(
        "key",
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{1,10000}?-----END [A-Z ]{0,30}PRIVATE KEY-----"
            r"|\b(?:xox[a-z]-|xapp-)[\w-]{8,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
            r"|\bAIza[\w-]{30,}|\bAQ\.[\w-]{30,}|\b(?:sk|pk|rk)[-_][\w-]{16,}|\bhf_\w{20,}|\bnpm_\w{30,}|\bAKIA[A-Z0-9]{16}\b"
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
        re.compile(
            r"(?<![\w.%+-])[\w.%+-]{1,64}(?:'[\w.%+-]{1,64})?@(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"
        ),
    ),
    _Kind(
        "iban",
        re.compile(
            r"\b(?:[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?|[a-z]{2}\d\d(?: ?[a-z]{4})?(?: ?\d{4}){2,6}"
            r"(?: ?\d{1,4})?)\b",
            re.ASCII,
        ),
        has_check_digits,
    ),
    _Kind(
        "card",
        re.compile(r"(?<![\w.,-])[2-6]\d{3}(?:([ -]?)\d{4}\1\d{4}\1\d{1,7}|[ -]?\d{6}[ -]?\d{4,5})(?![\w-]|[.,]\d)"),
        is_card,
    ),
    _Kind(
        "account",
        re.compile(
            rf"(?i:(?<!\w)(?:{_WORDS_FOR_ACCOUNTS})(?:[ .-]{{0,2}}(?:numbers?|nummer|no|nr|num|code|n°))?(?![^\W\d_])"
            r"[.]?[ \t]{0,2}(?:is\b|ist\b|est\b|es\b|[:=#])?[ \t]{0,2})(?P<hidden>\d(?:[ -]?\d){5,22})(?![\w-]|[.,]\d)"
        ),
        is_account,
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
            r"|(?<![\w.,)-])\(0?\d{2,5}\)[ \u00a0-]?\d{3,5}[ .-]?\d{3,5}(?!\w|[.,-]\d)"
            r"|(?<![\w.,-])(?:1[.-])?\d{3}([.-])\d{3}\1\d{4}(?![\w-]|[.,]\d)"
            # 01.23.45.67.89
            r"|(?<![\w.,-])0[1-9](?:\.\d\d){4}(?![\w-]|[.,]\d)"
            # 030 1234567, 0171/1234567, 020 7946 0958, 01 23 45 67 89, 01712345678
            r"|(?<![\w.,:/-])0[1-9]\d{0,3}(?:[ \u00a0/-]\d{2,8}){1,4}(?!\w|[.,:-]\d)"
            r"|(?<![\w.,:/-])0[1-9]\d{8,9}(?!\w|[.,:-]\d)"
        ),
        is_phone_number,
    ),
)


class PatternRedactor:
    """Hides by their shape: e-mail addresses, phone numbers, cards (Luhn), IBANs (ISO 13616), keys, IP addresses.

    Numbers of accounts have no shape, so the word before them tells. Linear in the texts' length. Names of people have
    none either: they are hidden where they are given. Years, quantities and formulas stay.

    Microsoft Presidio, which does the same, is not used: `docs/redaction.md` has the figures.

    Args:
        names: of people, as they are written in the texts. A name is hidden in all texts, and its last word alone, too.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self._kinds = (*_KINDS, _Kind("name", _names_pattern(names))) if names else _KINDS

    def hide(self, texts: Sequence[str]) -> tuple[list[str], Restoration]:
        """See `Redactor.hide`."""
        placeholders = _Placeholders(texts)
        hidden = list(texts)
        for kind in self._kinds:
            hidden = [kind.pattern.sub(partial(_replaced, kind, placeholders), text) for text in hidden]
        return hidden, Restoration(placeholders.originals())


def _names_pattern(names: Collection[str]) -> re.Pattern[str]:
    """Find names as whole words: those of several words in whatever case they are written, else as they are given."""
    several = {name for name in names if len(name.split()) > 1}
    alone = {name.split()[-1] for name in names if name.split()}
    ranked = sorted(several | {name for name in alone if len(name) >= _SHORTEST_NAME}, key=len, reverse=True)
    either = "|".join(f"(?i:{re.escape(name)})" if name in several else re.escape(name) for name in ranked)
    # What stands for something else that was hidden is no name.
    return re.compile(rf"(?<![\w<])(?:{either or '(?!)'})(?!\w|-\d+>)")


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
