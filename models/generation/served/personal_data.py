"""Tells card numbers, bank accounts, phone numbers, addresses and secrets from figures that merely look like them."""

import ipaddress
import re
import string

_UNIT = (
    r"(?:[mkMGTµμnpcd]?(?:m|s|g|K|J|W|V|A|N|C|F|H|T|Hz|eV|Pa|mol|cd|Ω|L|l|cal|bar|rad|Bq|Gy|Sv|Wb|pc|u|B|bit|h|min)"
    r"|ly|au|AU|years?|days?|hours?|minutes?|seconds?|met(?:er|re)s?|kilomet(?:er|re)s?|miles?|kilograms?|degrees?"
    r"|people|inhabitants|euros?|dollars?|percent|million|billion|times)(?![^\W_])"
)
_QUANTITY_BEHIND = re.compile(rf"[ \u00a0]?(?:[×*·^/%=°+±€$]|[xe][ +−-]?\d|\u00d7|{_UNIT})")
_QUANTITY_BEFORE = re.compile(
    r"(?:[=≈±×*·^~<>$€£/]|\b(?:ISBN|ISSN|DOI|arXiv|EAN|PMID|no\.|nr\.)[:\s(-]*(?:\d+:)?)\s?$", re.IGNORECASE
)
_SECTION_BEFORE = re.compile(
    r"(?:§|\b(?:section|sec\.|chapter|version|v\.?|release|figure|fig\.|table|eq\.))\s?$", re.IGNORECASE
)
# Characters; what tells a quantity stands this close to its figures.
_NEAR = 24
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d-\d\d-\d{4}|\d{4} ?- ?\d{4}")
_FEWEST_PHONE_DIGITS, _MOST_PHONE_DIGITS = 6, 15
_FEWEST_UNNAMED_DIGITS = 8
"""ITU-T E.164 allows 15 digits; shorter ones than these, where nothing says "phone", are likelier something else."""
_SHORTEST_CARD, _LONGEST_CARD = 13, 19
"""ISO/IEC 7812."""


def is_card(match: re.Match[str]) -> bool:
    """Whether digits are a payment card's: their number, and the check digit (Luhn, ISO/IEC 7812-1, annex B)."""
    digits = _digits(match[0])
    if not _SHORTEST_CARD <= len(digits) <= _LONGEST_CARD or len(set(digits)) < 2 or _is_quantity(match):
        return False
    doubled = (2 * int(digit) if at % 2 else int(digit) for at, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def has_check_digits(match: re.Match[str]) -> bool:
    """Whether letters and digits are an account's: modulo 97 they give 1 (ISO 13616, as ISO/IEC 7064 MOD 97-10)."""
    account = match[0].replace(" ", "")
    if not 15 <= len(account) <= 34:
        return False
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


def is_address(match: re.Match[str]) -> bool:
    """Whether it is an IP address, and neither the number of a version or section nor a time."""
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return any(sign in string.digits for sign in match[0]) and match[0].count(":") + len(match[0]) > 6
    return not _SECTION_BEFORE.search(match.string, max(0, match.start() - _NEAR), match.start())


def is_phone_number(match: re.Match[str]) -> bool:
    """Whether digits are a phone number, and no quantity, formula, date or book number."""
    start, end = match.span("hidden") if "hidden" in match.re.groupindex else match.span()
    digits = _digits(match.string[start:end])
    if not _FEWEST_PHONE_DIGITS <= len(digits) <= _MOST_PHONE_DIGITS or set(digits) <= {"0", "1"}:
        return False
    is_named = "hidden" in match.re.groupindex
    if not is_named and (len(digits) < _FEWEST_UNNAMED_DIGITS or _is_date(match[0])):
        return False
    return not _is_quantity_at(match.string, start, end)


def is_account(match: re.Match[str]) -> bool:
    """Whether digits behind "account" or a word like it are its number, and no date or quantity."""
    found = match["hidden"]
    return not _DATE.fullmatch(found) and not _QUANTITY_BEHIND.match(match.string, match.end("hidden"))


def looks_secret(match: re.Match[str]) -> bool:
    """Whether what stands behind "key" or "token" is a secret and not a word: it has digits and letters."""
    found = match["hidden"]
    return any(sign.isdigit() for sign in found) and any(sign.isalpha() for sign in found)


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdecimal())


def _is_date(text: str) -> bool:
    parts = re.split(r"\D+", text)
    return len(parts) == 3 and [len(part) for part in parts] in ([2, 2, 4], [2, 2, 2])


def _is_quantity(match: re.Match[str]) -> bool:
    return _is_quantity_at(match.string, match.start(), match.end())


def _is_quantity_at(text: str, start: int, end: int) -> bool:
    before = _QUANTITY_BEFORE.search(text, max(0, start - _NEAR), start)
    return before is not None or _QUANTITY_BEHIND.match(text, end) is not None
