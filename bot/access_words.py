"""Reads how admins write rules of access in a chat: ``allow @Ada in #help to ask, diagnose``."""

import re
from itertools import product

from bot.access_rules import CATEGORY, DIRECT, EVERYONE, NO_CATEGORY, PAIRED, Rule, checked
from bot.errors import QuestionError
from bot.messages import IncomingMessage, Place

HOW_TO = (
    "`access allow @someone`, `access deny @role in here to diagnose`, `access allow everyone in #channel to ask`,"
    " `access deny everyone in dms`, `access allow paired in dms`, `access remove 3`, `access pair`,"
    " `access unpair @someone`"
)

_SEPARATOR = re.compile(r"(?:\s|,|\band\b)+", re.IGNORECASE)
_PLACE_WORD = (
    rf"(?:here|server|workspace|category|everywhere|dms?|{DIRECT}|{CATEGORY}\d+|#\S+|<#\d+>"
    r"|(?:discord|slack|http|console|memory)(?:/[^\s,]*)?)"
)
_CHANGE = re.compile(
    rf"(?P<effect>allow|deny)\s+(?P<who>.+?)"
    rf"(?:(?:\s+in)?\s+(?P<where>{_PLACE_WORD}(?:(?:\s|,|and\s)+{_PLACE_WORD})*))?"
    rf"(?:\s+to\s+(?P<what>[\w/]+(?:[\s,]+[\w/]+)*))?",
    re.IGNORECASE | re.DOTALL,
)
_CHANNEL = re.compile(r"#\S+|<#\d+>")
_STRAY = re.compile(r"\s(in|to)\s", re.IGNORECASE)
_SHORT_ROLE = re.compile(r"(user|role|group):.+|owner|admin|manage_server")


def read_rules(message: IncomingMessage) -> list[Rule]:
    """Give the rules that an admin's words mean: without a place those of the server or workspace they are in.

    Raises:
        QuestionError: they mean none; in doubt they are not guessed at.
    """
    found = _CHANGE.fullmatch(message.text.strip())
    if found is None:
        raise QuestionError("I see no rule in that.", f"Write one of these: {HOW_TO}.")
    who, where = _who(message, found["who"]), _where(message, found["where"] or "")
    what = [word for word in _SEPARATOR.split(found["what"] or "") if word] or [""]
    try:
        return [checked(found["effect"].lower(), *words) for words in product(who, where, what)]
    except ValueError as error:
        raise QuestionError(f"{error}.") from error


def person_of(mention: str, place: Place) -> str:
    """Give a rule's word for somebody who is mentioned, as ``user:ID``, ``role:ID`` or ``group:ID``."""
    kind, _, number = mention.partition(":")
    if kind == "role" and number == place.workspace:
        # On Discord the role of all members has the server's own number.
        return EVERYONE
    return f"{place.platform}:{number if kind == 'user' else mention}"


def _who(message: IncomingMessage, text: str) -> list[str]:
    mentioned = [one for one in message.mentions if not one.startswith("channel:")]
    if mentioned:
        # How people are called is not known here: only that nothing else is said between their names.
        if _STRAY.search(f" {text} "):
            raise QuestionError("I do not know that place or that command.", f"Write one of these: {HOW_TO}.")
        return list(dict.fromkeys(person_of(one, message.place) for one in mentioned))
    return [_typed_who(word, message.place) for word in _SEPARATOR.split(text) if word]


def _typed_who(word: str, place: Place) -> str:
    bare = word.removeprefix("@").lower()
    if bare in (EVERYONE, PAIRED):
        return bare
    return person_of(word, place) if _SHORT_ROLE.fullmatch(word) else word


def _where(message: IncomingMessage, text: str) -> list[str]:
    place = message.place
    channels = [one.partition(":")[2] for one in message.mentions if one.startswith("channel:")]
    if len(_CHANNEL.findall(text)) != len(channels):
        raise QuestionError("I do not know that channel.", "Choose it from the list that opens as you type #.")
    words = [word for word in _SEPARATOR.split(_CHANNEL.sub(" ", text)) if word]
    named = [f"{place.workspace_id}/{channel}" for channel in channels] + [_place(word, message) for word in words]
    return list(dict.fromkeys(named)) or [_home(place)]


def _home(place: Place) -> str:
    if place.workspace:
        return place.workspace_id
    return place.platform if place.is_direct else ""


def _place(word: str, message: IncomingMessage) -> str:
    place, lower = message.place, word.lower()
    if lower in ("dm", "dms", DIRECT) or (lower == "here" and place.is_direct):
        # A server has no direct messages of its own; a workspace of Slack's has.
        base = place.workspace_id if place.platform == "slack" else place.platform
        return f"{base}/{DIRECT}" if place.platform in ("discord", "slack") else DIRECT
    if lower == "category":
        return f"{place.workspace_id}/{_category(message)}"
    if lower.startswith(CATEGORY):
        return f"{place.workspace_id}/{lower}"
    return {"here": place.channel_id, "server": _home(place), "workspace": _home(place)}.get(lower, word)


def _category(message: IncomingMessage) -> str:
    found = next((one for one in message.groups_of_place if one.startswith(CATEGORY)), NO_CATEGORY)
    if found == NO_CATEGORY:
        raise QuestionError("This channel lies in no category that I know of.", "Name the channel itself.")
    return found
