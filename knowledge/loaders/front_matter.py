"""The lines of YAML that may open a Markdown file: title, url and tags are read, the rest is passed over."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_FENCE = "---"
_ENTRY = re.compile(r"(?P<name>[A-Za-z_]\w*):[ \t]*(?P<value>.*)")
_MEMBER = re.compile(r"[ \t]*-[ \t]+(?P<value>.*)")
_READ = frozenset({"title", "url", "tags"})
_MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands before the text of a Markdown file.

    Attributes:
        values: title, url and tags as far as they are given; tags as a list or a text with commas.
        lines: for each value the 1-based line on which it stands.
        end: how many lines the front matter takes, 0 where there is none.
    """

    values: Mapping[str, object]
    lines: Mapping[str, int]
    end: int


def front_matter(lines: list[str]) -> FrontMatter:
    """Read the front matter of a file.

    Args:
        lines: the file's lines without their ends.
    """
    end = _closing_line(lines)
    values: dict[str, object] = {}
    places: dict[str, int] = {}
    name = ""
    for number, line in enumerate(lines[1:end], start=2):
        if entry := _ENTRY.fullmatch(line):
            name = entry["name"].lower()
            if name in _READ:
                values[name], places[name] = _value(entry["value"]), number
        elif name == "tags" and (member := _MEMBER.fullmatch(line)):
            before = values["tags"]
            values["tags"] = [*(before if isinstance(before, list) else []), _unquoted(member["value"])]
    return FrontMatter(values, places, end + 1 if end else 0)


def _closing_line(lines: list[str]) -> int:
    if not lines or lines[0].rstrip() != _FENCE:
        return 0
    ends = (number for number, line in enumerate(lines[:_MOST_LINES]) if number and line.rstrip() in (_FENCE, "..."))
    return next(ends, 0)


def _value(text: str) -> object:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [_unquoted(member) for member in text[1:-1].split(",")]
    return _unquoted(text)


def _unquoted(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text
