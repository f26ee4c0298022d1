"""How settings and rules name places: a platform, a server or workspace, a channel, a thread, with slashes between."""

import difflib
import re

PLATFORMS = ("console", "discord", "http", "memory", "slack")
"""The first part of every place's name; "memory" is the adapter of tests, of which nobody is told."""

SNOWFLAKE = "[1-9][0-9]{14,19}"
TEAM = "[TE][A-Z0-9]{1,30}"
_CHANNEL = "[CDG][A-Z0-9]{1,30}"

_PARTS = {
    "discord": (("server", SNOWFLAKE), ("channel", SNOWFLAKE), ("thread", SNOWFLAKE)),
    "slack": (
        ("workspace (T… or E…)", TEAM),
        ("channel (C…, G… or D…)", _CHANNEL),
        ("thread (as 1355517523.000005)", r"[0-9]+\.[0-9]+"),
    ),
    "memory": (("workspace", r"[^\s/]*"), ("channel", r"[^\s/]*"), ("thread", r"[^\s/]*")),
}
"""What follows on a platform's name: what each part is an id of, and what such ids look like."""

_EXAMPLES = {
    "discord": "discord/81384788765712384/381870553235193857",
    "slack": "slack/T012AB3CD/C012AB3CD",
    "memory": "memory/lab/general",
}

_DIRECT_ON_DISCORD = re.compile(f"discord/(/{SNOWFLAKE})?")
"""Direct messages there lie in no server."""

_OF_ACCESS = re.compile(r"direct|.*/(direct|category:.*)")
"""What rules of access call a place, and no place is called."""


def fault(place: str) -> str:
    """Say what keeps a text from being a place's name; empty where nothing does."""
    platform, *parts = place.split("/")
    if platform not in PLATFORMS:
        told = [name for name in PLATFORMS if name != "memory"]
        near = difflib.get_close_matches(platform.lower(), told, n=1)
        meant = f"; did you mean {near[0]}" if near else f": {', '.join(told)}"
        return f"{place!r} begins with {platform!r}, which is no platform{meant}"
    known = _PARTS.get(platform, ())
    for part, (kind, form) in zip(parts, known, strict=False):
        if not re.fullmatch(form, part):
            return f"{place!r} is no place: {part!r} is no id of a {kind}; write it as {_EXAMPLES[platform]}"
    if len(parts) > len(known):
        return f"{place!r} is no place: there is nothing below {'/'.join((platform, *parts[: len(known)]))}"
    return ""


def known_place(place: str) -> str:
    """Let the name of a platform, workspace, channel or thread pass: ``platform/workspace/channel/thread``, or less.

    Raises:
        ValueError: no place can be called so.
    """
    if _OF_ACCESS.fullmatch(place):
        raise ValueError(
            f"{place!r} does not count here: only rules of access know categories and direct messages by such a name;"
            " name a platform, a server or workspace, or a channel (discord/ stands for the direct messages of Discord)"
        )
    wrong = fault(place)
    if wrong and not _DIRECT_ON_DISCORD.fullmatch(place):
        raise ValueError(wrong)
    return place


def known_channel(place: str) -> str:
    """Let the name of a channel or thread pass.

    Raises:
        ValueError: it is none.
    """
    if known_place(place).count("/") < 2:
        raise ValueError(
            f"{place!r} names no channel; one is written as {_EXAMPLES['discord']} or {_EXAMPLES['slack']}"
        )
    return place
