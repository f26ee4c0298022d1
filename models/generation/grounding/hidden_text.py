"""Characters that a reader doesn't see and a model reads: found, and taken out where they are not needed."""

import re

# Zero-width and invisible signs, marks of direction, fillers, tags, annotation marks, control characters.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]+"
)
_JOINERS = "\u200c\u200d"
_STYLES = "\ufe0e\ufe0f"
# Scripts whose letters take a joiner: Arabic to Mongolian; and signs of which one emoji is joined.
_JOINED = re.compile("[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]")
# Signs that are asked by one selector to be shown as an emoji or as text.
_STYLED = re.compile("[#*0-9\u00a9\u00ae\u2000-\u33ff\U0001f000-\U0001faff]")


def visible(text: str) -> str:
    """Give a text without hidden characters; joiners and single selectors stay where scripts and emoji need them."""
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(_needed, text)


def _needed(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    before, after = text[start - 1 : start], text[end : end + 1]
    run = match[0]
    if run in _JOINERS:
        return run if _JOINED.match(before) and _JOINED.match(after) else ""
    if run[0] in _STYLES and run[1:] in ("", "\u200d"):
        return run if _STYLED.match(before) else ""
    return ""
