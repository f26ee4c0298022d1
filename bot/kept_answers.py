"""Which kept answers somebody may judge or have a person look at: those in the channel where they speak."""

from sqlalchemy import String, bindparam, or_

from bot.messages import IncomingMessage
from bot.tables import conversations, places

_LARGEST = 2**63 - 1
"""The largest number that the database can hold, and be asked for."""

within_reach = (
    (places.c.workspace_id == bindparam("workspace", type_=String))
    & (places.c.channel == bindparam("channel", type_=String))
    # In a terminal and over HTTP there is no channel that people share: there everybody has their own alone.
    & or_(places.c.channel != "", conversations.c.person_id == bindparam("person", type_=String))
)
"""Holds for the conversations that a message's author may speak of; its parameters are those of `reach`."""


def reach(message: IncomingMessage) -> dict[str, str]:
    """Give the parameters under which `within_reach` holds for a message: where it was written, and by whom."""
    place = message.place
    return {
        "workspace": place.workspace_id,
        "channel": place.channel,
        "person": message.person_id,
    }


def number_in(text: str) -> int:
    """Read the number of an answer; 0, under which none is kept, for anything else."""
    number = int(text) if text.isdecimal() and len(text) <= len(str(_LARGEST)) else 0
    return number if number <= _LARGEST else 0
