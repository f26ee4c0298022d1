"""Bends real JSON: fields that are missing, null, of another type, huge, unknown, nested too deep, doubled or junk."""

import copy
import random
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

MARK = "PlantedWords"
"""Stands in every text that people write, and so must stand in no line of the log."""

_WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**80, -(2**63), 1e308, 0.5),
    *("", " ", "0", "-1", "null", "None", "undefined", "NaN", "[]", "{}", "a b", "*", "../..", "%s%n{}", "\u0000"),
    *([], {}, [None], [[]], {"": None}, [{}], ["x"] * 30),
)
_JUNK = (
    *(
        "\ud800",
        "\udfff\ud800",
        "\u0000\u0001\u001f",
        "\u202e\u2066\u200f",
        "\ufeff",
        "\u200b" * 50,
        "Z\u0351\u0344" * 40,
    ),
    *(
        "👩‍👩‍👧‍👦" * 20,
        "\U0010ffff",
        "ﷺ" * 100,
        "<@",
        "<@!>",
        "<@&0>",
        "<#>",
        "<!channel>",
        "<https://[|x>",
        "```",
        "||" * 30,
    ),
    *("' OR 1=1 --", "\r\n\r\nHTTP/1.1 200", "\\" * 99, "&lt;&amp;#0;", "{{7*7}}", "${jndi:ldap://x}", "e\u0301" * 60),
)
_DEEP = (20, 80, 300)


class Mutator:
    """Bends documents; the same seed bends them the same way."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._kinds = (
            *(self._drop, self._drop, self._null, self._retype, self._retype, self._retype, self._huge, self._unknown),
            *(self._deep, self._double, self._junk, self._junk, self._swap, self._add),
        )

    def bent(self, document: dict[str, Any]) -> dict[str, Any]:
        """Give a copy that is bent in one to three places."""
        document = copy.deepcopy(document)
        for _ in range(self.random.choice((1, 1, 1, 1, 2, 2, 3))):
            paths = list(_paths(document))
            if paths:
                self.random.choice(self._kinds)(document, paths)
        return document

    def _pick(self, document: Any, paths: list[Path]) -> tuple[Any, str | int]:
        path = self.random.choice(paths)
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        return holder, path[-1]

    def _drop(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        del holder[key]

    def _null(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        holder[key] = None

    def _retype(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        holder[key] = copy.deepcopy(self.random.choice(_WRONG))

    def _huge(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        length = self.random.choice((2_001, 4_001, 70_000))
        holder[key] = (f"{MARK} " * (length // len(MARK)))[:length]

    def _unknown(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        holder[key] = self.random.randrange(1_000_000) if isinstance(holder[key], int) else "a_kind_of_tomorrow"

    def _deep(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        for _ in range(self.random.choice(_DEEP)):
            holder[key] = {"x": holder[key]} if self.random.random() < 0.5 else [holder[key]]

    def _double(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        if isinstance(holder[key], list):
            holder[key] = holder[key] * self.random.choice((2, 50))
        elif isinstance(holder[key], str):
            holder[key] *= 2

    def _junk(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        junk = self.random.choice(_JUNK)
        holder[key] = f"{holder[key]}{junk}" if isinstance(holder[key], str) else junk

    def _swap(self, document: Any, paths: list[Path]) -> None:
        holder, key = self._pick(document, paths)
        other, name = self._pick(document, paths)
        if not isinstance(holder[key], dict | list) and not isinstance(other[name], dict | list):
            holder[key], other[name] = other[name], holder[key]

    def _add(self, document: Any, paths: list[Path]) -> None:
        holder, _ = self._pick(document, paths)
        if isinstance(holder, dict):
            holder[f"field_{self.random.randrange(100)}"] = copy.deepcopy(self.random.choice(_WRONG))


def _paths(document: Any, before: Path = ()) -> Iterator[Path]:
    """Give the way to every value, as deep as real events go."""
    steps = document.items() if isinstance(document, dict) else enumerate(document)
    for step, value in list(steps):
        path = (*before, step)
        yield path
        if isinstance(value, dict | list) and len(path) < 12:
            yield from _paths(value, path)
