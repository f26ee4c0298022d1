"""Translates what people write on a platform: code, mentions and links one by one, and the rest around them."""

import re
from collections.abc import Callable

_PLACE = "\0"


def translated(
    text: str, span: re.Pattern[str], read: Callable[[re.Match[str]], str], plain: Callable[[str], str]
) -> str:
    """Translate a text.

    Args:
        text: the text; U+0000, which no platform sends, is left out.
        span: finds code, mentions, links and the like.
        read: translates one of them.
        plain: translates the rest, in which each span is one U+0000 that has to stay.
    """
    aside: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        aside.append(read(match))
        return _PLACE

    rest = plain(span.sub(set_aside, text.replace(_PLACE, "")))
    spans = iter(aside)
    return re.sub(_PLACE, lambda _: next(spans), rest)


def own_lines(fence: re.Match[str], content: str | None = None) -> str:
    """Put a fenced block of several lines on lines of its own, as CommonMark asks.

    Args:
        fence: the block with its fences, three backticks each, where it was found.
        content: what the block holds, if that is not what stands there.
    """
    inner = fence[0][3:-3] if content is None else content
    if "\n" not in inner:
        return f"```{inner}```"
    end = "" if inner.endswith("\n") else "\n"
    before = "" if fence.string[: fence.start()][-1:] in ("", "\n") else "\n"
    after = "" if fence.string[fence.end() : fence.end() + 1] in ("", "\n") else "\n"
    return f"{before}```{inner}{end}```{after}"
