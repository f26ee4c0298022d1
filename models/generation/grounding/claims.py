"""What can be checked in a sentence word for word: its numbers with their units, its names and symbols, its links."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from models.generation.grounding.measuring_units import NO_UNIT, Unit, unit_at

_NUMBER = re.compile(
    r"(?<![\w.,^])(?P<ten>[-−]?10(?:\^\{?(?P<ten_exponent>[-−+]?\d+)\}?|(?P<ten_raised>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)))|"
    r"(?<![\w.,^])(?<!\^\{)(?<!\^[-−])(?<!\^\{[-−])(?P<sign>(?<![\w)\]])[-−–+](?=[\d.,½⅓⅔¼¾⅕⅛]))?"
    r"(?P<digits>\d+[.,]\d{3}(?:[ \u00a0\u2009\u202f]\d{3})+(?!\d)|\d{1,3}(?:(?:["
    r" \u00a0\u2009\u202f]\d{3})+(?!\d)(?:[.,]\d+)?|(?:[.,'’]\d{3})+(?!\d)(?:[.,]\d+)?)"
    r"|\d+(?:[.,]\d+)?|[.,]\d+|(?=[½⅓⅔¼¾⅕⅛]))"
    r"(?P<fraction>[½⅓⅔¼¾⅕⅛]|/\d+(?![\d/]|\.\d))?"
    r"(?P<power>\s?[×x·⋅*]\s?10(?:\^?\{?(?P<exponent>[-−+]?\d+)\}?|(?P<raised>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))"
    r"|[eE](?P<e>[-−+]?\d{1,3})(?![\w]))?"
    r"(?P<scale>\s(?:thousand|million|billion|trillion|Millionen|Milliarden|millions?|milliards?|millones)\b)?",
    re.IGNORECASE,
)
_FRACTIONS = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8)}
_SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12, "milliarden": 9, "milliard": 9, "millones": 6}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−", "0123456789-+-")
_GROUPS = re.compile(r"[ \u00a0\u2009\u202f'’]")
# Beyond this a power is no quantity, and would take memory instead.
_LARGEST_POWER = 400
_MOST_DIGITS = 400
# "one" stands for "someone" and "a" as often as for a number, so it claims nothing.
_WORDS: dict[str, int | Fraction] = {
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9,
    "half": Fraction(1, 2), "halves": Fraction(1, 2), "halved": Fraction(1, 2), "quarter": Fraction(1, 4),
    "twice": 2, "thrice": 3,
}  # fmt: skip
_WORDS_ELSEWHERE: dict[str, int | Fraction] = {
    "one": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10,
    "elf": 11, "zwölf": 12, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7, "huit": 8, "neuf": 9, "dix": 10,
    "onze": 11, "douze": 12, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
    "nueve": 9, "diez": 10, "once": 11, "doce": 12, "due": 2, "tre": 3, "quattro": 4, "cinque": 5, "sei": 6,
    "sette": 7, "otto": 8, "nove": 9, "dieci": 10, "undici": 11, "dodici": 12, "dois": 2, "três": 3, "quatro": 4,
    "sete": 7, "oito": 8, "dez": 10, "doze": 12, "twee": 2, "drie": 3, "vijf": 5, "zes": 6, "zeven": 7, "tien": 10,
    "both": 2, "pair": 2, "dozen": 12, "single": 1, "halving": Fraction(1, 2), "double": 2, "doubles": 2, "doubled": 2,
    "doubling": 2, "triple": 3, "fourfold": 4, "twofold": 2, "threefold": 3, "fivefold": 5, "tenfold": 10,
    "quadruple": 4, "quadruples": 4, "first": 1,
}  # fmt: skip
_WORD_NUMBER = re.compile(
    rf"(?<![\w-])(?P<tens>twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[- ]"
    rf"(?P<ones>one|two|three|four|five|six|seven|eight|nine)\b|\b(?:{'|'.join(_WORDS | _WORDS_ELSEWHERE)})\b"
    r"(?!(?<=half)-)",
    re.IGNORECASE,
)
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()  # noqa: SIM905
_ORDINAL = re.compile(
    rf"(?:\b(?:the|a|its|their|his|her)|['’]s) (?P<word>{'|'.join(_ORDINALS)})\b(?! (?:is the|of time|after|later))"
    r"|\b(?P<digits>\d{1,4})(?:st|nd|rd|th)\b",
    re.IGNORECASE,
)

_LIGHT_YEAR = re.compile(r"\blight[ -]year", re.IGNORECASE)
_SERIES = re.compile(r"\s*(?:,|,? (?:and|or|to|und|oder|bis|et|y|e)|–|-|/)\s*")
_COUNTED = re.compile(r" ([a-zà-ÿ]{3,})\b")

_LINK = re.compile(r"(?:https?|ftp)://[^\s<>()\[\]\"'`]+|\bwww\.[^\s<>()\[\]\"'`]+", re.IGNORECASE)
# "office@example.org", "example.org", "example.aero/page"
_CONTACT = re.compile(
    r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w@.-])(?:[a-z0-9][a-z0-9-]*\.)+(?:(?:com|org|net|edu|gov|info|biz|io|dev|app|xyz|eu|de|fr|uk|ru|cn|example)"
    r"\b(?![.-]\w)|[a-z]{2,24}/)[^\s<>()\[\]\"'`]*",
    re.IGNORECASE,
)
_MARKED_LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>[^\[\]]*)\]\(\s*<?(?P<address>[^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)[^()]*\)"
)

# A word with its inner apostrophes, hyphens, subscripts: "Newton's", "Stefan–Boltzmann", "H₂O", "F_N".
_TOKEN = re.compile(r"(?![²³¹½⅓⅔¼¾⅕⅛⁰-₉])[^\W\d_][\w₀-₉ₐ-ₜ²³]*(?:['’][^\W\d_]+)?")
_STARTS = re.compile(r"(?:^|[.!?:;…。]\s+|[\"“«„(]\s?|\n\s*(?:[-*+]|\d+[.)])?\s*|^\W+)$")
# "(Leibniz)", "by: Leibniz.": what stands alone there opens no sentence.
_LEADS_IN = re.compile(r"[\"“«„(:;]\s*$")
_STANDS_ALONE = re.compile(r"(?:['’]s)?[*_]*(?:[\"”»),.;!?]|$| [A-Z])")
_FORMULA = re.compile(r"[=≈∝√Δ∑∫<>≤≥±]|[^\W\d_][₀-₉²³]")
_ABBREVIATION = re.compile(r"\b(?:i\.\s?e\.|e\.\s?g\.|z\.\s?B\.|d\.\s?h\.|p\.\s?ex\.|a\.k\.a\.)")
_PRONOUNS = frozenset({"i", "i'm", "i’m", "i've", "i'll", "a", "o"})


_LATEX = (
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\(?:text|mathrm|mathbf|vec|hat|bar|overline|boldsymbol|operatorname)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\times\b"), "×"),
    (re.compile(r"\\cdot\b"), "·"),
    (re.compile(r"\\approx\b"), "≈"),
    (re.compile(r"\\(?:[,;:! ]|quad\b|left\b|right\b)"), " "),
    (re.compile(r"\\([A-Za-z]+)"), r" \1 "),
    (re.compile(r"\\(?=\W)"), ""),
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it stands in a text.

    Attributes:
        values: what it may mean: "1,234" is 1234, or 1.234 where a comma is the decimal sign.
        unit: the unit behind it (or the currency before it).
        is_ordinal: whether it counts places ("the second law").
        counted: the lower-case word behind it, of what has no unit: "6, 7 and 8 neutrons" are all of neutrons.
    """

    values: frozenset[Fraction]
    unit: Unit = NO_UNIT
    is_ordinal: bool = False
    counted: str = ""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a sentence says that can be checked word for word.

    Attributes:
        quantities: in order.
        names: capitalised words inside the sentence, acronyms and symbols of formulas, as `folded` gives them.
        links: addresses.
        is_formula: whether signs of a formula stand in it.
    """

    quantities: tuple[Quantity, ...]
    names: tuple[str, ...]
    links: tuple[str, ...]
    is_formula: bool = False


def claims_of(sentence: str) -> Claims:
    """Read the claims of one sentence. Takes linear time."""
    sentence = plain_formulas(sentence)
    links = tuple(dict.fromkeys(_addresses(sentence)))
    plain = without_links(sentence) if links else sentence
    found = _quantities(plain, supports=False)
    for start, end, _ in found:
        plain = f"{plain[:start]}{'0' * (end - start)}{plain[end:]}"
    return Claims(
        tuple(quantity for _, _, quantity in found),
        tuple(dict.fromkeys(_names(plain))),
        links,
        _FORMULA.search(plain) is not None,
    )


def supporting_quantities(text: str) -> list[Quantity]:
    """Give the numbers that a text can bear out; "one", "both" and the number words of other languages count, too."""
    return [quantity for _, _, quantity in _quantities(without_links(plain_formulas(text)), supports=True)]


def _quantities(text: str, supports: bool) -> list[tuple[int, int, Quantity]]:
    """Give start, end and meaning of the numbers of a text: in digits, in words, and ordinals."""
    text = _LIGHT_YEAR.sub("light-year", text)
    found = [*_in_digits(text)]
    spans = [(start, end) for start, end, _ in found]
    for match in _WORD_NUMBER.finditer(text):
        value = _word_value(match, supports)
        if value is not None and not any(start <= match.start() < end for start, end in spans):
            unit, end = unit_at(text, match.end())
            found.append((match.start(), end, Quantity(frozenset({Fraction(value)}), unit)))
    found = _in_series(text, sorted(found, key=lambda one: one[0]))
    for match in _ORDINAL.finditer(text):
        place = int(match["digits"]) if match["digits"] else _ORDINALS.index(match["word"].lower()) + 1
        found.append((match.start(), match.start(), Quantity(frozenset({Fraction(place)}), is_ordinal=True)))
    return found


def _in_digits(text: str) -> Iterator[tuple[int, int, Quantity]]:
    ends = 0
    for match in _NUMBER.finditer(text):
        values = _values(match) if match.start() >= ends else frozenset()
        if values:
            unit, ends = unit_at(text, match.end())
            yield match.start(), ends, Quantity(values, unit or _currency(text, match.start()))


def _in_series(text: str, found: list[tuple[int, int, Quantity]]) -> list[tuple[int, int, Quantity]]:
    """Give each number what it counts; in "3, 4 and 5 N" the unit of the last one is that of all."""
    series: list[tuple[int, int, Quantity]] = []
    after: tuple[int, Quantity] | None = None
    for start, end, quantity in reversed(found):
        counted = _COUNTED.match(text, end)
        if quantity.unit == NO_UNIT and after and _SERIES.fullmatch(text, end, after[0]):
            quantity = replace(quantity, unit=after[1].unit, counted=after[1].counted)
        elif quantity.unit == NO_UNIT and counted:
            quantity = replace(quantity, counted=counted[1].lower())
        after = start, quantity
        series.append((start, end, quantity))
    return series[::-1]


def plain_formulas(text: str) -> str:
    """A text with LaTeX as it would be typed: fractions with a slash, signs as signs, no fonts and spaces."""
    if "\\" not in text:
        return text
    for pattern, sign in _LATEX:
        text = pattern.sub(sign, text)
    return text


def folded(word: str) -> str:
    """A name in the form in which names are compared: without case, accents and a possessive's ending."""
    word = re.sub(r"['’](?:s|S)?$", "", word)
    plain = unicodedata.normalize("NFKD", word) if not word.isascii() else word
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()


def tokens_of(text: str) -> list[str]:
    """Give the words and symbols of a text as `folded` gives them."""
    return [folded(match[0]) for match in _TOKEN.finditer(text)]


def without_links(text: str) -> str:
    """A text with its marked links as their text, without bare addresses and images."""
    text = _MARKED_LINK.sub(lambda match: "" if match["image"] else match["text"], text)
    return _LINK.sub("", text)


def contacts_of(text: str) -> frozenset[str]:
    """Give the e-mail addresses and the bare addresses of sites that stand in a text, besides its links."""
    return frozenset(_address(match[0]).casefold() for match in _CONTACT.finditer(without_links(text)))


def links_kept(text: str, allowed: frozenset[str]) -> str:
    """A text without the addresses that are not allowed (a marked link's text stays), and without images."""

    def marked(match: re.Match[str]) -> str:
        if match["image"]:
            return match["text"]
        return match[0] if _address(match["address"]) in allowed else match["text"]

    text = _MARKED_LINK.sub(marked, text)
    return _LINK.sub(lambda match: match[0] if _address(match[0]) in allowed else "", text)


def _addresses(text: str) -> Iterator[str]:
    for match in _MARKED_LINK.finditer(text):
        yield _address(match["address"])
    for match in _LINK.finditer(text):
        yield _address(match[0])


def _address(written: str) -> str:
    return written.rstrip(".,;:!?*_").removesuffix("/")


def _currency(text: str, start: int) -> Unit:
    before = text[:start].rstrip()[-1:]
    return frozenset({(before, 1)}) if before and before in "$€£¥" else NO_UNIT


def _values(match: re.Match[str]) -> frozenset[Fraction]:
    if match["ten"]:
        exponent = _power(match["ten_exponent"] or match["ten_raised"])
        return frozenset() if exponent is None else frozenset({Fraction(10) ** exponent})
    if len(match["digits"]) > _MOST_DIGITS:
        return frozenset()
    sign = -1 if match["sign"] in ("-", "−", "–") and match["sign"] else 1
    exponent = _power(match["exponent"] or match["raised"] or match["e"]) if match["power"] else 0
    if exponent is None:
        return frozenset()
    scale = _SCALES.get((match["scale"] or "").strip().lower().removesuffix("s"), 6 if match["scale"] else 0)
    factor = sign * Fraction(10) ** (exponent + scale)
    readings = _readings(match["digits"])
    return frozenset(factor * value for value in _with_fraction(readings, match["fraction"]))


def _with_fraction(readings: list[Fraction], fraction: str | None) -> list[Fraction]:
    if not fraction:
        return readings
    if fraction in _FRACTIONS:
        return [reading + Fraction(*_FRACTIONS[fraction]) for reading in readings]
    divisor = int(fraction[1:])
    return [reading / divisor for reading in readings] if divisor else readings


def _power(written: str | None) -> int | None:
    exponent = int((written or "0").translate(_SUPERSCRIPTS))
    return exponent if abs(exponent) <= _LARGEST_POWER else None


def _readings(digits: str) -> list[Fraction]:
    """What digits with points and commas may mean."""
    digits = _GROUPS.sub("", digits)
    marks = [sign for sign in digits if sign in ".,"]
    if not marks:
        return [Fraction(int(digits or "0"))]
    if len(set(marks)) == 2:
        whole, _, part = digits.rpartition(marks[-1])
        return [Fraction(f"{whole.replace(marks[0], '')}.{part}")]
    if len(marks) > 1:
        return [Fraction(int(digits.replace(marks[0], "")))]
    whole, _, part = digits.partition(marks[0])
    decimal = Fraction(f"{whole or '0'}.{part}")
    grouped = len(part) == 3 and whole not in ("", "0")
    return [decimal, Fraction(int(whole + part))] if grouped else [decimal]


def _word_value(match: re.Match[str], supports: bool) -> int | Fraction | None:
    if match["tens"]:
        return _WORDS[match["tens"].lower()] + (_WORDS | {"one": 1})[match["ones"].lower()]
    word = match[0].lower()
    return _WORDS.get(word, _WORDS_ELSEWHERE.get(word) if supports else None)


def _names(sentence: str) -> Iterator[str]:
    """Capitalised words that don't open a sentence, words with inner capitals or digits, and single letters."""
    sentence = _ABBREVIATION.sub(" ", sentence)
    is_formula = _FORMULA.search(sentence) is not None
    for match in _TOKEN.finditer(sentence):
        word = match[0]
        if folded(word) in _PRONOUNS:
            continue
        before = sentence[max(0, match.start() - 8) : match.start()]
        opens = not sentence[: match.start()].strip() or (
            _STARTS.search(before) and not (_LEADS_IN.search(before) and _STANDS_ALONE.match(sentence, match.end()))
        )
        inner = any(sign.isupper() or sign.isdigit() for sign in word[1:])
        if inner or (word[0].isupper() and not opens) or (len(word) == 1 and (is_formula or word.isupper())):
            yield folded(word)
