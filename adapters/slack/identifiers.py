"""How the adapter names messages and the ways back to people, so that both still hold after a restart."""

import re
from dataclasses import dataclass

_SHOWN_TO_ONE = "ephemeral"
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{0,255}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is: its workspace's id, name and address (``https://team.slack.com/``), its own ids and name."""

    team: str
    team_name: str
    url: str
    user: str
    bot: str
    name: str


@dataclass(frozen=True, slots=True)
class Route:
    """The way back to whoever wrote: their id, a response URL (half an hour, five times) and the thread they see."""

    user: str
    response_url: str = ""
    thread: str = ""

    def __str__(self) -> str:
        return " ".join((self.user, self.response_url, self.thread)).rstrip()

    @classmethod
    def parse(cls, text: str) -> "Route":
        """Read what `str` wrote."""
        return cls(*text.split(" ", 2))


def identifier(value: object) -> str:
    """Give the name of something of Slack's (a person, a channel, a timestamp, a trigger), or an empty one.

    Raises:
        ValueError: it cannot be one.
    """
    if value is None:
        return ""
    if not (isinstance(value, str) and _IDENTIFIER.fullmatch(value)):
        raise ValueError("no identifier of Slack's")
    return value


def message_name(channel: str, ts: str) -> str:
    """Name a message; its timestamp alone is unique in its channel only."""
    return f"{channel}:{ts}"


def message_place(name: str) -> tuple[str, str]:
    """Give the channel and the timestamp of a message."""
    channel, _, ts = name.partition(":")
    return channel, ts


def ephemeral_name(key: str) -> str:
    """Name a message, by its idempotency key, that Slack gives no name: it can neither be changed nor taken back."""
    return message_name(_SHOWN_TO_ONE, key)


def is_ephemeral(name: str) -> bool:
    """Say whether a message is one that Slack keeps no hold of: what one person sees, or a response URL brought."""
    return message_place(name)[0] == _SHOWN_TO_ONE


def is_direct(channel: str) -> bool:
    """Say whether a channel is a direct message: one that exists, or a person's id in its stead."""
    return channel[:1] in ("D", "U", "W")
