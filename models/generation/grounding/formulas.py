"""Equations in a text, brought to one form, so that "F = m·a" is told from "F = m/a"."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

Equations = Mapping[str, frozenset[str]]
"""For each symbol on the left of an equals sign, what stands on the right of it."""

_TERM = r"[-−√½¼¾(]*[^\W_][\w½₀-₉⁰¹²³⁴-⁹ₐ-ₜ^{}_()√.⁻]{0,40}"
_EQUATION = re.compile(
    r"(?<![\w/·⋅×*^+)\]}])(?P<left>[^\W\d_][\w₀-₉ₐ-ₜ{}]{0,6})\s?=\s?"
    rf"(?P<right>{_TERM}(?:\s?[-−+/·⋅×*]\s?{_TERM}){{0,12}})"
)
_LOOKS = re.compile(r"[\s·⋅×*^_{}()]+")
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "01234567890123456789--")
_HALVED = re.compile(r"^(.*)/2$")
_LETTER = re.compile(r"[^\W\d_]")
_OPERATOR = re.compile(r"([-+/√])")


def equations_of(text: str) -> Equations:
    """Read the equations that give a symbol in terms of others; those that give a value are left out. Linear time."""
    found: dict[str, set[str]] = defaultdict(set)
    for left, right in _read(text):
        found[left].add(right)
    return {left: frozenset(rights) for left, rights in found.items()}


def contradicts(equations: Equations, support: Equations) -> bool:
    """Whether what stands for a symbol is given for it, in other form, nowhere in the support, and another thing is."""
    return any(
        left in support and not any(_agree(right, other) for other in support[left])
        for left, rights in equations.items()
        for right in rights
    )


def _read(text: str) -> Iterator[tuple[str, str]]:
    for match in _EQUATION.finditer(text):
        left, right = (_LOOKS.sub("", match[side]).translate(_PLAIN) for side in ("left", "right"))
        if _LETTER.search(right):
            yield left, _HALVED.sub(r"½\1", right.rstrip(".").replace("1/2", "½"))


def _agree(one: str, other: str) -> bool:
    """Whether two right sides are the same but for the order of factors, or one is the other's beginning."""
    return one.startswith(other) or other.startswith(one) or _sorted(one) == _sorted(other)


def _sorted(right: str) -> list[str]:
    return ["".join(sorted(part)) for part in _OPERATOR.split(right)]
