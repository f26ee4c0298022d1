"""The command `settings`: shows what holds in a place and where that comes from, and changes it."""

from collections.abc import Mapping
from dataclasses import replace

from bot.access import Access
from bot.errors import NotAllowedError, QuestionError
from bot.messages import IncomingMessage, Place, Reply
from bot.place_settings import Held, Name, PlaceSettings
from bot.settings.privacy import LONGEST_RETENTION

NAMES: Mapping[str, Name] = {"keep": "keep", "redact": "redact", "retention": "retention_days"}
"""How settings are called in the chats, and in the database."""

_MEANINGS: Mapping[Name, str] = {
    "keep": "whether what is said is kept",
    "redact": "whether what tells of people is taken out before anything is sent to a server",
    "retention_days": "days after which conversations are deleted",
}

_FIX = "Write `keep off`, `redact on`, `retention 30` or `keep default`, and behind it `here`, `channel` or `server`."

DEFAULT = "default"


class PlaceSettingsDesk:
    """Tells admins what holds where they write, and sets it, as far as they may use the command there."""

    def __init__(self, settings: PlaceSettings, access: Access) -> None:
        self._settings = settings
        self._access = access

    async def show_or_set(self, message: IncomingMessage) -> Reply:
        """Show what holds in the message's place, or set what its text names (``keep off channel``).

        Raises:
            QuestionError: it names no setting, no value of it, or no place.
            NotAllowedError: the command was given to the author for a narrower place than that.
        """
        words = message.text.lower().split()
        if not words:
            return self._shown(message.place)
        name, value, where = _read(words)
        target = _target(message.place, where)
        await self._require_reach(message, target)
        if value == DEFAULT:
            await self._settings.drop(target, name)
        else:
            await self._settings.put(message, target, name, value)
        return self._shown(message.place, self._done(message.place, target, name))

    def _done(self, place: Place, target: str, name: Name) -> str:
        """Say that it is set; where a narrower place has a value of its own, so that nothing changes here, that too."""
        held = self._settings.held(place, name).place
        narrower = place.names[: place.names.index(target)]
        if held not in narrower:
            return "Set. "
        return f"Set for {_scope(place, target)}; but {_scope(place, held)} has its own value, which counts here. "

    async def _require_reach(self, message: IncomingMessage, target: str) -> None:
        place = Place.of_id(target)
        groups = message.groups_of_place if place.channel else ()
        if not await self._access.allows(replace(message, place=place, groups_of_place=groups), ("settings",)):
            raise NotAllowedError("You may set that in a narrower place alone.", "Write `here` or `channel` behind it.")

    def _shown(self, place: Place, said: str = "") -> Reply:
        held = {name: self._settings.held(place, name) for name in NAMES.values()}
        lines = "\n".join(f"- {_line(place, called, name, held[name])}" for called, name in NAMES.items())
        text = f"{said}What holds here:\n\n{lines}\n\n{_FIX}"
        document = {
            name: {"value": one.value, "set_for": one.place, "by_admin": one.by_admin} for name, one in held.items()
        }
        return Reply(text, ephemeral=True, data={"settings": document})


def _line(place: Place, called: str, name: Name, held: Held) -> str:
    by = "by an admin" if held.by_admin else "in the settings"
    source = f"set for {_scope(place, held.place)} {by}" if held.place else "set for all places"
    return f"`{called}` is **{_told(name, held.value)}** ({_MEANINGS[name]}; {source})"


def _told(name: Name, value: str) -> str:
    if name == "retention_days":
        return f"{value} days" if int(value) else "never"
    return value or "as set for each generator"


def _scope(place: Place, named: str) -> str:
    """Say in words which of a place's names that is."""
    words = ("this thread", "this channel", "this server", "this platform")
    # A place without threads has the same name twice but for the last stroke.
    return next(word for word, name in zip(words, place.names, strict=True) if name == named)


def _read(words: list[str]) -> tuple[Name, str, str]:
    called, value, where = (*words, "", "", "")[:3] if len(words) <= len(("name", "value", "place")) else ("", "", "")
    name = NAMES.get(called)
    if name is None or not value:
        raise QuestionError("I know no such setting.", _FIX)
    return name, checked_value(name, value), where


def checked_value(name: Name, value: str) -> str:
    """Give a value as it is kept: "on" or "off", a number of days, or `DEFAULT`.

    Raises:
        QuestionError: that setting cannot have it.
    """
    if value == DEFAULT:
        return value
    if name != "retention_days":
        if value not in ("on", "off"):
            raise QuestionError(f"That can be on or off, and {DEFAULT}.", _FIX)
        return value
    days = 0 if value in ("never", "off") else int(value) if value.isascii() and value.isdecimal() else -1
    if not 0 <= days <= LONGEST_RETENTION:
        raise QuestionError(f"That can be a number of days up to {LONGEST_RETENTION:,}, never, and {DEFAULT}.", _FIX)
    return str(days)


def _target(place: Place, where: str) -> str:
    """Give the name of the place that is to be set: the channel, where nothing else is said."""
    if not place.channel:
        return place.platform
    match where:
        case "here":
            return place.id if place.thread else place.channel_id
        case "" | "channel":
            return place.channel_id
        case "server" | "workspace" if place.workspace:
            return place.workspace_id
    raise QuestionError("That is no place that I could set it for.", _FIX)
