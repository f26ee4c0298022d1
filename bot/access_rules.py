"""One rule of access: who may, or may not, do what where; and the words in which it is written.

===========  =================================================================================================
word         forms
===========  =================================================================================================
who          ``everyone``; ``paired`` (who has paired with a code); a person: ``discord:80351110224678912``,
             ``slack:U012AB3CD``, ``http:key-…``; a role: ``discord:owner`` (the server's), ``discord:manage_server``,
             ``discord:role:ID``, ``slack:owner``, ``slack:admin``, ``slack:group:ID``; with ``@ID`` behind a role, of
             that server or workspace alone
where        ``everywhere``; a platform: ``discord``; a server or workspace: ``discord/ID``, ``slack/T012AB3CD``; a
             channel with its threads: ``discord/ID/ID``; a thread: ``discord/ID/ID/ID``; a category of channels:
             ``discord/ID/category:ID``; direct messages: ``direct``, ``discord/direct``, ``slack/T012AB3CD/direct``
what         ``everything`` that is not for admins and not one's own data, or the name of a command
===========  =================================================================================================
"""

import re
from dataclasses import dataclass
from typing import Literal

from bot.messages import IncomingMessage, Place
from bot.place_names import SNOWFLAKE, TEAM, fault

Effect = Literal["allow", "deny"]

EVERYONE, EVERYWHERE, EVERYTHING = "everyone", "everywhere", "everything"
"""The words for what a rule keeps as an empty text."""

PAIRED = "paired"
"""Who has paired with the bot by a code."""

DIRECT = "direct"
"""The place of all direct messages."""

CATEGORY = "category:"
"""Begins what an adapter vouches for as the group of channels that a place lies in."""

NO_CATEGORY = f"{CATEGORY}none"
"""What an adapter vouches for where a place lies in no category; where it knows nothing, it says nothing."""

OPEN_COMMANDS = ("ask", "diagnose", "describe", "help", "history", "knowledge")
"""What everybody may do as long as no rule says otherwise."""

OWN_COMMANDS = ("forget", "export", "pair")
"""What is one's own: closed to somebody only by a rule that names it."""

ADMIN_COMMANDS = (
    "reload",
    "stats",
    "people",
    "settings",
    "delivery",
    "library",
    "teach",
    "explain",
    "status",
    "questions",
    "reports",
)
"""What is for admins, and for those to whom a rule gives it by name."""

KEPT_COMMANDS = ("access", "audit")
"""What is for admins, and cannot be given to anybody."""

_GUARDED_BY_THEMSELVES = frozenset({"solved"})
"""Commands of buttons that know by themselves who may press."""

_OF_BUTTONS = {
    "": "ask",
    "feedback": "ask",
    "person": "ask",
    "share": "ask",
    "alt_text": "describe",
    "diagnose_that": "diagnose",
    "about": "help",
    "conversations": "history",
    "conversation": "history",
    "rename": "history",
    "statistics": "stats",
    "report": "reports",
    "undelivered": "delivery",
    "rules": "access",
    "uses": "audit",
    "places": "settings",
    "set_place": "settings",
    "retention": "access",
    "clean": "access",
    "known_people": "access",
}
"""What the commands of buttons and pages, and messages without any, count as."""

_PERSON = re.compile(rf"discord:{SNOWFLAKE}|slack:[UW][A-Z0-9]{{1,30}}|(http|console|memory):[^\s/@:]+")
_ROLE = re.compile(
    rf"discord:(owner|manage_server|role:{SNOWFLAKE})(@{SNOWFLAKE})?"
    rf"|slack:(owner|admin|group:S[A-Z0-9]{{1,30}})(@{TEAM})?|memory:[^\s/]+"
)
_DIRECT_OR_CATEGORY = re.compile(
    rf"direct|(discord|slack/{TEAM}|slack)/direct|discord/{SNOWFLAKE}/category:{SNOWFLAKE}"
)


def known_person(text: str) -> str:
    """Let a person pass, as ``platform:id``.

    Raises:
        ValueError: nobody can have that id.
    """
    if not _PERSON.fullmatch(text):
        raise ValueError(
            f"{text!r} is nobody's id; it is written as discord:80351110224678912 (digits: copy the user's ID in"
            " Discord's developer mode) or slack:U012AB3CD (the member ID of the profile's menu)"
        )
    return text


def known_role(text: str) -> str:
    """Let a role pass.

    Raises:
        ValueError: no platform vouches for such a one.
    """
    if not _ROLE.fullmatch(text):
        raise ValueError(
            f"{text!r} is no role; there are discord:owner, discord:manage_server, discord:role:ID, slack:owner,"
            " slack:admin and slack:group:ID; with @ID behind it, of that server or workspace alone"
        )
    return text


def known_who(text: str) -> str:
    """Give who is meant as a rule keeps it: empty for everyone.

    Raises:
        ValueError: it names nobody.
    """
    if text in (EVERYONE, ""):
        return ""
    if text == PAIRED or _PERSON.fullmatch(text):
        return text
    try:
        return known_role(text)
    except ValueError:
        raise ValueError(
            f"{text!r} names nobody: write everyone, paired, a person as discord:80351110224678912 or slack:U012AB3CD,"
            " or a role as discord:role:ID, discord:owner, discord:manage_server, slack:group:ID, slack:admin"
        ) from None


def known_where(text: str) -> str:
    """Give which place is meant as a rule keeps it: empty for everywhere.

    Raises:
        ValueError: there is no such place.
    """
    if text in (EVERYWHERE, ""):
        return ""
    if fault(text) and not _DIRECT_OR_CATEGORY.fullmatch(text):
        raise ValueError(
            f"{text!r} is no place: write everywhere, direct, discord/SERVER, discord/SERVER/CHANNEL,"
            " discord/SERVER/category:ID, slack/TEAM/CHANNEL or discord/direct"
        )
    return text


def known_what(text: str) -> str:
    """Give which command is meant as a rule keeps it: empty for everything.

    Raises:
        ValueError: there is none of that name, or it cannot be given away.
    """
    name = text.lower().lstrip("/")
    if name in (EVERYTHING, ""):
        return ""
    if name in KEPT_COMMANDS:
        raise ValueError(f"{name} is for admins alone; access.admins and access.admin_roles name them")
    choices = (*OPEN_COMMANDS, *OWN_COMMANDS, *ADMIN_COMMANDS)
    if name not in choices:
        raise ValueError(f"{text!r} is no command; there are {', '.join(choices)}")
    return name


def wanted(message: IncomingMessage) -> tuple[str, ...]:
    """Give what a message wants to do: a question with a file that may be a picture wants two things."""
    command = _OF_BUTTONS.get(message.command, message.command)
    if command in _GUARDED_BY_THEMSELVES:
        return ()
    shows = message.command == "describe" or (command == "ask" and bool(message.attachments))
    if not shows:
        return (command,)
    # What is asked about a picture is answered from the knowledge base, whichever way it is shown.
    has_words = any(character.isalnum() for character in message.text)
    return ("ask", "describe") if has_words else ("describe",)


def counted_as(command: str) -> str:
    """Give the command that rules speak of where this one is meant."""
    return _OF_BUTTONS.get(command, command)


def is_for_admins(command: str) -> bool:
    """Say whether a command is for admins; what nobody knows is, too."""
    return command not in (*OPEN_COMMANDS, *OWN_COMMANDS)


def _and(*sides: bool | None) -> bool | None:
    """Say whether all hold, where None stands for what is not known (Kleene's strong logic of three values)."""
    if False in sides:
        return False
    return None if None in sides else True


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants something and where, as far as it is known.

    Attributes:
        person_id: as in `IncomingMessage.person_id`.
        place: where.
        groups_of_place: as in `IncomingMessage.groups_of_place`.
        roles: what the platform vouches for.
        is_known: whether the roles were looked up, and found: then who lacks one has it not.
    """

    person_id: str
    place: Place
    groups_of_place: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    is_known: bool = False

    def is_one_of(self, who: str) -> bool | None:
        """Say whether a rule's `who` is this person; None where that is not known."""
        if who in ("", self.person_id):
            return True
        if who in {PAIRED} & self.roles or who in {f"{self.place.platform}:{role}" for role in self.roles}:
            return True
        if self.is_known or (who != PAIRED and not who.startswith(f"{self.place.platform}:")):
            return False
        return None if who == PAIRED or not _PERSON.fullmatch(who) or who.startswith("memory:") else False

    def is_in(self, where: str) -> bool | None:
        """Say whether a rule's place is this one, or around it; None where that is not known."""
        place = self.place
        if CATEGORY in where:
            workspace, _, category = where.rpartition("/")
            if workspace != place.workspace_id:
                return False
            return category in self.groups_of_place if self.groups_of_place else None
        names = {"", *place.names}
        if place.thread:
            # On Discord a thread is mentioned as a channel is.
            names.add(f"{place.workspace_id}/{place.thread}")
        if place.is_direct:
            names |= {DIRECT, f"{place.platform}/{DIRECT}", f"{place.workspace_id}/{DIRECT}"}
        return where in names


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, in checked words.

    Attributes:
        effect: whether it allows or denies.
        who: whom it concerns; empty: everyone.
        place: where; empty: everywhere.
        command: what; empty: everything that is neither for admins nor one's own.
        number: its row's id; 0 for one of the settings.
        by: who made it; empty for one of the settings.
    """

    effect: Effect
    who: str = ""
    place: str = ""
    command: str = ""
    number: int = 0
    by: str = ""

    def covers(self, asker: Asker, command: str) -> bool | None:
        """Say whether it speaks of this command in this place; None where that is not known."""
        named = self.command == command if self.command else command in OPEN_COMMANDS
        return _and(named, asker.is_in(self.place))

    def concerns(self, asker: Asker, command: str) -> bool | None:
        """Say whether it speaks of this person, command and place; None where that is not known."""
        return _and(self.covers(asker, command), asker.is_one_of(self.who))

    @property
    def in_words(self) -> str:
        """The rule as people write it: ``deny discord:role:1 in discord/2 to diagnose``."""
        return f"{self.effect} {self.who or EVERYONE} in {self.place or EVERYWHERE} to {self.command or EVERYTHING}"


def checked(effect: str, who: str, place: str, command: str, number: int = 0, by: str = "") -> Rule:
    """Make a rule of words.

    Raises:
        ValueError: one of them is none; the message says which are there.
    """
    known: dict[str, Effect] = {"allow": "allow", "deny": "deny"}
    if effect not in known:
        raise ValueError(f"{effect!r} is neither allow nor deny")
    return Rule(known[effect], known_who(who), known_where(place), known_what(command), number, by)
