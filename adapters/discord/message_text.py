"""Reads what people write on Discord: their markdown as CommonMark, and whom they name."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from adapters.rendering.incoming import own_lines, translated

_TOKEN = re.compile(
    r"(?P<fence>```.+?```)|(?P<code>(?P<ticks>`{1,2})(?!`).+?(?<!`)(?P=ticks)(?!`))|<@!?(?P<user>[0-9]+)>"
    r"|<@&(?P<role>[0-9]+)>|<#(?P<channel>[0-9]+)>|<a?(?P<emoji>:\w+:)[0-9]+>|<(?P<command>/[^\n<>:]+):[0-9]+>"
    r"|<t:(?P<time>-?[0-9]{1,12})(?::(?P<format>[tTdDfFR]))?>",
    re.DOTALL,
)
_SPOILER = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)
_SMALL_PRINT = re.compile(r"^-# +", re.MULTILINE)
_QUOTED_REST = re.compile(r"^>>> ", re.MULTILINE)
_TIME_FORMATS = {"t": "%H:%M UTC", "T": "%H:%M:%S UTC", "d": "%Y-%m-%d", "D": "%Y-%m-%d"}
_FARTHEST = 62_000_000_000  # seconds before and after 1970 that a calendar of four-digit years holds


def commonmark(text: str, names: Mapping[str, str]) -> str:
    """Read a message's content: mentions become names, Discord's own markup the words it shows.

    Args:
        text: the content as Discord sends it.
        names: what users, roles and channels are called, by id; for one that is missing a word stands in.

    Signs that people typed stay as they are: the words are searched, and a backslash before each would not be found.
    """
    return translated(text, _TOKEN, partial(_read, names=names), _plain)


def mentions(text: str) -> tuple[str, ...]:
    """Give what a message's content names outside code, each once, in order: ``("user:1", "role:2", "channel:3")``."""
    named = (f"{match.lastgroup}:{match[match.lastgroup]}" for match in _TOKEN.finditer(text) if match.lastgroup)
    return tuple(dict.fromkeys(name for name in named if name.startswith(("user:", "role:", "channel:"))))


def _read(match: re.Match[str], names: Mapping[str, str]) -> str:
    if match["fence"]:
        return own_lines(match)
    if match["time"]:
        return _moment(int(match["time"]), match["format"] or "f")
    for kind, sign, unknown in (("user", "@", "someone"), ("role", "@", "role"), ("channel", "#", "channel")):
        if match[kind]:
            return sign + (" ".join(names.get(match[kind], "").split()) or unknown)
    return match["emoji"] or match["command"] or match[0]


def _moment(seconds: int, style: str) -> str:
    if abs(seconds) > _FARTHEST:
        return f"second {seconds}"
    return datetime.fromtimestamp(seconds, UTC).strftime(_TIME_FORMATS.get(style, "%Y-%m-%d %H:%M UTC"))


def _plain(text: str) -> str:
    return _QUOTED_REST.sub("> ", _SMALL_PRINT.sub("", _SPOILER.sub(r"\1", text)))
