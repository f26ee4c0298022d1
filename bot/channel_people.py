"""Who is called in a channel when somebody asks for a person there; admins set it."""

import re
from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.errors import QuestionError
from bot.messages import IncomingMessage, Place, Reply
from bot.tables import channel_people

_MENTION = re.compile(r"(user|role|group):[\w.-]{1,64}", re.ASCII)

_MOST = 10
"""People and groups that may be called in one channel: more would be a crowd."""

_FIX = "Name them as `user:ID`, `role:ID` or `group:ID`; `none` calls nobody."

_EXAMPLE = "`/people user:1 role:2` sets who is called; `/people none` calls nobody."

_SET = (
    delete(channel_people).where(channel_people.c.channel_id == bindparam("channel")),
    insert(channel_people).on_conflict_do_nothing(),
)


class ChannelPeople:
    """The people and groups of each channel; what is set for a channel holds in its threads, too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def called_in(self, place: Place) -> tuple[str, ...]:
        """Give those who are called in a place, as ``user:ID``, ``role:ID`` or ``group:ID``; none where nobody is."""
        here = select(channel_people.c.mention).where(channel_people.c.channel_id == place.channel_id)
        ordered = here.order_by(channel_people.c.mention)
        return tuple(await self._database.read(lambda connection: connection.scalars(ordered).all()))

    async def show_or_set(self, message: IncomingMessage) -> Reply:
        """Show who is called in the message's channel; set it to those it names, or to nobody for ``none``.

        Raises:
            QuestionError: it names something else, everybody, or too many.
        """
        if message.mentions or message.text:
            nobody = message.text.lower() == "none" and not message.mentions
            called = () if nobody else _named(message)
            await self._set(message.place, called)
            text = f"From now on I call {_listed(called)} here when somebody asks for a person."
        else:
            called = await self.called_in(message.place)
            text = f"When somebody asks for a person here, I call {_listed(called)}. {_EXAMPLE}"
        return Reply(text, ephemeral=True, data={"called": list(called)})

    async def _set(self, place: Place, called: Sequence[str]) -> None:
        rows = [{"channel_id": place.channel_id, "mention": mention} for mention in called]
        await self._database.write(Change(_SET, ([{"channel": place.channel_id}], rows)))


def _named(message: IncomingMessage) -> tuple[str, ...]:
    people = {mention for mention in message.mentions if not mention.startswith("channel:")}
    named = tuple(sorted(people or set(message.text.replace(",", " ").split())))
    if not all(_MENTION.fullmatch(name) for name in named):
        raise QuestionError("That names nobody I could call.", _FIX)
    # On Discord the role of all members has the server's own number.
    if f"role:{message.place.workspace}" in named:
        raise QuestionError("That would call everybody, which I never do.", _FIX)
    if len(named) > _MOST:
        raise QuestionError(f"That names {len(named)}; I call {_MOST} at the most.", "Name a role or a group instead.")
    return named


def _listed(called: Sequence[str]) -> str:
    return ", ".join(f"`{mention}`" for mention in called) or "nobody"
