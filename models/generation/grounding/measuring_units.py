"""Units as they are written, brought to one form: "metres per second", "m/s" and "m s⁻¹" are the same."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

Unit = frozenset[tuple[str, int]]
"""The symbols of a unit, each with its power; empty for none."""

NO_UNIT: Unit = frozenset()

_PREFIXES = {
    "kilo": "k", "mega": "M", "giga": "G", "tera": "T", "peta": "P", "centi": "c", "deci": "d", "milli": "m",
    "micro": "µ", "nano": "n", "pico": "p", "femto": "f", "hecto": "h",
}  # fmt: skip
_PREFIXED = {
    "metre": "m", "meter": "m", "gram": "g", "gramme": "g", "second": "s", "newton": "N", "joule": "J", "watt": "W",
    "volt": "V", "ampere": "A", "amp": "A", "ohm": "Ω", "farad": "F", "henry": "H", "hertz": "Hz", "pascal": "Pa",
    "tesla": "T", "weber": "Wb", "coulomb": "C", "litre": "L", "liter": "L", "bar": "bar", "electronvolt": "eV",
    "electron-volt": "eV", "byte": "B", "bit": "bit", "mole": "mol", "calorie": "cal", "becquerel": "Bq",
    "sievert": "Sv", "gray": "Gy", "siemens": "S", "parsec": "pc", "watt-hour": "Wh", "watthour": "Wh",
}  # fmt: skip
_PLAIN = {
    "minute": "min", "hour": "h", "day": "day", "week": "week", "month": "month", "year": "year", "century": "century",
    "centuries": "century", "kelvin": "K", "radian": "rad", "candela": "cd", "lumen": "lm", "lux": "lx",
    "decibel": "dB", "tonne": "t", "ton": "t", "mile": "mi", "foot": "ft", "feet": "ft", "inch": "in",
    "inches": "in", "yard": "yd", "pound": "lb", "ounce": "oz", "light-year": "ly", "lightyear": "ly",
    "percent": "%", "degree": "°", "dioptre": "D", "diopter": "D", "dollar": "$", "euro": "€", "gallon": "gal",
    "acre": "acre", "hectare": "ha", "knot": "kn", "atmosphere": "atm", "hertz": "Hz", "siemens": "S",
    "steradian": "sr", "arcsecond": "arcsec", "arcminute": "arcmin", "revolution": "rev", "turn": "rev",
}  # fmt: skip
# Symbols that stand for a whole expression.
_COMPOUND = {"mph": (("mi", 1), ("h", -1)), "kph": (("km", 1), ("h", -1)), "rpm": (("rev", 1), ("min", -1))}
_SYMBOL_PREFIXED = "m g s N J W V A Ω F H Hz Pa T Wb C L l bar eV B bit mol cal Bq Sv Gy S pc Wh K".split()  # noqa: SIM905
_SYMBOL_PLAIN = [
    "min",
    "h",
    "d",
    "yr",
    "y",
    "K",
    "rad",
    "cd",
    "lm",
    "lx",
    "dB",
    "t",
    "mi",
    "ft",
    "in",
    "yd",
    "lb",
    "oz",
    "ly",
    "%",
    "°",
    "°C",
    "°F",
    "D",
    "$",
    "€",
    "£",
    "¥",
    "ha",
    "kn",
    "atm",
    "u",
    "sr",
    "rev",
    "AU",
    "day",
    "rpm",
]
_SIGNS = {
    "l": "L",
    "d": "day",
    "yr": "year",
    "y": "year",
    "h": "h",
    "μ": "µ",
    "℃": "°C",
    "Ω": "Ω",
    "sec": "s",
    "hr": "h",
}


def _symbols() -> dict[str, str]:
    letters = [*_PREFIXES.values(), "μ"]
    prefixed = {letter + one: letter + one for letter in letters for one in _SYMBOL_PREFIXED}
    plain = {one: one for one in (*_SYMBOL_PREFIXED, *_SYMBOL_PLAIN)}
    found = prefixed | plain | {sign: sign for sign in _SIGNS}
    return {written: _SIGNS.get(meant, meant).replace("μ", "µ") for written, meant in found.items()}


def _words() -> dict[str, str]:
    prefixed = {
        prefix + word: letter + symbol for prefix, letter in _PREFIXES.items() for word, symbol in _PREFIXED.items()
    }
    singular = prefixed | _PREFIXED | _PLAIN
    return singular | {f"{word}s": symbol for word, symbol in singular.items()}


_SYMBOLS = _symbols()
_WORDS = _words()
_DEGREES = {"celsius": "°C", "fahrenheit": "°F", "centigrade": "°C", "c": "°C", "f": "°F"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWER_WORDS = {"square": 2, "squared": 2, "cubic": 3, "cubed": 3}

_TOKEN = re.compile(
    r"\s*(?:(?P<per>/\s?\(?|\bper\b|\bpro\b|\ba\b(?= (?:second|minute|hour|day|year)\b))"
    r"|(?P<times>[·⋅*×](?=\s?[A-Za-zµμΩ°])|\.(?=[A-Za-zµΩ])|-(?=[a-z]))"
    r"|(?P<degree>°|degrees?\b)\s?(?P<scale>[CF]\b|(?i:celsius|fahrenheit|centigrade)\b)?"
    r"|(?P<power>square|cubic)\b"
    r"|(?P<name>[A-Za-zµμΩΩ]{1,20}(?:-(?:hours?|volts?|years?))?|[%$€£¥℃])"
    r"(?P<exponent>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+|\^\{?[-−+]?\d\}?|(?<=[a-zA-Z])[23](?![\d.])|\s(?:squared|cubed)\b)?)"
)
_FOLLOWERS = frozenset({"m", "s", "K", "kg", "T", "C", "mol", "h"})
# How many symbols one unit may have: kg·m²/(s³·A) is about the longest.
_MOST_TOKENS = 9
# Symbols that are words as well.
_DOUBTFUL = frozenset({"in", "d", "y", "u"})

# Words for units that mean something else as often.
_OTHER_MEANINGS = (  # noqa: SIM905 - a list of words reads better so
    "second minute bar foot yard pound ton turn gray mole bit atmosphere degree day revolution knot inch month week"
    " year hour"
).split()
_AMBIGUOUS = frozenset({"feet", *_OTHER_MEANINGS, *(f"{word}s" for word in _OTHER_MEANINGS)})


def unit_at(text: str, start: int) -> tuple[Unit, int]:
    """Read the unit that begins at `start` (after blanks), and give it with its end; `NO_UNIT` where there is none."""
    powers: Counter[str] = Counter()
    sign, factor, end, position = 1, 1, start, start
    for _ in range(_MOST_TOKENS):
        token = _TOKEN.match(text, position)
        if token is None:
            break
        position = token.end()
        if token["per"] or token["times"]:
            if not powers and token["times"]:
                break
            sign = -1 if token["per"] else sign
            continue
        if token["power"]:
            factor = _POWER_WORDS[token["power"]]
            continue
        symbols = _symbols_of(token)
        if not symbols or (end > start and not _goes_on(text, end, token)):
            break
        for symbol, power in symbols:
            powers[symbol] += sign * factor * power * _exponent(token["exponent"])
        factor, end = 1, position
    return frozenset((symbol, power) for symbol, power in powers.items() if power), end


def _goes_on(text: str, end: int, token: re.Match[str]) -> bool:
    """Whether a symbol belongs to those before: after a sign, or, as in "N m", where it is no word of its own."""
    name = token["name"] or ""
    return text[end : token.start("name")].strip() != "" or name in _FOLLOWERS or name.lower() in _WORDS


def _symbols_of(token: re.Match[str]) -> Sequence[tuple[str, int]]:
    if token["degree"]:
        return ((_DEGREES[token["scale"].lower()] if token["scale"] else "°", 1),)
    name: str = token["name"]
    if name in _SYMBOLS and name not in _DOUBTFUL:
        return ((_SYMBOLS[name], 1),)
    if name.lower() in _COMPOUND:
        return _COMPOUND[name.lower()]
    word = _WORDS.get(name.lower())
    return ((word, 1),) if word else ()


def _exponent(written: str | None) -> int:
    if not written:
        return 1
    word = written.strip()
    if word in _POWER_WORDS:
        return _POWER_WORDS[word]
    return int(word.translate(_SUPERSCRIPTS).strip("^{}").replace("−", "-"))


def units_named(words: Iterable[str]) -> frozenset[str]:
    """Give the symbols of the units that are written out among lower-case words ("newtons" → "N")."""
    return frozenset(_WORDS[word] for word in words if word in _WORDS and word not in _AMBIGUOUS)
